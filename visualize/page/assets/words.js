'use strict';
// What a unit reads, in words.
(() => {
  const { el } = archspec;
  const NAMES = { H: 'rows', W: 'columns', L: 'positions', T: 'frames' };

  // One axis of an input: where the unit reads, how much of it, and its field with the padding.
  const sentence = (source, { inside, field: unbounded }, axis) => {
    const letter = source.axes[axis] ?? axis;
    const [low, high] = archspec.span(unbounded[axis]) ?? [0, -1];
    const field = high < low ? 'no field' : `field ${low} to ${high}, centre ${(low + high) / 2}`;
    const start = `${NAMES[letter] ?? 'axis'} (${letter}): `;
    if (!inside) return `${start}${field}`;
    const span = archspec.span(inside[axis]);
    if (!span) return `${start}nothing (${field})`;
    const [read, whole] = [archspec.count(inside[axis]), span[1] - span[0] + 1];
    const holes = read < whole ? `, ${read} of these ${whole} (density ${(read / whole).toFixed(2)})` : '';
    const every = read === source.spatial[axis] ? ' (all)' : '';
    return `${start}${span[0]} to ${span[1]}${every}${holes}; ${field}`;
  };

  archspec.fieldWords = ({ data, node, unit }, found) => {
    const layer = data.nodes[node];
    const units = unit.length ? `Unit ${unit.join(', ')}` : 'Every unit';
    const of = `${units} of node ${node}, ${layer.called} (${layer.shape})`;
    const command = `archspec rf --layer ${node}${unit.length ? ` --unit ${unit.join(',')}` : ''}`;
    const left = data.explorer.layers[node] < 0;
    if (left) return [el('p', {}, `${of}: left out, to keep this page small; ${command} answers.`)];
    if (!found) return [el('p', {}, `${of} reads no input.`)];
    const source = data.nodes[found.input];
    const name = data.explorer.inputs.length > 1 ? ` ${source.called}` : '';
    const lines = found.field.map((_, axis) => el('li', {}, sentence(source, found, axis)));
    const note = found.inside ? [] : [el('p', { class: 'muted' },
      `The field alone is drawn: what is read inside the input is not kept for this layer; ${command} says it.`)];
    return [el('p', {}, `${of} reads of the ${source.shape} input${name}:`), el('ul', {}, lines), ...note];
  };
})();
