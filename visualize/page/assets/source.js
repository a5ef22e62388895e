'use strict';
// The text of the spec: numbered lines, findings under theirs, and the way between lines and layers.
(() => {
  const { el, get } = archspec;
  const state = { lines: [], nodes: [] };

  // Comments and keys set apart; everything is text.
  const coloured = (text) => {
    const match = /^(\s*(?:- )?)([\w.-]+(?:\([^)]*\))?:)(\s.*|)$/.exec(text);
    const [before, key, rest] = match ? match.slice(1) : ['', '', text];
    const comment = /(^|\s)#.*$/.exec(rest);
    const plain = comment ? rest.slice(0, comment.index) : rest;
    const part = (name, words) => (words ? el('span', { class: name }, words) : null);
    return [before, part('key', key), plain, part('comment', comment?.[0])];
  };

  const finding = (one) => el('div', { class: `finding ${one.severity}`, role: 'note' },
    el('b', {}, `${one.severity} ${one.code}`), ` ${one.message}`,
    one.shape ? el('div', { class: 'muted' }, `shape here: ${one.shape}`) : null,
    one.hint ? el('div', { class: 'hint' }, `help: ${one.hint}`) : null);

  const choose = (line, event) => {
    const nodes = state.nodes.flatMap((one, node) => (one.lines.includes(line) ? [node] : []));
    const before = event.ctrlKey || event.metaKey ? archspec.selection.nodes : [];
    if (nodes.length) archspec.select([...before, ...nodes], 'source');
  };

  const lineOf = (text, number, known, findings) => {
    const own = findings.filter((one) => one.line === number);
    const code = el('code', {}, coloured(text));
    const label = `Line ${number}, choose its layers: ${text.trim()}`;
    const inner = known
      ? archspec.button(code, label, (event) => choose(number, event), { class: 'code', title: null })
      : el('span', { class: 'code' }, code);
    return el('li', { 'data-line': number, class: own.length ? 'found' : null }, inner, own.map(finding));
  };

  // `findings` have a line of this text; the others stand above it.
  const draw = (text, name, findings) => {
    const known = new Set(state.nodes.flatMap((one) => one.lines));
    const lines = text.replace(/\r\n?/g, '\n').replace(/\n$/, '').split('\n');
    state.lines = lines.map((line, at) => lineOf(line, at + 1, known.has(at + 1), findings));
    const loose = findings.filter((one) => !one.line || one.line > lines.length).map(finding);
    get('spec-name').textContent = name;
    get('spec-body').replaceChildren(...loose, el('ol', { class: 'source' }, state.lines));
    follow(archspec.selection);
  };

  const follow = ({ nodes, origin }) => {
    const own = new Set();
    const callers = new Set();
    for (const node of nodes) {
      const [first, ...others] = state.nodes[node]?.lines ?? [];
      own.add(first);
      others.forEach((line) => callers.add(line));
    }
    state.lines.forEach((element, at) => {
      element.classList.toggle('on', own.has(at + 1));
      element.classList.toggle('caller', callers.has(at + 1) && !own.has(at + 1));
    });
    if (origin !== 'source' && own.size) archspec.reveal(get('spec-body'), state.lines[Math.min(...own) - 1]);
  };

  archspec.showSource = (data) => {
    state.nodes = data.nodes;
    const { text, name, warnings } = data.source;
    draw(text, name, warnings.map((one) => (one.here ? one : { ...one, line: null })));
  };

  // A text that is broken: its errors at their lines; lines and layers, those of the last good one, have parted.
  archspec.showBroken = (text, diagnostics) => {
    state.nodes = [];
    draw(text, get('spec-name').textContent, diagnostics);
    archspec.reveal(get('spec-body'), get('spec-body').querySelector('.found, .finding'));
  };
  archspec.onSelect(follow);
})();
