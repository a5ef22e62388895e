'use strict';
// The tree grid. Of very many rows those near the view alone are in the document.
(() => {
  const { el, get } = archspec;
  const MANY = 300;
  const HEIGHT = 30; // of a row, as in table.css
  const view = { rows: null, columns: [], formulas: false, seen: [], focus: 0, from: -1, whole: false, shares: {} };
  const scroll = () => get('table-scroll');
  archspec.tableView = view;

  const cell = (row, column) => {
    const [text, value, formula] = view.rows.entry(row, column.name);
    const shown = view.formulas && formula ? formula : text;
    const total = view.shares[column.name];
    const share = total && typeof value === 'number' ? value / total : 0;
    const bar = share > 0 ? { class: 'share', style: { '--share-of': `${Math.min(100, share * 100)}%` } } : {};
    const kind = `${column.numeric ? 'number' : 'text'}${value === 0 || shown === '' ? ' zero' : ''}`;
    return el('td', { role: 'gridcell', class: kind, title: formula ?? null }, el('span', bar, shown));
  };

  // Sorted or filtered, nothing folds.
  const fixed = () => view.rows.order !== null || view.rows.words !== '';

  const name = (row) => {
    const { rows } = view;
    const group = rows.isGroup(row);
    const flat = rows.order !== null;
    const family = rows.table.families[row];
    const click = (event) => {
      event.stopPropagation();
      archspec.fold(row);
    };
    const twist = group && !fixed()
      ? el('span', { class: 'twist', 'aria-hidden': 'true', on: { click } })
      : el('span', { class: 'twist none' });
    const colours = { '--dot-fill': `var(--fill-${family})`, '--dot-line': `var(--line-${family})` };
    const dot = family ? el('i', { class: 'dot', title: family, style: colours }) : null;
    const level = flat ? 1 : rows.table.levels[row];
    const where = flat && rows.path(row) ? el('small', {}, rows.path(row)) : null;
    const inside = [twist, dot, el('span', { class: 'label', title: rows.label(row) }, rows.label(row)), where];
    return el('td', { role: 'gridcell', class: 'name', style: { '--level': level - 1 } }, inside);
  };

  const isOpen = (row) => view.rows.open.has(row) || (view.rows.words !== '' && view.rows.order === null);

  // Chosen itself, or a group that holds something chosen.
  const mark = (element, row) => {
    const { nodes } = archspec.selection;
    const own = view.rows.nodes(row);
    const inside = own.filter((node) => nodes.has(node)).length;
    element.setAttribute('aria-selected', inside === own.length && inside > 0);
    element.classList.toggle('part', inside > 0 && inside < own.length);
  };

  const line = (row, at) => {
    const { rows } = view;
    const group = rows.isGroup(row);
    const [place, siblings] = rows.order ? [at + 1, view.seen.length] : rows.positions[row];
    const element = el('tr', {
      role: 'row', id: `row-${row}`, 'data-row': row,
      'aria-rowindex': at + 2, 'aria-posinset': place, 'aria-setsize': siblings,
      'aria-level': rows.order ? 1 : rows.table.levels[row], tabindex: at === view.focus ? 0 : -1,
      'aria-expanded': group && !rows.order ? String(isOpen(row)) : null, class: group ? 'group' : 'layer',
    }, name(row), view.columns.map((column) => cell(row, column)));
    mark(element, row);
    return element;
  };

  const spacer = (count) => {
    const cell = el('td', { style: { height: `${count * HEIGHT}px` } });
    return count > 0 ? el('tr', { class: 'space', 'aria-hidden': 'true' }, cell) : null;
  };

  const fill = (force) => {
    const body = get('table').tBodies[0];
    const all = view.whole || view.seen.length <= MANY;
    const room = Math.ceil(scroll().clientHeight / HEIGHT);
    const from = all ? 0 : Math.max(0, Math.min(Math.floor(scroll().scrollTop / HEIGHT) - 40, view.seen.length - 1));
    if (!force && (all || Math.abs(from - view.from) < 20)) return;
    view.from = from;
    const to = all ? view.seen.length : Math.min(view.seen.length, from + room + 80);
    const lines = view.seen.slice(from, to).map((row, place) => line(row, from + place));
    body.replaceChildren(...[spacer(from), ...lines, spacer(view.seen.length - to)].filter(Boolean));
  };

  const head = () => {
    const { order } = view.rows;
    const sorted = (key) => (order?.name === key ? (order.down ? 'descending' : 'ascending') : 'none');
    const title = (key, text, numeric, kind = numeric ? 'number' : 'text') => {
      const click = () => archspec.sort(key, numeric);
      const button = el('button', { type: 'button', 'data-sort': key, on: { click } }, text);
      return el('th', { role: 'columnheader', scope: 'col', 'aria-sort': sorted(key), class: kind }, button);
    };
    const titles = view.columns.map((column) => title(column.name, column.title, column.numeric));
    const line = el('tr', { role: 'row', 'aria-rowindex': 1 }, title('layer', 'Layer', false, 'name'), titles);
    return el('thead', { role: 'rowgroup' }, line);
  };

  const foot = () => el('tfoot', { role: 'rowgroup' }, view.rows.table.totals.map(({ title, cells }) => {
    const sums = view.columns.map(({ name, numeric }) =>
      el('td', { role: 'gridcell', class: numeric ? 'number' : '' }, cells[name] ?? ''));
    return el('tr', { role: 'row' }, el('th', { scope: 'row', class: 'name' }, title), sums);
  }));

  archspec.drawTable = () => {
    view.seen = view.rows.seen();
    view.focus = Math.max(0, Math.min(view.focus, view.seen.length - 1));
    const table = get('table');
    table.setAttribute('aria-rowcount', view.seen.length + 1);
    table.setAttribute('aria-multiselectable', 'true');
    table.replaceChildren(head(), el('tbody', { role: 'rowgroup' }), foot());
    fill(true);
    const notes = [...view.rows.table.notes];
    if (view.rows.order) notes.unshift('sorted: folded groups and layers side by side');
    if (view.rows.words) notes.unshift(`${view.seen.length} rows match`);
    get('table-foot').replaceChildren(...notes.map((note) => el('span', {}, note)));
  };

  archspec.fold = (row, open = !view.rows.open.has(row)) => {
    if (open) view.rows.open.add(row); else view.rows.open.delete(row);
    archspec.drawTable();
    focusRow(view.seen.indexOf(row));
  };

  // Numbers from the largest, text from the smallest; then the other way round; then back to execution order.
  archspec.sort = (key, numeric) => {
    const { order } = view.rows;
    const again = order?.name === key;
    const next = order?.down === numeric ? { name: key, down: !numeric } : null;
    view.rows.order = again ? next : { name: key, down: numeric };
    archspec.drawTable();
    scroll().scrollTop = 0;
    get('table').querySelector(`[data-sort="${key}"]`)?.focus();
    archspec.drawControls();
  };

  const focusRow = (at) => {
    if (at < 0 || at >= view.seen.length) return;
    get('table').querySelector('tr[tabindex="0"]')?.setAttribute('tabindex', -1);
    view.focus = at;
    let element = get(`row-${view.seen[at]}`);
    if (!element) {
      scroll().scrollTop = at * HEIGHT - scroll().clientHeight / 2;
      fill(true);
      element = get(`row-${view.seen[at]}`);
    }
    element.tabIndex = 0;
    element.focus({ preventScroll: true });
    archspec.reveal(scroll(), element);
  };

  const choose = (row, more) => {
    const nodes = view.rows.nodes(row);
    const kept = more ? [...archspec.selection.nodes] : [];
    const off = more && nodes.every((node) => archspec.selection.nodes.has(node));
    archspec.select(off ? kept.filter((node) => !nodes.includes(node)) : [...kept, ...nodes], 'table');
  };

  const sideways = (row, right) => {
    const { rows } = view;
    if (rows.order) return;
    if (rows.isGroup(row) && isOpen(row) !== right && !fixed()) archspec.fold(row, right);
    else if (right && rows.isGroup(row)) focusRow(view.focus + 1);
    else if (!right && rows.parents[row] >= 0) focusRow(view.seen.indexOf(rows.parents[row]));
  };

  const keys = (event) => {
    const row = Number(event.target.closest?.('tr[data-row]')?.dataset.row ?? NaN);
    if (Number.isNaN(row) || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(scroll().clientHeight / HEIGHT) - 2);
    const last = view.seen.length - 1;
    const jumps = { Home: -view.focus, End: last - view.focus, PageDown: page, PageUp: -page };
    const moves = { ArrowDown: 1, ArrowUp: -1, ...jumps };
    if (event.key in moves) focusRow(Math.max(0, Math.min(last, view.focus + moves[event.key])));
    else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') sideways(row, event.key === 'ArrowRight');
    else if (event.key === 'Enter' || event.key === ' ') choose(row, event.ctrlKey || event.shiftKey);
    else return;
    event.preventDefault();
  };

  // Opens what hides the chosen rows where the choice was made elsewhere, and shows the first of them.
  const follow = ({ nodes, origin }) => {
    if (origin !== 'table' && nodes.size && view.rows) {
      const first = view.rows.leaf(Math.min(...nodes));
      let row = first;
      for (let above = view.rows.parents[first]; above >= 0; above = view.rows.parents[above]) {
        if (view.rows.nodes(above).every((node) => nodes.has(node))) row = above;
      }
      if (!view.seen.includes(row)) {
        view.rows.words = '';
        view.rows.order = null;
        view.rows.openAbove(row);
        archspec.drawTable();
        archspec.drawControls();
      }
      const at = view.seen.indexOf(row);
      if (!get(`row-${row}`)) { scroll().scrollTop = at * HEIGHT - scroll().clientHeight / 3; fill(true); }
      view.focus = at;
      archspec.reveal(scroll(), get(`row-${row}`));
    }
    for (const element of get('table').querySelectorAll('tr[data-row]')) {
      mark(element, Number(element.dataset.row));
      element.tabIndex = Number(element.getAttribute('aria-rowindex')) === view.focus + 2 ? 0 : -1;
    }
  };

  get('table').addEventListener('click', (event) => {
    const element = event.target.closest('tr[data-row]');
    if (!element) return;
    focusRow(view.seen.indexOf(Number(element.dataset.row)));
    choose(Number(element.dataset.row), event.ctrlKey || event.metaKey || event.shiftKey);
  });
  get('table').addEventListener('dblclick', (event) => {
    const element = event.target.closest('tr.group');
    if (element && !fixed()) archspec.fold(Number(element.dataset.row));
  });
  get('table').addEventListener('keydown', keys);
  scroll().addEventListener('scroll', () => view.rows && fill(false), { passive: true });
  addEventListener('beforeprint', () => { view.whole = true; fill(true); });
  addEventListener('afterprint', () => { view.whole = false; fill(true); });
  archspec.onSelect(follow);
})();
