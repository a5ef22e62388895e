'use strict';
// A map drawn cell by cell: the last two axes, or one axis as a band.
(() => {
  const MOST = 60000; // cells drawn one by one

  class Plane {
    constructor(canvas) {
      this.canvas = canvas;
      this.context = canvas.getContext('2d');
    }

    // `view` is [top, left, bottom, right] in cells, past the ends of the map where padding is shown.
    layout(rows, columns, view, room, tall) {
      this.rows = rows;
      this.columns = columns;
      this.view = view;
      const [top, left, bottom, right] = view;
      this.cell = Math.min(room / (right - left), tall / (bottom - top), 52);
      const band = rows === 1 && bottom - top === 1 ? Math.max(this.cell, Math.min(48, room / 4)) : this.cell;
      this.high = band;
      const scale = devicePixelRatio || 1;
      const [width, height] = [Math.max(12, this.cell * (right - left)), Math.max(12, band * (bottom - top))];
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      this.context.setTransform(scale, 0, 0, scale, 0, 0);
      this.context.clearRect(0, 0, width, height);
    }

    x(column) { return (column - this.view[1]) * this.cell; }
    y(row) { return (row - this.view[0]) * this.high; }

    // The cell under the pointer, inside the map.
    at(event) {
      const box = this.canvas.getBoundingClientRect();
      const row = Math.floor((event.clientY - box.top) / this.high + this.view[0]);
      const column = Math.floor((event.clientX - box.left) / this.cell + this.view[1]);
      const within = (value, size) => Math.max(0, Math.min(size - 1, value));
      return [within(row, this.rows), within(column, this.columns)];
    }

    ground(picture) {
      const { context } = this;
      const box = [this.x(0), this.y(0), this.columns * this.cell, this.rows * this.high];
      context.fillStyle = archspec.colour('--map');
      context.fillRect(...box);
      if (picture) {
        context.imageSmoothingEnabled = true;
        context.drawImage(picture, ...box);
      }
      if (this.cell >= 5) this.grid(box);
      context.setLineDash([]);
      context.strokeStyle = archspec.colour('--map-edge');
      context.lineWidth = 1;
      context.strokeRect(box[0] + 0.5, box[1] + 0.5, box[2] - 1, box[3] - 1);
    }

    grid([left, top, width, height]) {
      const { context } = this;
      context.beginPath();
      for (let column = 1; column < this.columns; column++) {
        const x = Math.round(this.x(column)) + 0.5;
        context.moveTo(x, top);
        context.lineTo(x, top + height);
      }
      for (let row = 1; row < this.rows; row++) {
        const y = Math.round(this.y(row)) + 0.5;
        context.moveTo(left, y);
        context.lineTo(left + width, y);
      }
      context.strokeStyle = archspec.colour('--map-grid');
      context.lineWidth = 1;
      context.stroke();
    }

    // All combinations of runs along both axes.
    fill(rows, columns, colour) {
      const { context } = this;
      context.fillStyle = archspec.colour(colour);
      const gap = this.cell >= 5 ? 0.5 : 0;
      const all = rows.length * columns.length > MOST;
      const ends = (runs) => (all ? [archspec.span(runs)] : runs);
      for (const [top, bottom] of ends(rows)) {
        for (const [left, right] of ends(columns)) {
          const [x, y] = [this.x(left), this.y(top)];
          context.fillRect(x + gap, y + gap, this.x(right + 1) - x - gap, this.y(bottom + 1) - y - gap);
        }
      }
    }

    outline(rows, columns, colour, dashed) {
      const [top, bottom] = archspec.span(rows) ?? [0, -1];
      const [left, right] = archspec.span(columns) ?? [0, -1];
      if (bottom < top || right < left) return;
      const { context } = this;
      context.strokeStyle = archspec.colour(colour);
      context.lineWidth = dashed ? 1.5 : 2;
      context.setLineDash(dashed ? [5, 4] : []);
      const inset = context.lineWidth / 2;
      const [x, y] = [this.x(left) + inset, this.y(top) + inset];
      context.strokeRect(x, y, this.x(right + 1) - inset - x, this.y(bottom + 1) - inset - y);
      context.setLineDash([]);
    }
  }
  archspec.Plane = Plane;
})();
