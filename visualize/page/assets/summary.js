'use strict';
// The head of the page: what the network is, its figures, and what was expected of it.
(() => {
  const { el } = archspec;

  const linked = (text) => {
    const match = /https?:\/\/[^\s;,"'<>]+/.exec(text);
    if (!match) return [text];
    const end = match.index + match[0].length;
    const link = el('a', { href: match[0], rel: 'noreferrer noopener', target: '_blank' }, match[0]);
    return [text.slice(0, match.index), link, text.slice(end)];
  };

  const shapes = (list) => list.map((one) => (list.length > 1 ? `${one.name} ${one.shape}` : one.shape)).join(', ');

  const card = (title, value, more, nodes) => {
    const figure = el('dd', { class: value.length > 13 ? 'long' : null }, value);
    const parts = [el('dt', {}, title), figure, more ? el('dd', { class: 'more' }, more) : null];
    if (!nodes) return el('div', { class: 'card' }, parts);
    const choose = () => archspec.select(nodes, 'summary');
    const goto = archspec.button('show', `Show the layer of: ${title}`, choose, { class: 'inline' });
    return el('div', { class: 'card' }, parts, el('dd', { class: 'more' }, goto));
  };

  // Of a network that ends in a vector the last map says more than the output, which mostly reads everything.
  const field = ({ fields, last_map: last }) => {
    const words = fields.map((one) => (fields.length > 1 ? `${one.output} ${one.field}` : one.field)).join(', ');
    return last
      ? card('Receptive field', last.field, `of the last map; of the output ${words}`, [last.node])
      : card('Receptive field', words, 'of the output, in input positions', fields.map((one) => one.node));
  };

  const cards = (summary) => {
    return el('dl', { class: 'cards' },
      card('Parameters', summary.parameters, summary.buffers === '0' ? null : `buffers ${summary.buffers}`),
      card('MACs per example', summary.macs, `${summary.flops} FLOPs`),
      card('Weights', summary.weights_size, `${summary.weights} bytes in float32`),
      card('Peak memory', summary.peak_size, `of outputs, at node ${summary.peak_node}`, [summary.peak_node]),
      field(summary),
      card('Input', shapes(summary.inputs), `to ${shapes(summary.outputs)}, in ${summary.layers} layers`));
  };

  const expectations = (list) => {
    if (!list.length) return null;
    const failed = list.filter((one) => !one.holds).length;
    const title = failed ? `${failed} of ${list.length} expectations fail` : `All ${list.length} expectations hold`;
    const items = list.map((one) => el('li', { class: one.holds ? 'good' : 'bad' },
      el('b', {}, one.holds ? '✓ ' : '✗ '), `${one.metric} ${one.expected}`,
      one.holds ? null : `, found ${one.found}`));
    return el('details', { class: failed ? 'expected bad' : 'expected good', open: failed > 0 },
      el('summary', {}, (failed ? '✗ ' : '✓ ') + title), el('ul', {}, items));
  };

  archspec.showSummary = (data) => {
    const { summary } = data;
    const chips = [];
    if (summary.variant) chips.push(el('span', { class: 'chip' }, summary.variant));
    if (data.source.warnings.length) {
      const count = data.source.warnings.length;
      chips.push(el('a', { class: 'chip warn', href: '#spec' }, `${count} warning${count > 1 ? 's' : ''}`));
    }
    archspec.get('summary').replaceChildren(...[
      el('div', { class: 'title' }, el('h1', {}, summary.name), chips),
      summary.description ? el('p', { class: 'lead' }, summary.description) : null,
      summary.source ? el('p', { class: 'muted' }, 'Source: ', linked(summary.source)) : null,
      cards(summary),
      expectations(data.expectations),
    ].filter(Boolean));
    document.title = `${data.title} · archspec`;
  };
})();
