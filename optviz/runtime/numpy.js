// numpy's functions, those that pages ask for: `np` and the methods of arrays are all that a printed method may use.
import {
  Nd, broadcast, flatnonzero, isIndex, mismatch, operand, permuted, plain, product, raveled, room, sameShape, shapeOf,
  stretched, toArray,
} from "./arrays.js";
import { Slice, def } from "./base.js";
import { py } from "./builtins.js";
import { arrayOp, choose, deal, eachElement, simple } from "./elementwise.js";
import { iter, op } from "./operators.js";
import { random } from "./random.js";
import {
  cumulative, highest, lowest, maxOf, meanOf, medianOf, minOf, ofNumbers, orderOf, reduction, scan, totalOf, varianceOf,
} from "./reductions.js";

const float32 = (x) => typed(x, float32);

const number = (v) => (typeof v === "string" ? py.float(v) : v ?? NaN);

// An array of a type: float, float32, int or bool; of others it stays what it is.
function typed(x, type) {
  const a = toArray(x);
  if (![py.float, py.int, py.bool, float32].includes(type)) return plain(a);
  if (type === py.float && !a.bool && a.data instanceof Float64Array) return plain(a);
  if (type === float32) return plain(new Nd(Float32Array.from(a.data, number), a.shape));
  const bool = type === py.bool, changed = bool ? (v) => (v !== 0 ? 1 : 0) : type === py.int ? Math.trunc : (v) => v;
  return plain(new Nd(Float64Array.from(a.data, (v) => changed(number(v))), a.shape, bool));
}

const filled = (shape, value, type) => {
  const lengths = shapeOf(shape), { data, bool } = Nd.scalar(value);
  return typed(new Nd(room(data, product(lengths)).fill(data[0]), lengths, bool), type);
};
const constant = (value) => def(["shape", "dtype"], (shape, type) => filled(shape, value, type));
const along = (a, axis, key) => a.getitem([...Array(axis).fill(new Slice()), key]);
const binary = (name) => (a, b) => arrayOp(name, a, b);
const expanded = (x, axis) => {
  const a = toArray(x), place = Slice.place(axis, a.ndim + 1);
  return a.reshape(a.shape.slice(0, place).concat(1, a.shape.slice(place)));
};
const broadcastTo = (a, shape) => {
  if (!sameShape(broadcast(a.shape, shape), shape)) throw mismatch(a.shape, shape);
  return new Nd(stretched(a, shape).slice(), shape, a.bool);
};
const spaced = (start, stop, num) => {
  const step = (stop - start) / Math.max(1, num - 1), out = new Float64Array(num);
  for (let i = 0; i < num; i++) out[i] = i * step + start;
  if (num > 1) out[num - 1] = stop;
  return new Nd(out, [num]);
};

export const np = {
  inf: Infinity,
  nan: NaN,
  float32,
  random,
  finfo: (type) => (type === float32 ? { max: 3.4028234663852886e38 } : { max: Number.MAX_VALUE }),

  array: def(["object", "dtype"], (x, type) => typed(x instanceof Nd ? x.copy() : x, type)),
  asarray: def(["a", "dtype"], typed),
  zeros: constant(0),
  ones: constant(1),
  empty: constant(0),
  full: def(["shape", "fill_value", "dtype"], filled),
  arange: def(["start", "stop", "step", "dtype"], (first, last, step = 1, type = null) => {
    const [start, stop] = (last ?? null) === null ? [0, first] : [first, last];
    const delta = start + step - start; // rounded as numpy's
    const out = new Float64Array(Math.max(0, Math.ceil((stop - start) / step)));
    for (let i = 0; i < out.length; i++) out[i] = i === 1 ? start + step : start + i * delta;
    return typed(new Nd(out, [out.length]), type);
  }),
  linspace: def(["start", "stop", "num"], (start, stop, num = 50) => spaced(start, stop, num)),
  geomspace: def(["start", "stop", "num"], (start, stop, num = 50) => {
    const side = Math.sign(start), [a, b] = [start * side, stop * side];
    const { data, shape } = op.pow(10, spaced(Math.log10(a), Math.log10(b), num));
    if (data.length > 0) data[0] = a;
    if (data.length > 1) data[data.length - 1] = b;
    return new Nd(data.map((x) => x * side), shape);
  }),

  sin: eachElement(Math.sin),
  cos: eachElement(Math.cos),
  tanh: eachElement(Math.tanh),
  log10: eachElement(Math.log10, false, simple.log10),
  sqrt: eachElement(Math.sqrt, false, simple.sqrt),
  abs: eachElement(Math.abs, false, simple.abs),
  floor: eachElement(Math.floor),
  ceil: eachElement(Math.ceil),
  isfinite: eachElement(Number.isFinite, true, simple.isfinite),
  isnan: eachElement(Number.isNaN, true, simple.isnan),
  isinf: eachElement((x) => x === Infinity || x === -Infinity, true),
  maximum: binary("max"),
  minimum: binary("min"),
  hypot: binary("hypot"),
  power: binary("pow"),
  less_equal: op.le,
  clip: def(["a", "a_min", "a_max"], (x, low, high) => {
    const above = low === null ? x : np.maximum(x, low);
    return high === null ? above : np.minimum(above, high);
  }),
  where: (condition, x, y) => {
    const parts = [condition, x, y].map(toArray), shape = broadcast(...parts.map((part) => part.shape));
    const [[m, s], [a, p], [b, q]] = parts.map((part) => operand(part, shape));
    const out = room(Array.isArray(a) ? a : b, product(shape));
    choose(out, m, s, a, p, b, q);
    return plain(new Nd(out, shape, parts[1].bool && parts[2].bool));
  },

  sum: reduction(totalOf),
  mean: reduction(meanOf),
  min: reduction(minOf, (a) => a.bool),
  max: reduction(maxOf, (a) => a.bool),
  ptp: reduction((lane) => maxOf(lane) - minOf(lane)),
  any: reduction((lane) => lane.some((x) => x !== 0), () => true),
  argmin: reduction(lowest),
  argmax: reduction(highest),
  nanmin: reduction(ofNumbers(minOf)),
  nanmax: reduction(ofNumbers(maxOf)),
  median: reduction(medianOf),
  count_nonzero: reduction((lane) => lane.filter((x) => x !== 0).length),
  cumsum: scan(cumulative((a, b) => a + b), null),
  sort: scan((lane) => lane.slice().sort(), -1, true),
  argsort: scan(orderOf, -1),

  ndim: (x) => toArray(x).ndim,
  concatenate: def(["arrays", "axis"], (given, axis = 0) => {
    const arrays = iter(given).map(toArray), place = Slice.place(axis, arrays[0].ndim), shape = [...arrays[0].shape];
    const bare = arrays.map((a) => a.shape.map((n, i) => (i === place ? 1 : n)));
    if (!bare.every((other) => sameShape(other, bare[0]))) throw mismatch(...arrays.map((a) => a.shape));
    shape[place] = arrays.reduce((sum, a) => sum + a.shape[place], 0);
    const out = room(arrays.find((a) => Array.isArray(a.data))?.data ?? arrays[0].data, product(shape));
    const step = product(shape.slice(place));
    let start = 0;
    for (const part of arrays) {
      const size = product(part.shape.slice(place));
      deal(out, start, step, part.data, size);
      start += size;
    }
    return new Nd(out, shape, arrays.every((a) => a.bool));
  }),
  stack: def(["arrays", "axis"], (arrays, axis = 0) =>
    np.concatenate(iter(arrays).map((x) => expanded(x, axis)), axis)),
  tile: def(["A", "reps"], (x, reps) => {
    const a = toArray(x), ndim = Math.max(a.ndim, shapeOf(reps).length);
    const widen = (lengths) => [...Array(ndim - lengths.length).fill(1), ...lengths];
    const [shape, counts] = [widen(a.shape), widen(shapeOf(reps))];
    const apart = a.reshape(shape.flatMap((n) => [1, n]));
    const spread = broadcastTo(apart, shape.flatMap((n, i) => [counts[i], n]));
    return spread.reshape(shape.map((n, i) => n * counts[i]));
  }),
  repeat: def(["a", "repeats"], (x, repeats) => {
    const a = raveled(x), counts = isIndex(repeats) ? iter(repeats) : Array(a.size).fill(repeats);
    return along(a, 0, toArray(counts.flatMap((count, i) => Array(count).fill(i))));
  }),
  meshgrid: def([], (...given) => {
    const parts = given.map(raveled), swap = (i) => (i < 2 && parts.length > 1 ? 1 - i : i);
    const shape = parts.map((_, i) => parts[swap(i)].size);
    const upright = (part, axis) => part.reshape(shape.map((_, j) => (j === axis ? -1 : 1)));
    return parts.map((part, i) => broadcastTo(upright(part, swap(i)), shape));
  }),
  flatnonzero,
};

const swapaxes = (x, a, b) => {
  const axes = x.shape.map((_, i) => i), [i, j] = [a, b].map((axis) => Slice.place(axis, x.ndim));
  [axes[i], axes[j]] = [j, i];
  return permuted(x, axes);
};

// The methods of arrays.
export const ARRAYS = {
  all: reduction((lane) => lane.every((x) => x !== 0), () => true),
  any: np.any,
  copy: (x) => x.copy(),
  max: np.max,
  mean: np.mean,
  min: np.min,
  ravel: raveled,
  reshape: (x, ...shape) => x.reshape(...shape),
  std: reduction((lane, contiguous) => Math.sqrt(varianceOf(lane, contiguous))),
  sum: np.sum,
  swapaxes,
  tolist: (x) => x.tolist(),
};
for (const [name, f] of Object.entries(ARRAYS)) {
  Nd.prototype[name] ??= function (...args) {
    return f(this, ...args);
  };
}
