'use strict';
// The receptive-field explorer: a unit of a layer's map, and what it reads of an input, drawn and in words.
(() => {
  const { el, get } = archspec;
  const state = { data: null, parts: null, node: 0, unit: [], input: null, slice: null, pinned: false };
  state.pictures = new Map();
  archspec.explorer = state;

  const facts = (node) => state.data.nodes[node];
  const plane = (sizes) => [sizes.length > 1 ? sizes.at(-2) : 1, sizes.at(-1) ?? 1];
  const last = (axes) => [axes.length > 1 ? axes.at(-2) : [[0, 0]], axes.at(-1) ?? [[0, 0]]];

  const readings = () => archspec.reading(state.data.explorer, state.node, state.unit);
  const current = (found) => found?.find((one) => one.input === state.input) ?? found?.[0] ?? null;

  // How far fields reach past the input, of the first and the last unit; so that the picture stays while one points.
  const margins = (sizes) => {
    const units = facts(state.node).spatial;
    const ends = [units.map(() => 0), units.map((size) => size - 1)];
    const fields = ends.map((unit) => current(archspec.reading(state.data.explorer, state.node, unit)).field);
    return sizes.map((size, axis) => {
      const spans = fields.map((field) => archspec.span(field[axis]) ?? [0, 0]);
      const most = Math.ceil(size * 1.25) + 2;
      const low = Math.max(-most, Math.min(0, ...spans.map(([first]) => first)));
      return [low, Math.min(size + most, Math.max(size, ...spans.map(([, end]) => end + 1)))];
    });
  };

  const size = (id) => Math.max(120, get(id).parentElement.clientWidth - 4);
  const tall = () => Math.max(220, Math.min(520, innerHeight * 0.6));

  const drawUnits = () => {
    const { units } = state.parts;
    const { spatial } = facts(state.node);
    const [rows, columns] = plane(spatial);
    units.layout(rows, columns, [0, 0, rows, columns], size('unit-map'), tall());
    units.ground();
    const [row, column] = [spatial.length > 1 ? state.unit.at(-2) : 0, state.unit.at(-1) ?? 0];
    if (units.cell < 8 && rows > 1) { // a band needs no cross
      units.fill([[row, row]], [[0, columns - 1]], '--cross');
      units.fill([[0, rows - 1]], [[column, column]], '--cross');
    }
    units.fill([[row, row]], [[column, column]], '--unit');
    units.outline([[row, row]], [[column, column]], '--unit-edge');
  };

  const drawInput = (found) => {
    const { input } = state.parts;
    if (!found) { input.layout(1, 1, [0, 0, 1, 1], 12, 12); return; }
    const { spatial } = facts(found.input);
    const [rows, columns] = plane(spatial);
    const [down, across] = last(margins(spatial).map(([low, high]) => [[low, high]])).map(([one]) => one);
    const view = spatial.length > 1 ? [down[0], across[0], down[1], across[1]] : [0, across[0], 1, across[1]];
    input.layout(rows, columns, spatial.length ? view : [0, 0, 1, 1], size('input-map'), tall());
    input.ground(state.pictures.get(found.input));
    const seen = spatial.length < 3 || within(found, spatial);
    const field = last(found.field);
    input.fill(...field, '--field');
    if (found.inside && seen && found.inside.every((axis) => axis.length)) {
      const read = last(found.inside);
      input.fill(...read, '--read');
      input.outline(...read, '--read-edge');
    }
    input.outline(...field, '--field-edge', true);
  };

  // Whether the slice of a volume that is shown is read.
  const within = (found, spatial) => {
    const axis = found.inside?.at(-3) ?? [];
    const middle = archspec.span(axis);
    const wanted = state.slice ?? (middle ? Math.round((middle[0] + middle[1]) / 2) : Math.floor(spatial.at(-3) / 2));
    const at = Math.min(wanted, spatial.at(-3) - 1);
    state.parts.slice.value = at;
    state.parts.slice.nextSibling.textContent = `${facts(found.input).axes.at(-3)} = ${at}`;
    return axis.some(([first, end]) => first <= at && at <= end);
  };

  // What all units of the layer have in common, as the table has it; of the first input.
  const common = () => {
    const { rows } = archspec.tableView;
    const row = rows.leaf(state.node);
    const names = ['receptive_field', 'without_gates', 'jump', 'padding', 'density'];
    const differs = rows.entry(row, 'without_gates')[0] !== rows.entry(row, 'receptive_field')[0];
    get('field-facts').replaceChildren(...names.filter((name) => differs || name !== 'without_gates')
      .flatMap((name) => [el('dt', {}, rows.columns.get(name).title), el('dd', {}, rows.entry(row, name)[0])]));
  };

  const draw = () => {
    if (!state.parts) return;
    const all = readings();
    const found = current(all);
    state.found = found;
    drawUnits();
    drawInput(found);
    get('words').replaceChildren(...archspec.fieldWords(state, found));
    const { called, shape } = facts(state.node);
    state.parts.units.canvas.setAttribute('aria-label', `Units of ${called}; the arrow keys go from unit to unit`);
    state.parts.input.canvas.setAttribute('aria-label', get('words').textContent);
    state.parts.boxes.forEach((box, axis) => { if (document.activeElement !== box) box.value = state.unit[axis]; });
    get('unit-title').textContent = `${called} · ${shape}${state.pinned ? ' · held' : ''}`;
    get('input-title').textContent = found ? `${facts(found.input).called} · ${facts(found.input).shape}` : 'no input';
  };

  const moveTo = (unit) => {
    state.unit = unit.map((place, axis) => Math.max(0, Math.min(facts(state.node).spatial[axis] - 1, place)));
    draw();
  };

  const pointed = (event) => {
    const [row, column] = state.parts.units.at(event);
    const { length } = state.unit;
    if (length) moveTo([...state.unit.slice(0, Math.max(0, length - 2)), ...(length > 1 ? [row, column] : [column])]);
  };

  const keys = (event) => {
    const far = event.shiftKey ? 10 : 1;
    const [row, column] = [state.unit.length - 2, state.unit.length - 1];
    const move = { ArrowUp: [row, -far], ArrowDown: [row, far], ArrowLeft: [column, -far], ArrowRight: [column, far],
      PageUp: [row - 1, -1], PageDown: [row - 1, 1], Home: [column, -1e9], End: [column, 1e9] }[event.key];
    if (!move || move[0] < 0 || event.altKey || event.metaKey) return;
    event.preventDefault();
    state.pinned = true;
    moveTo(state.unit.map((place, axis) => (axis === move[0] ? place + move[1] : place)));
  };

  const listen = (canvas) => {
    canvas.addEventListener('pointermove', (event) => { if (!state.pinned || event.buttons) pointed(event); });
    canvas.addEventListener('pointerdown', (event) => {
      state.pinned = !state.pinned || event.pointerType !== 'mouse';
      pointed(event);
    });
    canvas.addEventListener('keydown', keys);
  };

  const load = async (file) => {
    if (!file) return;
    try {
      state.pictures.set(current(readings())?.input ?? 0, await createImageBitmap(file));
      state.picture = file.name;
      get('picture').previousSibling.textContent = file.name;
      draw();
    } catch {
      get('words').replaceChildren(el('p', {}, `${file.name} is no picture that this browser reads.`));
    }
  };

  const unitBoxes = () => facts(state.node).spatial.map((size, axis) => {
    const name = `Unit along ${facts(state.node).axes[axis] ?? axis}`;
    const change = (event) => {
      const place = event.target.valueAsNumber;
      if (!Number.isInteger(place)) return;
      state.pinned = true;
      moveTo(state.unit.map((before, at) => (at === axis ? place : before)));
    };
    const says = { type: 'number', min: 0, max: size - 1, value: state.unit[axis], 'aria-label': name, title: name };
    return el('input', { ...says, on: { input: change } });
  });

  const tools = () => {
    state.parts.layer.select.value = state.node;
    const boxes = unitBoxes();
    const group = { class: 'units', role: 'group', 'aria-label': 'Unit' };
    const unit = boxes.length ? el('span', group, el('span', {}, 'Unit'), boxes) : null;
    const all = readings() ?? [];
    const inputs = all.map(({ input: node }) => [node, facts(node).called]);
    const change = (node) => {
      state.input = Number(node);
      state.parts.boxes = tools();
      get('explorer-tools').querySelector('[aria-label="Input"]').focus();
      draw();
    };
    const input = inputs.length > 1 ? archspec.choice('Input', inputs, current(all).input, change).label : null;
    const read = () => load(file.files[0]);
    const file = el('input', { type: 'file', accept: 'image/*', id: 'picture', on: { change: read } });
    const title = 'Stays in this browser; stretched to the size of the input';
    const picture = el('label', { class: 'file', title }, el('span', {}, state.picture ?? 'Your image …'), file);
    const slice = facts(current(all)?.input ?? 0).spatial.length > 2 ? volume() : null;
    state.parts.tools.replaceChildren(...[unit, input, slice, picture].filter(Boolean));
    return boxes;
  };

  const volume = () => {
    const { spatial, axes } = facts(current(readings()).input);
    const [deep, name] = [spatial.at(-3), axes.at(-3)];
    const change = () => {
      state.slice = range.valueAsNumber;
      draw();
    };
    const says = { type: 'range', min: 0, max: deep - 1, 'aria-label': `Slice along ${name}`, on: { input: change } };
    const range = el('input', says);
    state.parts.slice = range;
    return el('label', {}, 'Slice', range, el('output'));
  };

  const frames = () => {
    const make = (id, says) => {
      const canvas = el('canvas', { id, 'aria-describedby': 'words', ...says });
      const title = el('figcaption', { id: id.replace('map', 'title') });
      return [el('figure', {}, title, el('div', { class: 'frame' }, canvas)), new archspec.Plane(canvas)];
    };
    const [left, units] = make('unit-map', { tabindex: 0, role: 'application' });
    const [right, input] = make('input-map', { role: 'img' });
    const [read, field] = ['read', 'field'].map((name) => el('i', { class: name }));
    right.append(el('figcaption', { class: 'legend' }, read, 'read', field, 'field, padding included'));
    left.append(el('figcaption', { class: 'muted' }, 'Point at a unit, or use the arrow keys; a click holds it.'));
    get('maps').replaceChildren(left, right);
    listen(units.canvas);
    return { units, input, boxes: [] };
  };

  const show = (node, keep) => {
    const units = facts(node).spatial;
    const before = keep && state.sizes?.length === units.length ? state.sizes : null;
    const share = (axis) => (before ? (state.unit[axis] + 0.5) / before[axis] : 0.5);
    const across = (size, axis) => Math.floor(share(axis) * size);
    state.node = node;
    state.unit = units.map(across);
    state.sizes = units;
    state.parts.boxes = tools();
    common();
    draw();
  };

  archspec.showExplorer = (data, kept) => {
    state.data = data;
    state.parts ??= frames();
    const { nodes } = data;
    const layers = nodes.map((one, node) => [node, `${node}  ${one.called}  ${one.shape}`]);
    const choose = (node) => archspec.select([Number(node)], 'explorer');
    state.parts.layer = archspec.choice('Layer', layers, state.node, choose);
    state.parts.tools = el('span', { class: 'tools' });
    get('explorer-tools').replaceChildren(state.parts.layer.label, state.parts.tools);
    show((kept ? archspec.moved(state.node) : null) ?? start(data), kept);
  };

  // The output where it is a map, else the last layer that is one: units of a vector all read alike.
  const start = (data) => {
    const [output] = data.summary.outputs;
    const known = (node) => data.explorer.layers[node] >= 0;
    if (output && data.nodes[output.node].spatial.length && known(output.node)) return output.node;
    return Math.max(0, data.nodes.findLastIndex((one, node) => known(node) && one.spatial.some((size) => size > 1)));
  };

  archspec.onSelect(({ nodes }) => {
    if (!state.parts || !nodes.size) return;
    state.pinned = false;
    show(Math.max(...nodes), true);
  });
  archspec.onTheme(draw);
  let waiting = 0;
  addEventListener('resize', () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(draw); });
})();
