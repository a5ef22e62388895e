'use strict';
// The tree of rows: which are open, which are seen, in which order.
(() => {
  const collator = new Intl.Collator('en', { numeric: true });

  // The number that a text starts with, decimal or a fraction; NaN where it starts otherwise.
  const number = (text) => {
    const [, above, below] = /^(-?[\d.]+)(?:\/(\d+))?/.exec(text) ?? [];
    return Number(above) / Number(below ?? 1);
  };

  class Rows {
    constructor(table) {
      this.table = table;
      this.count = table.levels.length;
      this.columns = new Map(table.columns.map((column) => [column.name, column]));
      this.parents = this.#parents();
      this.open = new Set();
      this.order = null; // { name, down }
      this.words = '';
      this.ends = this.#ends();
      this.positions = this.#positions();
    }

    #parents() {
      const stack = [];
      return this.table.levels.map((level, row) => {
        stack.length = level - 1;
        stack.push(row);
        return level > 1 ? stack[level - 2] : -1;
      });
    }

    // The row behind the last one that a row holds.
    #ends() {
      const ends = new Array(this.count).fill(0).map((_, row) => row + 1);
      for (let row = this.count - 1; row >= 0; row--) {
        const parent = this.parents[row];
        if (parent >= 0) ends[parent] = Math.max(ends[parent], ends[row]);
      }
      return ends;
    }

    // Of every row its place among its siblings, and how many there are.
    #positions() {
      const counts = new Map();
      const places = this.parents.map((parent) => {
        counts.set(parent, (counts.get(parent) ?? 0) + 1);
        return counts.get(parent);
      });
      return places.map((place, row) => [place, counts.get(this.parents[row])]);
    }

    isGroup(row) { return this.table.kinds[row] !== 'layer'; }
    label(row) { return this.table.labels[row]; }
    path(row) { return this.table.paths.entries[this.table.paths.cells[row]]; }
    entry(row, name) { const column = this.columns.get(name); return column.entries[column.cells[row]]; }
    value(row, name) { return this.entry(row, name)[1]; }
    nodes(row) { return archspec.spread([[this.table.firsts[row], this.table.lasts[row]]]); }
    get deepest() { return Math.max(...this.table.levels); }

    // Opens what lies above a depth and folds what lies below; the deepest one shows every layer.
    foldTo(depth) {
      this.open.clear();
      for (let row = 0; row < this.count; row++) {
        if (this.isGroup(row) && this.table.levels[row] < depth) this.open.add(row);
      }
    }

    openAbove(row) {
      for (let above = this.parents[row]; above >= 0; above = this.parents[above]) this.open.add(above);
    }

    leaf(node) { // the row of a layer
      const { firsts, kinds } = this.table;
      this.leaves ??= new Map(kinds.flatMap((kind, row) => (kind === 'layer' ? [[firsts[row], row]] : [])));
      return this.leaves.get(node);
    }

    #matching() {
      const words = this.words.toLowerCase().split(/\s+/).filter(Boolean);
      const found = new Set();
      const names = [];
      for (let row = 0; row < this.count; row++) {
        names[row] = `${names[this.parents[row]] ?? ''} ${this.label(row)}`; // what a group is called finds what it holds
        const text = `${names[row]} ${this.path(row)} ${this.value(row, 'activations')}`.toLowerCase();
        if (words.every((word) => text.includes(word))) {
          for (let at = row; at >= 0 && !found.has(at); at = this.parents[at]) found.add(at);
        }
      }
      return found;
    }

    // The rows that are seen. Sorted ones are those without what lies above them: folded groups and layers, all alike.
    seen() {
      const matching = this.words ? this.#matching() : null;
      const found = [];
      for (let row = 0; row < this.count;) {
        const shown = !matching || matching.has(row);
        const opened = this.isGroup(row) && (matching || this.open.has(row));
        if (shown && !(this.order && opened)) found.push(row);
        row = opened || !this.isGroup(row) ? row + 1 : this.ends[row];
      }
      if (!this.order) return found;
      const { name, down } = this.order;
      const key = (row) => (name === 'layer' ? this.label(row) : this.value(row, name));
      const compare = (a, b) => (typeof a === 'number' ? a - b : number(a) - number(b) || collator.compare(a, b));
      return found.sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b)) || a - b);
    }
  }
  archspec.Rows = Rows;
})();
