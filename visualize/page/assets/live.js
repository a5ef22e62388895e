'use strict';
// Follows the server that this page came from: a new page for every good text, the errors of a broken one.
(() => {
  const { el, get } = archspec;
  const token = document.querySelector('meta[name="archspec-live"]').content;
  let wait = 250;

  const tell = (text, kind) => {
    get('live').hidden = false;
    get('live').className = `live ${kind}`;
    get('live').textContent = text;
  };

  const receive = (message) => {
    if (message.kind === 'page') {
      archspec.show(message.data, true);
      tell('live', 'good');
    } else if (message.kind === 'error') {
      archspec.fail(message);
      tell('broken: the last good result is shown', 'bad');
    }
  };

  const connect = () => {
    const socket = new WebSocket(`ws://${location.host}/live?token=${encodeURIComponent(token)}`);
    socket.onopen = () => { wait = 250; tell('live', 'good'); };
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = () => {
      tell('disconnected', 'bad');
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, 5000);
    };
  };
  connect();
})();
