'use strict';
// Where parameters, MACs and memory go: every part of the network with its shares.
(() => {
  const { el, get } = archspec;
  const MEASURES = [['parameters', 'Parameters', 'parameters'], ['macs', 'MACs', 'MACs'],
    ['memory', 'Memory of outputs', 'bytes of outputs']];
  const MOST = 24; // rows; small ones beyond are gathered
  const state = { depth: null, parts: [] };

  // Groups at a depth; above it those that hold no groups themselves stay whole. The deepest one shows every layer.
  const rowsAt = (rows, depth) => {
    const found = [];
    for (let row = 0; row < rows.count;) {
      let split = rows.isGroup(row) && rows.table.levels[row] < depth;
      if (split && depth < rows.deepest) {
        split = false;
        for (let inner = row + 1; inner < rows.ends[row]; inner++) split ||= rows.isGroup(inner);
      }
      if (!split) found.push(row);
      row = split ? row + 1 : rows.isGroup(row) ? rows.ends[row] : row + 1;
    }
    return found.filter((row) => MEASURES.some(([name]) => rows.value(row, name) > 0));
  };

  const totals = (rows, parts) => {
    const sum = (name) => parts.reduce((before, row) => before + rows.value(row, name), 0);
    return Object.fromEntries(MEASURES.map(([name]) => [name, sum(name)]));
  };

  const percent = (share) => (share === 0 ? '' : share < 0.001 ? '< 0.1 %' : `${(share * 100).toFixed(1)} %`);

  const bar = (share, title) => el('span', { class: 'bar-cell', title },
    el('span', { class: 'bar-fill', style: { width: `${share * 100}%` } }),
    el('span', { class: 'bar-text' }, percent(share)));

  const line = (label, where, nodes, values, sums, text) => {
    const cells = MEASURES.map(([name, title]) => {
      const share = sums[name] ? values[name] / sums[name] : 0;
      return el('td', { class: `m-${name}` }, bar(share, `${title}: ${text(name)}`));
    });
    const choose = () => archspec.select(nodes, 'shares');
    const button = archspec.button(label, `Choose ${label}`, choose, { class: 'inline' });
    const element = el('tr', {}, el('th', { scope: 'row' }, button, where ? el('small', {}, where) : null), cells);
    state.parts.push([element, nodes]);
    return element;
  };

  const lines = (rows, all, sums) => {
    const share = (row, name) => (sums[name] ? rows.value(row, name) / sums[name] : 0);
    const weight = (row) => Math.max(...MEASURES.map(([name]) => share(row, name)));
    const kept = new Set([...all].sort((a, b) => weight(b) - weight(a)).slice(0, MOST));
    const shown = all.filter((row) => kept.has(row));
    const rest = all.filter((row) => !kept.has(row));
    const values = (row) => Object.fromEntries(MEASURES.map(([name]) => [name, rows.value(row, name)]));
    const found = shown.map((row) => {
      const text = (name) => rows.entry(row, name)[0];
      return line(rows.label(row), rows.path(row), rows.nodes(row), values(row), sums, text);
    });
    if (rest.length) {
      const gathered = totals(rows, rest);
      const nodes = rest.flatMap((row) => rows.nodes(row));
      const text = (name) => gathered[name].toLocaleString('en');
      found.push(line(`${rest.length} smaller parts`, '', nodes, gathered, sums, text));
    }
    return found;
  };

  const draw = (rows) => {
    state.parts = [];
    const titles = ['Part', ...MEASURES.map(([, title]) => title)].map((title) => el('th', { scope: 'col' }, title));
    const head = el('thead', {}, el('tr', {}, titles));
    const all = rowsAt(rows, state.depth);
    const sums = totals(rows, all);
    const body = el('tbody', {}, lines(rows, all, sums));
    const table = el('table', { class: 'shares', 'aria-labelledby': 'shares-title' }, head, body);
    const whole = MEASURES.map(([name, , unit]) => `${sums[name].toLocaleString('en')} ${unit}`).join(', ');
    const training = rows.table.totals.length > 1 ? '; with what training alone needs' : '';
    get('shares-body').replaceChildren(table, el('p', { class: 'muted' }, `100 %: ${whole}${training}`));
    follow(archspec.selection);
  };

  const follow = ({ nodes }) => {
    for (const [element, own] of state.parts) {
      element.classList.toggle('on', own.some((node) => nodes.has(node)));
    }
  };

  // The deepest depth that still is a short list.
  const usual = (rows) => {
    let depth = 1;
    for (let next = 1; next < rows.deepest; next++) if (rowsAt(rows, next).length <= 18) depth = next;
    return depth;
  };

  archspec.showShares = (rows, kept) => {
    state.depth = kept && state.depth ? Math.min(state.depth, rows.deepest) : usual(rows);
    const named = (to) => (to === rows.deepest ? 'layers' : `depth ${to}`);
    const entries = Array.from({ length: rows.deepest }, (_, at) => [at + 1, named(at + 1)]);
    const depth = archspec.choice('By', entries, state.depth, (to) => { state.depth = Number(to); draw(rows); });
    get('shares-tools').replaceChildren(...(rows.deepest > 1 ? [depth.label] : []));
    draw(rows);
  };
  archspec.onSelect(follow);
})();
