'use strict';
// Panning and zooming of an SVG by its viewBox: drag, wheel, pinch-like wheel with ctrl, keys.
(() => {
  class Viewport {
    constructor(svg, frame) {
      this.svg = svg;
      this.frame = frame;
      const [x, y, width, height] = svg.getAttribute('viewBox').split(/[\s,]+/).map(Number);
      this.whole = { x, y, width, height };
      svg.removeAttribute('width');
      svg.removeAttribute('height');
      svg.setAttribute('preserveAspectRatio', 'xMidYMid meet');
      this.fit();
    }

    // The whole drawing; of a long one its top, at a size that can be read.
    fit(readable = true) {
      const { width, height } = this.frame.getBoundingClientRect();
      const ratio = width && height ? width / height : 1;
      const { whole } = this;
      let wide = Math.max(whole.width, whole.height * ratio) * 1.04;
      const most = Math.max(width * 1.15, whole.width * 1.04);
      const cut = readable && wide > most;
      if (cut) wide = most;
      const high = wide / ratio;
      const middle = whole.y + whole.height / 2 - high / 2;
      const top = cut && whole.height >= high ? whole.y - high * 0.02 : middle;
      this.box = { x: whole.x + whole.width / 2 - wide / 2, y: top, width: wide, height: high };
      this.draw();
    }

    // What was looked at in a drawing before this one, where this one has something there.
    keep(box) {
      const { whole } = this;
      const meets = (at, size) => box[at] < whole[at] + whole[size] && whole[at] < box[at] + box[size];
      if (!meets('x', 'width') || !meets('y', 'height')) return;
      this.box = box;
      this.draw();
    }

    draw({ x, y, width, height } = this.box) {
      this.svg.setAttribute('viewBox', `${x} ${y} ${width} ${height}`);
    }

    point(event) {
      const frame = this.frame.getBoundingClientRect();
      return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
    }

    zoom(factor, [px, py] = [0.5, 0.5]) {
      const { box, whole } = this;
      const wide = Math.min(Math.max(box.width / factor, 60), Math.max(whole.width, whole.height) * 4);
      const scale = wide / box.width;
      this.box = {
        x: box.x + (1 - scale) * box.width * px, y: box.y + (1 - scale) * box.height * py,
        width: wide, height: box.height * scale,
      };
      this.draw();
    }

    pan(right, down) { // as shares of what is seen
      this.box.x += right * this.box.width;
      this.box.y += down * this.box.height;
      this.draw();
    }

    // Moves so that a part of the drawing is seen.
    show(element) {
      const inner = element.getBoundingClientRect();
      const outer = this.frame.getBoundingClientRect();
      if (!outer.width) return;
      const right = (inner.left + inner.width / 2 - outer.left) / outer.width;
      const down = (inner.top + inner.height / 2 - outer.top) / outer.height;
      if (right < 0.1 || right > 0.9 || down < 0.1 || down > 0.9) this.pan(right - 0.5, down - 0.5);
    }

    listen() {
      let from = null;
      const { frame } = this;
      frame.onpointerdown = ({ button, clientX: x, clientY: y }) => {
        if (button === 0) from = { x, y, moved: false };
      };
      frame.onpointermove = (event) => {
        if (!from) return;
        const { width, height } = frame.getBoundingClientRect();
        const [right, down] = [event.clientX - from.x, event.clientY - from.y];
        if (!from.moved && Math.hypot(right, down) < 4) return;
        if (!from.moved) frame.setPointerCapture(event.pointerId);
        frame.classList.add('dragging');
        this.pan(-right / width, -down / height);
        from = { x: event.clientX, y: event.clientY, moved: true };
      };
      frame.onpointerup = frame.onpointercancel = () => {
        this.dragged = from?.moved ?? false;
        from = null;
        frame.classList.remove('dragging');
      };
      frame.onwheel = (event) => {
        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)), this.point(event));
      };
    }
  }
  archspec.Viewport = Viewport;
})();
