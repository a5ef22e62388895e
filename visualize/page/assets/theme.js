'use strict';
// Light or dark: the system's choice until the button says otherwise; kept where the browser allows it.
(() => {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const listeners = [];
  const kept = () => {
    try { return localStorage.getItem('archspec-theme'); } catch { return null; }
  };
  const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';

  const show = () => {
    const button = archspec.get('theme');
    button.textContent = dark() ? '☀' : '☾';
    button.setAttribute('aria-label', dark() ? 'Switch to light' : 'Switch to dark');
    button.title = button.getAttribute('aria-label');
    for (const listener of listeners) listener();
  };

  archspec.onTheme = (listener) => listeners.push(listener);
  // A colour of the style sheet as the canvas takes it: of a pair the one that holds.
  const probe = document.body.appendChild(archspec.el('i', { hidden: true }));
  archspec.colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };

  const before = kept();
  if (before === 'dark' || before === 'light') document.documentElement.dataset.theme = before;
  archspec.get('theme').addEventListener('click', () => {
    document.documentElement.dataset.theme = dark() ? 'light' : 'dark';
    try { localStorage.setItem('archspec-theme', document.documentElement.dataset.theme); } catch { /* not kept */ }
    show();
  });
  system.addEventListener('change', show);
  show();
})();
