// Operators and functions of arrays, element by element.
import { Nd, broadcast, mismatch, operand, plain, product, toArray } from "./arrays.js";
import { floordiv, mod, pow } from "./base.js";

// Operators on data of any length: operands of step 0 are one number.
const loops = {
  add(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] + b[i * q]; },
  sub(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] - b[i * q]; },
  mul(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] * b[i * q]; },
  div(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] / b[i * q]; },
  and_(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] & b[i * q]; },
  or_(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] | b[i * q]; },
  lt(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] < b[i * q] ? 1 : 0; },
  le(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] <= b[i * q] ? 1 : 0; },
  gt(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] > b[i * q] ? 1 : 0; },
  ge(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] >= b[i * q] ? 1 : 0; },
  eq(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] === b[i * q] ? 1 : 0; },
  ne(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] !== b[i * q] ? 1 : 0; },
  max(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = Math.max(a[i * p], b[i * q]); },
  min(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = Math.min(a[i * p], b[i * q]); },
  // Math.hypot is many times slower, and needed only where squares overflow or vanish
  hypot(out, a, p, b, q) {
    for (let i = 0; i < out.length; i++) {
      const square = a[i * p] * a[i * p] + b[i * q] * b[i * q];
      out[i] = square > 1e-290 && square < 1e290 ? Math.sqrt(square) : Math.hypot(a[i * p], b[i * q]);
    }
  },
};
export function choose(out, m, s, a, p, b, q) {
  for (let i = 0; i < out.length; i++) out[i] = m[i * s] !== 0 ? a[i * p] : b[i * q];
}
export function deal(out, start, step, data, size) {
  for (let i = 0, to = start; i < data.length; to += step - size) {
    for (const end = i + size; i < end; ) out[to++] = data[i++];
  }
}
export const simple = {
  sqrt(out, a) { for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(a[i]); },
  log10(out, a) { for (let i = 0; i < out.length; i++) out[i] = Math.log10(a[i]); },
  abs(out, a) { for (let i = 0; i < out.length; i++) out[i] = Math.abs(a[i]); },
  neg(out, a) { for (let i = 0; i < out.length; i++) out[i] = -a[i]; },
  isfinite(out, a) { for (let i = 0; i < out.length; i++) out[i] = a[i] - a[i] === 0 ? 1 : 0; },
  isnan(out, a) { for (let i = 0; i < out.length; i++) out[i] = a[i] !== a[i] ? 1 : 0; },
};
const eachPair = (f) => (out, a, p, b, q) => {
  for (let i = 0; i < out.length; i++) out[i] = f(a[i * p], b[i * q]);
};
export const eachElement = (f, bool = false, loop = null) => (x) => {
  if (typeof x === "number") return f(x);
  const { data, shape } = toArray(x), out = new Float64Array(data.length);
  if (loop) loop(out, data);
  else for (let i = 0; i < out.length; i++) out[i] = f(data[i]);
  return plain(new Nd(out, shape, bool));
};
Object.assign(loops, { floordiv: eachPair(floordiv), mod: eachPair(mod), pow: eachPair(pow) });
const BOOLEAN = new Set(["lt", "le", "gt", "ge", "eq", "ne"]);
const OF_MASKS = { and_: "and_", or_: "or_", add: "or_", mul: "and_", max: "or_", min: "and_" };
const FAST_POWERS = new Map([
  [2, (x) => arrayOp("mul", x, x)],
  [0.5, eachElement(Math.sqrt, false, simple.sqrt)],
  [-1, (x) => arrayOp("div", 1, x)],
]);

function paired(a, b, loop, bool) {
  const shape = broadcast(a.shape, b.shape), out = new Float64Array(product(shape));
  const [p, s] = operand(a, shape), [q, t] = operand(b, shape);
  loop(out, p, s, q, t);
  return plain(new Nd(out, shape, bool));
}

// `single` is the operator on one element, for arrays of other things than numbers.
export function arrayOp(name, left, right, single) {
  const a = toArray(left), b = toArray(right), masks = a.bool && b.bool && name in OF_MASKS;
  if (Array.isArray(a.data) || Array.isArray(b.data)) return objectOp(name, a, b, single);
  if (name === "pow" && b.ndim === 0 && FAST_POWERS.has(b.data[0])) return FAST_POWERS.get(b.data[0])(a);
  return paired(a, b, loops[masks ? OF_MASKS[name] : name], masks || BOOLEAN.has(name));
}

function objectOp(name, a, b, single) {
  const shape = broadcast(a.shape, b.shape), [p, s] = operand(a, shape), [q, t] = operand(b, shape);
  const found = Array.from({ length: product(shape) }, (_, i) => single(p[i * s], q[i * t]));
  const bool = BOOLEAN.has(name);
  return plain(new Nd(bool ? Float64Array.from(found) : found, shape, bool));
}

export function arrayUnary(name, a) {
  if (name === "invert" && a.bool) return new Nd(a.data.map((x) => 1 - x), a.shape, true);
  return eachElement((x) => -x - 1, false, name === "neg" ? simple.neg : null)(a);
}

// Of matrices and vectors.
export function matmul(x, y) {
  const a = toArray(x), b = toArray(y), n = a.shape[a.ndim - 1], columns = b.ndim === 2 ? b.shape[1] : 1;
  if (a.ndim > 2 || b.ndim > 2 || n !== b.shape[0]) throw mismatch(a.shape, b.shape);
  const shape = [...a.shape.slice(0, -1), ...b.shape.slice(1)], out = new Float64Array(product(shape));
  for (let k = 0; k < out.length; k++) {
    const row = Math.floor(k / columns) * n, column = k % columns;
    for (let i = 0; i < n; i++) out[k] += a.data[row + i] * b.data[i * columns + column];
  }
  return plain(new Nd(out, shape));
}
