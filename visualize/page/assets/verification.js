'use strict';
// What a run made of the numbers: one line per quantity, its claims on demand.
(() => {
  const { el, get } = archspec;
  const COLUMNS = ['subject', 'stated', 'measured', 'verdict', 'note'];

  const verdict = (claims) => {
    const failed = claims.filter((claim) => claim[3] === 'FAILS').length;
    if (failed) return ['bad', `✗ ${failed} FAIL`];
    if (claims.some((claim) => claim[3] === 'holds')) return ['good', '✓ holds'];
    return ['muted', claims[0]?.[3] ?? ''];
  };

  const list = (claims) => el('table', { class: 'claims' },
    el('thead', {}, el('tr', {}, COLUMNS.map((title) => el('th', { scope: 'col' }, title)))),
    el('tbody', {}, claims.map((claim) =>
      el('tr', { class: claim[3] === 'FAILS' ? 'bad' : null }, claim.map((text) => el('td', {}, text))))));

  const quantity = ({ name, claims }) => {
    const [kind, words] = verdict(claims);
    const whole = claims.find((claim) => claim[0] === 'network');
    const count = `${claims.length.toLocaleString('en')} claim${claims.length > 1 ? 's' : ''}`;
    const stated = whole ? `${whole[1] || '—'} stated, ${whole[2] || '—'} measured` : '';
    const details = el('details', { class: 'quantity' }, el('summary', {},
      el('b', {}, name), el('span', { class: 'muted' }, count),
      el('span', {}, stated), el('span', { class: kind }, words)));
    details.addEventListener('toggle', () => {
      if (details.children.length === 1) details.append(el('div', { class: 'scroll' }, list(claims)));
    });
    return details;
  };

  archspec.showVerification = (data) => {
    const found = data.verification;
    get('verification').hidden = get('to-verification').hidden = !found;
    if (!found) return;
    const words = found.holds
      ? `✓ ${found.held} numbers held against a run: all of them hold`
      : `✗ of ${found.held} numbers held against a run some FAIL`;
    const left = found.left_out ? [`${found.left_out.toLocaleString('en')} more claims that hold are left out`] : [];
    get('verification-body').replaceChildren(
      el('p', { class: found.holds ? 'good' : 'bad' }, words, found.seconds ? ` (${found.seconds} s)` : ''),
      ...found.quantities.map(quantity),
      ...[...left, ...found.notes].map((note) => el('p', { class: 'muted' }, note)));
  };
})();
