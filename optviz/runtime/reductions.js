// What goes along an axis of an array: sums, means, extremes, sorts.
import { Nd, cut, plain, product, raveled, room, toArray } from "./arrays.js";
import { Slice, ValueError_, def } from "./base.js";

// Numpy's order of additions, which decides the last digits of a sum.
function pairwise(x, from, n) {
  let sum = -0;
  if (n < 8) for (let i = 0; i < n; i++) sum += x[from + i];
  if (n < 8) return sum;
  if (n > 128) {
    const half = (n >> 1) - ((n >> 1) % 8);
    return pairwise(x, from, half) + pairwise(x, from + half, n - half);
  }
  let [a, b, c, d, e, f, g, h] = x.subarray(from, from + 8);
  const even = n - (n % 8);
  for (let i = from + 8; i < from + even; i += 8) {
    a += x[i]; b += x[i + 1]; c += x[i + 2]; d += x[i + 3];
    e += x[i + 4]; f += x[i + 5]; g += x[i + 6]; h += x[i + 7];
  }
  sum = a + b + (c + d) + (e + f + (g + h));
  for (let i = even; i < n; i++) sum += x[from + i];
  return sum;
}

// Calls visit(lane, place of its first element, step to the next) for each lane along an axis.
function lanes(a, axis, visit) {
  const n = a.shape[axis], step = product(a.shape.slice(axis + 1));
  const all = product(a.shape.slice(0, axis)) * step;
  for (let k = 0; k < all; k++) {
    const first = (k - (k % step)) * n + (k % step);
    const lane = step === 1 ? cut(a.data, first, first + n) : room(a.data, n);
    if (step !== 1) for (let i = 0; i < n; i++) lane[i] = a.data[first + i * step];
    visit(lane, first, step);
  }
}

// f(lane, contiguous) is the value of a lane.
export const reduction = (f, isBool = () => false) =>
  def(["a", "axis"], (x, axis = null) => {
    const a = axis === null ? raveled(x) : toArray(x), place = Slice.place(axis ?? 0, a.ndim), values = [];
    lanes(a, place, (lane, first, step) => values.push(f(lane, step === 1)));
    const shape = axis === null ? [] : a.shape.filter((_, i) => i !== place);
    return plain(new Nd(Float64Array.from(values), shape, isBool(a)));
  });
// f(lane) is the lane that stands in its stead.
export const scan = (f, usual, keepsBool = false) =>
  def(["a", "axis", "kind"], (x, axis = usual) => {
    const a = axis === null ? raveled(x) : toArray(x), out = room(a.data, a.size);
    lanes(a, Slice.place(axis ?? 0, a.ndim), (lane, first, step) => {
      const values = f(lane);
      if (step === 1 && out.set) out.set(values, first);
      else for (let i = 0; i < values.length; i++) out[first + i * step] = values[i];
    });
    return new Nd(out, a.shape, keepsBool && a.bool);
  });

export const totalOf = (lane, contiguous) => {
  if (lane.length === 0) return 0;
  return contiguous ? pairwise(lane, 0, lane.length) : lane.reduce((a, b) => a + b);
};
export const meanOf = (lane, contiguous) => totalOf(lane, contiguous) / lane.length;
export const varianceOf = (lane, contiguous) => {
  const mean = meanOf(lane, contiguous);
  return totalOf(lane.map((x) => (x - mean) * (x - mean)), contiguous) / lane.length;
};
const peakPlace = (ahead) => (lane) => {
  if (lane.length === 0) throw new ValueError_("an empty array has no largest or smallest element");
  let best = 0;
  for (let i = 1; i < lane.length && !Number.isNaN(lane[best]); i++) {
    if (ahead(lane[i], lane[best]) || Number.isNaN(lane[i])) best = i;
  }
  return best;
};
export const highest = peakPlace((a, b) => a > b);
export const lowest = peakPlace((a, b) => a < b);
export const maxOf = (lane) => lane[highest(lane)];
export const minOf = (lane) => lane[lowest(lane)];
export const medianOf = (lane) => {
  const sorted = lane.slice().sort(), n = lane.length, half = n >> 1;
  if (n === 0 || Number.isNaN(sorted[n - 1])) return NaN;
  return n % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
// f of the numbers of a lane that are not nan.
export const ofNumbers = (f) => (lane) => {
  const numbers = lane.filter((x) => !Number.isNaN(x));
  return numbers.length ? f(numbers) : NaN;
};
export const orderOf = (lane) => {
  if (lane.length > 1024 && !Array.isArray(lane)) return orderByDigits(lane);
  const order = (x, y) => Number.isNaN(x) - Number.isNaN(y) || (x > y) - (x < y);
  return Array.from(lane, (_, i) => i).sort((i, j) => order(lane[i], lane[j]));
};
// Where nan comes last: sorted by the 64 bits of each number, 16 at a time, in a tenth of a sort's time.
function orderByDigits(lane) {
  const halves = [new Uint32Array(lane.length), new Uint32Array(lane.length)], counts = new Uint32Array(65536);
  const one = new Float64Array(1), [low, high] = [halves[0], halves[1]], bits = new Uint32Array(one.buffer);
  for (let i = 0; i < lane.length; i++) {
    one[0] = lane[i] === lane[i] ? lane[i] + 0 : NaN;
    const flip = lane[i] === lane[i] ? bits[1] >> 31 : 0;
    low[i] = bits[0] ^ flip;
    high[i] = lane[i] === lane[i] ? bits[1] ^ (flip | 0x80000000) : 0xffffffff;
  }
  let order = new Uint32Array(lane.length).map((_, i) => i), next = new Uint32Array(lane.length);
  for (const [half, shift] of [[low, 0], [low, 16], [high, 0], [high, 16]]) {
    counts.fill(0);
    for (let i = 0; i < half.length; i++) counts[(half[i] >>> shift) & 65535]++;
    for (let digit = 0, before = 0; digit < 65536; digit++) {
      const count = counts[digit];
      counts[digit] = before;
      before += count;
    }
    for (let i = 0; i < half.length; i++) next[counts[(half[order[i]] >>> shift) & 65535]++] = order[i];
    [order, next] = [next, order];
  }
  return order;
}
export const cumulative = (f) => (lane) => {
  const out = lane.slice();
  for (let i = 1; i < out.length; i++) out[i] = f(out[i - 1], out[i]);
  return out;
};
