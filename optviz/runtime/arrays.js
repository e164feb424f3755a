// A small numpy: arrays of Float64Array (or Float32Array) in C order, or of a plain Array of other things.
// Here are the arrays themselves and their subscripts; operators are in elementwise.js, sums and sorts
// in reductions.js, the functions in numpy.js.
import { ELLIPSIS, IndexError_, Kw, Slice, ValueError_, numeric } from "./base.js";

export const product = (shape) => shape.reduce((a, b) => a * b, 1);
export const sameShape = (a, b) => a.length === b.length && a.every((n, i) => n === b[i]);
export const isIndex = (key) => key instanceof Nd || Array.isArray(key);
export const shapeOf = (given) => (given instanceof Nd ? given.tolist() : [].concat(given));
export const room = (like, size) => (Array.isArray(like) ? Array(size) : new Float64Array(size));
export const cut = (data, from, to) => (Array.isArray(data) ? data.slice(from, to) : data.subarray(from, to));
// A 0-d array is a number outside this file.
export const plain = (a) => (a.shape.length ? a : a.value(0));

export class Nd {
  constructor(data, shape, bool = false) {
    this.data = data;
    this.shape = shape;
    this.bool = bool;
  }

  static scalar(x) {
    return new Nd(numeric(x) ? Float64Array.of(x) : [x], [], typeof x === "boolean");
  }

  get size() { return this.data.length; }
  get ndim() { return this.shape.length; }
  get length() { return this.shape[0]; }
  get T() {
    const axes = this.shape.map((_, i) => this.ndim - 1 - i);
    return permuted(this, axes);
  }
  value(i) { return this.bool ? this.data[i] !== 0 : this.data[i]; }
  copy() { return plain(new Nd(this.data.slice(), this.shape, this.bool)); }
  tolist() { return this.rows().map((row) => (row instanceof Nd ? row.tolist() : row)); }
  [Symbol.iterator]() { return this.rows()[Symbol.iterator](); }

  item(i = 0) {
    if (arguments.length === 0 && this.size !== 1) throw new ValueError_("item() needs an array of size 1");
    return this.value(i);
  }

  truth() {
    if (this.size > 1) throw new ValueError_("the truth of an array of more than one element is ambiguous");
    return this.size === 1 && Boolean(this.value(0));
  }

  // Rows share memory with their array, as numpy's do.
  part(from, count) {
    const shape = this.shape.slice(1), step = product(shape), [i, j] = [from * step, (from + count) * step];
    return new Nd(cut(this.data, i, j), [count, ...shape], this.bool);
  }

  row(i) {
    return this.ndim === 1 ? this.value(i) : new Nd(this.part(i, 1).data, this.shape.slice(1), this.bool);
  }

  rows() {
    if (this.ndim === 1) return Array.from(this.data, this.bool ? Boolean : undefined);
    return Array.from({ length: this.length }, (_, i) => this.row(i));
  }

  getitem(key) {
    if (typeof key === "number") return this.row(Slice.place(key, this.length));
    const place = placeOf(this, key);
    if (place >= 0) return this.value(place);
    if (key instanceof Slice && (key.step ?? 1) === 1) return this.part(...key.bounds(this.length));
    if (Array.isArray(key) && typeof key[0] === "number" && key.length > 1 && this.ndim > 1) {
      if (!key.some(isIndex)) return this.getitem(key[0]).getitem(key.slice(1));
    }
    const { axes, shape, start } = located(this, key);
    return plain(new Nd(gathered(this.data, axes, start), shape, this.bool));
  }

  setitem(key, value) {
    const place = typeof value === "number" ? placeOf(this, key) : -1;
    if (place >= 0) {
      this.data[place] = value;
      return;
    }
    if (key instanceof Slice && this.fills(key, value)) {
      this.part(...key.bounds(this.length)).data.set(value.data);
      return;
    }
    const { axes, shape, start } = located(this, key), { data } = this;
    const given = this.bool ? asMask(value) : toArray(value);
    if (product(broadcast(given.shape, shape)) !== product(shape)) throw mismatch(given.shape, shape);
    let [from, step] = operand(given, shape);
    if (from.buffer && from.buffer === data.buffer) from = from.slice();
    runs(axes, start, (base, along, done) => {
      for (let i = 0; i < along.length; i++) data[base + along[i]] = from[(done + i) * step];
    });
  }

  // Whether a value has the numbers of all rows of a slice, in their order.
  fills(slice, value) {
    const [, count, step] = slice.bounds(this.length);
    const alike = value instanceof Nd && value.bool === this.bool && !Array.isArray(value.data) && !Array.isArray(this.data);
    return alike && step === 1 && sameShape(value.shape, [count, ...this.shape.slice(1)]);
  }

  reshape(...lengths) {
    const [given] = Kw.split(lengths), shape = given.length === 1 ? shapeOf(given[0]) : given;
    const known = product(shape.filter((n) => n !== -1));
    const full = shape.map((n) => (n === -1 ? this.size / known : n));
    if (product(full) !== this.size) throw mismatch(this.shape, shape);
    return new Nd(this.data, full, this.bool);
  }

}

export const mismatch = (...shapes) =>
  new ValueError_(`shapes do not match: ${shapes.map((shape) => `[${shape.join(", ")}]`).join(", ")}`);

const asMask = (value) => {
  const { data, shape } = toArray(value);
  return new Nd(Float64Array.from(data, (x) => (x !== 0 ? 1 : 0)), shape, true);
};

// Arrays of numbers, of arrays, of words; what is none of these is an array of itself, without axes.
export function toArray(x) {
  if (x instanceof Nd) return x;
  if (ArrayBuffer.isView(x)) return new Nd(Float64Array.from(x), [x.length]);
  if (!Array.isArray(x)) return Nd.scalar(x);
  const flat = [], shape = [];
  for (let part = x; isIndex(part); [part] = part) shape.push(part.length);
  const fill = (part, axis) => {
    const nested = isIndex(part), n = nested ? part.length : undefined;
    if (n !== shape[axis]) throw new ValueError_("the parts of an array differ in shape");
    if (nested) for (const inner of part) fill(inner, axis + 1);
    else flat.push(part);
  };
  fill(x, 0);
  const bool = flat.length > 0 && flat.every((v) => typeof v === "boolean");
  return new Nd(flat.every(numeric) ? Float64Array.from(flat) : flat, shape, bool);
}

export function broadcast(...shapes) {
  const out = Array(Math.max(...shapes.map((s) => s.length))).fill(1);
  for (const shape of shapes) {
    shape.forEach((n, i) => {
      const axis = out.length - shape.length + i;
      if (n !== 1 && out[axis] !== 1 && out[axis] !== n) throw mismatch(...shapes);
      if (n !== 1) out[axis] = n;
    });
  }
  return out;
}

function strides(shape) {
  const out = Array(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) out[i] = out[i + 1] * shape[i + 1];
  return out;
}

function offsets(count, stride, start = 0) {
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) out[i] = start + i * stride;
  return out;
}

// Visit what axes of offsets select, by runs along the last: visit(base, offsets, places before).
function runs(axes, start, visit) {
  const last = axes.length - 1;
  let done = 0;
  const walk = (axis, base) => {
    if (axis < last) for (const offset of axes[axis]) walk(axis + 1, base + offset);
    else {
      const along = last < 0 ? [0] : axes[last];
      visit(base, along, done);
      done += along.length;
    }
  };
  walk(0, start);
}

function gathered(data, axes, start = 0) {
  const out = room(data, product(axes.map((axis) => axis.length)));
  runs(axes, start, (base, along, done) => {
    for (let i = 0; i < along.length; i++) out[done + i] = data[base + along[i]];
  });
  return out;
}

// The data of an array stretched to a shape.
export function stretched(a, shape) {
  if (a.size === product(shape)) return a.data;
  const steps = strides(a.shape), added = shape.length - a.ndim;
  const step = (axis) => (axis < 0 || a.shape[axis] === 1 ? 0 : steps[axis]);
  return gathered(a.data, shape.map((n, i) => offsets(n, step(i - added))));
}

// [data, step] of an operand of that shape; one element alone is read again and again.
export const operand = (a, shape) => (a.size === 1 ? [a.data, 0] : [stretched(a, shape), 1]);

// A key with its ellipsis spelled out, and masks as the places of what they keep.
function spelled(a, key) {
  const parts = Array.isArray(key) ? key : [key];
  const keys = parts.map((part) => (Array.isArray(part) ? toArray(part) : part));
  const width = (part) => (part === null || part === ELLIPSIS ? 0 : part.bool ? part.ndim : 1);
  const missing = keys.reduce((rest, part) => rest - width(part), a.ndim);
  if (missing < 0) throw new IndexError_("too many indices for the array");
  const full = Array(missing).fill(new Slice()), dots = keys.indexOf(ELLIPSIS);
  keys.splice(dots < 0 ? keys.length : dots, 0, ...full);
  let axis = 0;
  return keys.flatMap((part) => {
    const masked = a.shape.slice(axis, (axis += width(part)));
    if (!part?.bool) return [part];
    if (!sameShape(part.shape, masked)) throw new IndexError_("a mask has another shape than its array");
    return nonzero(part);
  });
}

// The place in data of the one element that a key of numbers names, or -1 for other keys.
function placeOf(a, key) {
  if (typeof key === "number" && a.ndim === 1) return Slice.place(key, a.shape[0]);
  if (!Array.isArray(key) || key.length !== a.ndim) return -1;
  let place = 0;
  for (let i = 0; i < key.length; i++) {
    if (typeof key[i] !== "number") return -1;
    place = place * a.shape[i] + Slice.place(key[i], a.shape[i]);
  }
  return place;
}

// Where a key leads: the offsets of each axis of the result, its shape, and the place of its start.
function located(a, key) {
  if (key instanceof Nd && key.bool && sameShape(key.shape, a.shape)) {
    const kept = new Int32Array(flatnonzero(key).data);
    return { axes: [kept], shape: [kept.length], start: 0 };
  }
  const keys = spelled(a, key), steps = strides(a.shape), fancy = keys.some((part) => part instanceof Nd);
  const axes = [], lengths = [], indices = [];
  let start = 0, axis = 0, place = -1, latest = -1;
  keys.forEach((part, i) => {
    if (part === ELLIPSIS) return; // spelled out, but it parts what stands beside it
    const n = part === null ? 1 : a.shape[axis], step = part === null ? 0 : steps[axis++];
    if (part === null || part instanceof Slice) {
      const [from, count, by] = part === null ? [0, 1, 1] : part.bounds(n);
      axes.push(offsets(count, by * step, from * step));
      lengths.push([count]);
    } else if (fancy) {
      indices.push([toArray(part), n, step]);
      place = place < 0 ? axes.length : latest === i - 1 ? place : 0; // apart, they come first
      latest = i;
    } else start += Slice.place(part, n) * step;
  });
  if (fancy) {
    const shape = broadcast(...indices.map(([index]) => index.shape));
    const sums = new Int32Array(product(shape));
    for (const [index, n, step] of indices) {
      const [data, by] = operand(index, shape);
      for (let i = 0; i < sums.length; i++) sums[i] += Slice.place(data[i * by], n) * step;
    }
    axes.splice(place, 0, sums);
    lengths.splice(place, 0, shape);
  }
  return { axes, shape: lengths.flat(), start };
}

export function permuted(a, axes) {
  const steps = strides(a.shape), ways = axes.map((axis) => offsets(a.shape[axis], steps[axis]));
  return plain(new Nd(gathered(a.data, ways), axes.map((axis) => a.shape[axis]), a.bool));
}

// The places of what is not 0, counted through, and along each axis.
export function flatnonzero(x) {
  const { data } = toArray(x), places = new Float64Array(data.length);
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) places[count++] = i;
  return new Nd(places.slice(0, count), [count]);
}

function nonzero(mask) {
  const { shape } = mask, { data, size } = flatnonzero(mask);
  const places = (step, n) => data.map((k) => Math.floor(k / step) % n);
  return strides(shape).map((step, i) => new Nd(places(step, shape[i]), [size]));
}

export const raveled = (x) => toArray(x).reshape(-1);
