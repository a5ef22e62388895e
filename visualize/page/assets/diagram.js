'use strict';
// The diagram: one drawing for every depth; a box stands for nodes, and is chosen with them.
(() => {
  const { el, get } = archspec;
  const state = { drawings: [], at: 0, boxes: [], viewport: null, focus: 0 };

  // The SVG as elements, of which the page's policy lets none act or fetch.
  const parsed = (text) => {
    const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
    return themed(document.importNode(svg, true));
  };

  // The drawing's own pair of schemes, after the theme of the page and not of the system.
  const themed = (svg) => {
    for (const [what, light, dark] of archspec.data.drawings.colours) {
      for (const one of svg.querySelectorAll(`[${what}="${light}"]`)) {
        one.style.setProperty(what, `light-dark(${light}, ${dark})`);
      }
    }
    return svg;
  };

  const choose = (box, event) => {
    const more = event.ctrlKey || event.metaKey || event.shiftKey;
    archspec.select(more ? [...archspec.selection.nodes, ...box.nodes] : box.nodes, 'diagram');
  };

  const focus = (at) => {
    if (at < 0 || at >= state.boxes.length) return;
    state.boxes[state.focus]?.element.setAttribute('tabindex', -1);
    state.focus = at;
    const { element } = state.boxes[at];
    element.setAttribute('tabindex', 0);
    element.focus({ preventScroll: true });
    state.viewport.show(element);
  };

  const prepare = (svg, [key, stretches, label], at) => {
    const element = svg.querySelector(`[id="${CSS.escape(key)}"]`);
    const box = { element, nodes: archspec.spread(stretches), label };
    element.classList.add('box');
    const says = { tabindex: at === 0 ? 0 : -1, role: 'button', 'aria-label': label, 'aria-pressed': 'false' };
    for (const [name, value] of Object.entries(says)) element.setAttribute(name, value);
    element.addEventListener('click', (event) => { if (!state.viewport.dragged) choose(box, event); });
    element.addEventListener('focus', () => { state.focus = state.boxes.indexOf(box); });
    return box;
  };

  const draw = () => {
    const drawing = state.drawings[state.at];
    const svg = parsed(drawing.svg);
    svg.setAttribute('role', 'group');
    svg.setAttribute('aria-label', 'Diagram; arrow keys go from box to box, Enter chooses');
    get('stage').replaceChildren(svg);
    state.boxes = drawing.boxes.map((box, at) => prepare(svg, box, at));
    state.focus = 0;
    state.viewport = new archspec.Viewport(svg, get('stage'));
    state.viewport.listen();
    follow(archspec.selection);
  };

  const follow = ({ nodes, origin }) => {
    let first = null;
    for (const box of state.boxes) {
      const inside = box.nodes.some((node) => nodes.has(node));
      box.element.classList.toggle('on', inside);
      box.element.setAttribute('aria-pressed', inside);
      first ??= inside ? box.element : null;
    }
    if (first && origin !== 'diagram') state.viewport.show(first);
  };

  const keys = (event) => {
    if (!state.viewport || event.altKey || event.metaKey) return;
    const { viewport } = state;
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const shift = { ArrowDown: [0, 0.1], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowLeft: [-0.1, 0] }[event.key];
    if (step && event.shiftKey) viewport.pan(...shift);
    else if (step) focus(state.focus + step);
    else if (event.key === 'Home') focus(0);
    else if (event.key === 'End') focus(state.boxes.length - 1);
    else if (event.key === '+' || event.key === '=') viewport.zoom(1.3);
    else if (event.key === '-') viewport.zoom(1 / 1.3);
    else if (event.key === '0') viewport.fit(false);
    else if (event.key === 'Enter' || event.key === ' ') choose(state.boxes[state.focus], event);
    else return;
    event.preventDefault();
  };

  const named = (drawing) => (drawing.depth === 0 ? 'every layer' : `depth ${drawing.depth}`);

  const tools = () => {
    const change = (at) => {
      state.at = Number(at);
      draw();
    };
    const depth = archspec.choice('Show', state.drawings.map((one, at) => [at, named(one)]), state.at, change);
    return [depth.label,
      archspec.button('−', 'Zoom out', () => state.viewport.zoom(1 / 1.3)),
      archspec.button('+', 'Zoom in', () => state.viewport.zoom(1.3)),
      archspec.button('Fit', 'Show the whole diagram', () => state.viewport.fit(false))];
  };

  archspec.showDiagram = (data, kept) => {
    const before = kept ? state.drawings[state.at]?.depth : undefined;
    state.drawings = data.drawings.depths;
    const missing = data.drawings.missing;
    get('diagram-foot').textContent = missing ?? 'Drag to move, wheel to zoom, click a box to choose its rows.';
    get('diagram').hidden = !state.drawings.length && !missing;
    get('diagram-tools').replaceChildren();
    get('stage').replaceChildren();
    state.boxes = [];
    if (!state.drawings.length) return;
    const same = state.drawings.findIndex((one) => one.depth === before);
    const small = state.drawings.findLastIndex((one) => one.boxes.length <= 40);
    const stays = before !== undefined && same >= 0;
    const box = stays ? state.viewport?.box : null;
    state.at = stays ? same : Math.max(0, small);
    get('diagram-tools').replaceChildren(...tools());
    draw();
    if (box) state.viewport.keep(box);
  };

  get('stage').addEventListener('keydown', keys);
  addEventListener('beforeprint', () => state.viewport?.draw(state.viewport.whole));
  addEventListener('afterprint', () => state.viewport?.draw());
  archspec.onSelect(follow);
})();
