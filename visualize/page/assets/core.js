'use strict';
// One global name. Every part of the page keeps its own state and follows the selection, which all of them share.
const archspec = {};

(() => {
  // An element; text becomes text, never markup.
  archspec.el = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (key === 'on') for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
      else if (key === 'style') for (const [name, to] of Object.entries(value)) element.style.setProperty(name, to);
      else element.setAttribute(key, value === true ? '' : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  };

  archspec.get = (id) => document.getElementById(id);

  // A labelled <select>; `entries` are [value, text].
  archspec.choice = (label, entries, value, change) => {
    const options = entries.map(([key, text]) => archspec.el('option', { value: key }, text));
    const select = archspec.el('select', { 'aria-label': label, on: { change: () => change(select.value) } }, options);
    if (value !== undefined) select.value = value;
    return { select, label: archspec.el('label', {}, archspec.el('span', {}, label), select) };
  };

  archspec.button = (text, label, run, extra = {}) =>
    archspec.el('button', { type: 'button', 'aria-label': label, title: label, on: { click: run }, ...extra }, text);

  archspec.toggle = (text, on, change) => {
    const box = archspec.el('input', { type: 'checkbox', on: { change: () => change(box.checked) } });
    box.checked = on;
    return archspec.el('label', { class: 'switch' }, box, archspec.el('span', {}, text));
  };

  // The nodes chosen, and who chose them. Listeners hear of every change, the one who made it too.
  const listeners = [];
  archspec.selection = { nodes: new Set(), origin: null };
  archspec.onSelect = (listener) => listeners.push(listener);
  archspec.select = (nodes, origin) => {
    archspec.selection = { nodes: new Set(nodes), origin };
    for (const listener of listeners) listener(archspec.selection);
  };

  // The numbers of the stretches [first, last].
  archspec.spread = (stretches) => {
    const found = [];
    for (const [first, last] of stretches) for (let node = first; node <= last; node++) found.push(node);
    return found;
  };

  // Scrolls inside a box alone, so that the page stays where it is.
  archspec.reveal = (box, element) => {
    if (!element) return;
    const outer = box.getBoundingClientRect();
    const inner = element.getBoundingClientRect();
    const header = box.querySelector('thead')?.getBoundingClientRect().height ?? 0;
    const above = inner.top - outer.top - header;
    const below = inner.bottom - outer.bottom;
    if (above < 0 || below > 0) box.scrollTop += above - box.clientHeight / 3;
  };
})();
