'use strict';
// Shows a page's data, the first time and whenever a server sends a new one.
(() => {
  const { el, get } = archspec;

  const colours = (families) => {
    for (const [family, { fill, line }] of Object.entries(families)) {
      document.documentElement.style.setProperty(`--fill-${family}`, fill);
      document.documentElement.style.setProperty(`--line-${family}`, line);
    }
  };

  // Where a node of the network before is now: what is the same at its start and at its end has gone nowhere else, and
  // of what lies between a node keeps its place where none was added or taken away; null where it cannot be told.
  const movement = (before, after) => {
    const same = (a, b) => before[a]?.called === after[b]?.called;
    const [length, more] = [Math.min(before.length, after.length), after.length - before.length];
    let [head, tail] = [0, 0];
    while (head < length && same(head, head)) head++;
    while (tail < length - head && same(before.length - 1 - tail, after.length - 1 - tail)) tail++;
    return (node) => {
      if (node < head || more === 0) return node;
      return node >= before.length - tail ? node + more : null;
    };
  };

  archspec.show = (data, kept = false) => {
    archspec.moved = movement(archspec.data?.nodes ?? [], data.nodes);
    archspec.data = data;
    get('failure').hidden = true;
    const nodes = [...archspec.selection.nodes].map(archspec.moved).filter((node) => node !== null);
    archspec.selection = { nodes: new Set(nodes), origin: null };
    colours(data.families);
    archspec.showSummary(data);
    archspec.showTable(data, kept);
    archspec.showShares(archspec.tableView.rows, kept);
    archspec.showSource(data);
    archspec.showVerification(data);
    archspec.showExplorer(data, kept);
    archspec.showDiagram(data, kept);
    document.documentElement.dataset.ready = performance.now().toFixed(0);
  };

  // A broken text: what is shown stays, and the errors stand above it and at their lines.
  archspec.fail = ({ diagnostics, text, source }) => {
    const first = diagnostics[0];
    const where = first?.line ? `line ${first.line}: ` : '';
    const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
    const words = first ? `${where}${first.message}${more}` : text;
    const all = el('details', {}, el('summary', {}, 'all of it'), el('pre', {}, text ?? ''));
    const link = el('a', { href: '#spec' }, 'See the spec');
    get('failure').replaceChildren(el('b', {}, 'The spec has errors. '), words, ' ', link, all);
    get('failure').hidden = false;
    if (typeof source === 'string') archspec.showBroken(source, diagnostics);
  };

  archspec.show(JSON.parse(get('data').textContent));
})();
