'use strict';
// What a unit reads, from the lists in the page: unions of runs [first, last] along every axis of an input.
(() => {
  const merged = (runs) => {
    runs.sort((a, b) => a[0] - b[0]);
    const found = [];
    for (const [first, last] of runs) {
      const before = found.at(-1);
      if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
      else found.push([first, last]);
    }
    return found;
  };

  // A list holds stretches [units, lowest, step, shape]; a shape the runs that are read and left out in turn.
  const runs = (explorer, list, unit) => {
    const stretches = explorer.lists[list];
    let at = 0;
    let before = 0;
    while (unit >= before + stretches[at]) { before += stretches[at]; at += 4; }
    let low = stretches[at + 1] + (unit - before) * stretches[at + 2];
    const found = [];
    explorer.shapes[stretches[at + 3]].forEach((length, place) => {
      if (place % 2 === 0 && length) found.push([low, low + length - 1]);
      low += length;
    });
    return found;
  };

  const along = (explorer, axes, unit) =>
    axes.map((axis) =>
      merged(explorer.axes[axis].flatMap(([of, list]) => runs(explorer, list, of < 0 ? 0 : unit[of]))));

  // Of every input that a layer reads: its node, the runs inside it (null where unknown) and those without bounds.
  archspec.reading = (explorer, node, unit) => {
    const place = explorer.layers[node];
    if (place < 0) return null;
    return explorer.reads[place].map(([input, inside, field]) => {
      const read = inside && along(explorer, inside, unit);
      const nothing = read?.some((axis) => !axis.length);
      return { input, inside: nothing ? read.map(() => []) : read, field: along(explorer, field, unit) };
    });
  };

  archspec.span = (axis) => (axis.length ? [axis[0][0], axis.at(-1)[1]] : null);
  archspec.count = (axis) => axis.reduce((sum, [first, last]) => sum + last - first + 1, 0);
})();
