'use strict';
// The tools above the table: filter, depth, formulas, columns, and the way back to execution order.
(() => {
  const { el, get } = archspec;
  const USUAL = ['activations', 'parameters', 'macs', 'receptive_field'];
  const ROWS = 80; // the table opens as deep as this many rows allow
  const chosen = new Set(USUAL);
  let parts = null;

  const pick = () => {
    const view = archspec.tableView;
    view.columns = view.rows.table.columns.filter((column) => chosen.has(column.name));
  };

  const chooser = (table) => {
    const boxes = table.columns.map((column) => archspec.toggle(column.title, chosen.has(column.name), (on) => {
      if (on) chosen.add(column.name); else chosen.delete(column.name);
      pick();
      archspec.drawTable();
    }));
    const summary = el('summary', { role: 'button' }, 'Columns');
    const details = el('details', { class: 'menu' }, summary, el('div', { class: 'list' }, boxes));
    details.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') { details.open = false; summary.focus(); }
    });
    return details;
  };

  const depths = (rows) => {
    const named = (depth) => (depth === rows.deepest ? 'every layer' : `depth ${depth}`);
    const names = Array.from({ length: rows.deepest }, (_, at) => [at + 1, named(at + 1)]);
    return archspec.choice('Fold to', [['', '—'], ...names], '', (depth) => {
      if (!depth) return;
      rows.order = null;
      rows.foldTo(Number(depth));
      archspec.drawTable();
      archspec.drawControls(depth);
    });
  };

  const opening = (rows) => {
    let depth = 1;
    for (let next = 1; next <= rows.deepest; next++) {
      rows.foldTo(next);
      if (rows.seen().length <= ROWS) depth = next;
    }
    rows.foldTo(depth);
    return depth;
  };

  document.addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // What hangs on the state of the table: the way back, the depth named only while it is so, the words of the filter.
  archspec.drawControls = (depth = '') => {
    const { rows } = archspec.tableView;
    parts.back.hidden = rows.order === null;
    parts.depth.select.value = depth;
    if (parts.filter.value !== rows.words) parts.filter.value = rows.words;
  };

  archspec.showTable = (data, kept) => {
    const view = archspec.tableView;
    const { table } = data;
    const old = kept ? view.rows : null;
    view.rows = new archspec.Rows(table);
    const outer = table.levels.flatMap((level, row) => (level === 1 ? [row] : []));
    const sum = (name) => outer.reduce((total, row) => total + view.rows.value(row, name), 0);
    view.shares = { parameters: sum('parameters'), macs: sum('macs'), memory: sum('memory') };
    let depth = '';
    get('table-scroll').style.setProperty('--rows', view.rows.count);
    if (old) archspec.keepRows(old, view.rows); else depth = opening(view.rows);
    pick();
    const change = () => {
      view.rows.words = filter.value.trim();
      archspec.drawTable();
    };
    const name = 'Filter layers';
    const filter = el('input', { type: 'search', placeholder: name, 'aria-label': name, on: { input: change } });
    const back = archspec.button('↺ Execution order', 'Back to execution order', () => {
      view.rows.order = null;
      archspec.drawTable();
      archspec.drawControls();
    });
    const formulas = archspec.toggle('Formulas', view.formulas, (on) => { view.formulas = on; archspec.drawTable(); });
    parts = { filter, back, depth: depths(view.rows) };
    get('table-tools').replaceChildren(back, filter, parts.depth.label, formulas, chooser(table));
    archspec.drawTable();
    archspec.drawControls(depth);
  };

  // What was open stays open where there still is such a group; the order and the filter stay.
  archspec.keepRows = (old, rows) => {
    // The groups by their names and those above them; of several with one name by their number among these.
    const groups = (of) => {
      const counts = new Map();
      const names = [];
      return new Map(of.table.labels.flatMap((label, row) => {
        if (!of.isGroup(row)) return [];
        const name = `${names[of.parents[row]] ?? ''}\n${label}`;
        counts.set(name, (counts.get(name) ?? 0) + 1);
        names[row] = `${name} ${counts.get(name)}`;
        return [[names[row], row]];
      }));
    };
    const now = groups(rows);
    for (const [name, row] of groups(old)) if (old.open.has(row) && now.has(name)) rows.open.add(now.get(name));
    rows.order = old.order;
    rows.words = old.words;
  };
})();
