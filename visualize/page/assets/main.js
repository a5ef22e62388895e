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

  archspec.show = (data, kept = false) => {
    archspec.data = data;
    get('failure').hidden = true;
    const nodes = [...archspec.selection.nodes].filter((node) => node < data.nodes.length);
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
