// The page's own draws, not numpy's: sfc32 (Doty-Humphrey's PractRand) with its state filled from
// the seed by a splitmix32 (Steele, Lea, Flood 2014); normals by Box and Muller.
import { Nd } from "./arrays.js";
import { def } from "./base.js";
import { filled, isNumber } from "./descent.js";

export class PageRandom {
  constructor(seed = 0) {
    let word = seed | 0;
    const mixed = () => {
      word = (word + 0x9e3779b9) | 0;
      let z = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    [this.a, this.b, this.c, this.count] = [mixed(), mixed(), mixed(), mixed()];
    for (let i = 0; i < 12; i++) this.bits();
  }

  // 32 random bits.
  bits() {
    const out = (this.a + this.b + this.count) | 0;
    this.count = (this.count + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + out) | 0;
    return out >>> 0;
  }

  // A number in [0, 1), of 53 random bits.
  random() {
    return ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
  }

  // An array of draws, or a single one.
  draws(shape, draw) {
    const out = filled(shape === null ? [] : isNumber(shape) ? [shape] : [...shape]);
    for (let i = 0; i < out.data.length; i++) out.data[i] = draw();
    return shape === null ? out.data[0] : out;
  }

  standard_normal(shape = null) {
    const radius = () => Math.sqrt(-2 * Math.log(1 - this.random()));
    return this.draws(shape, () => radius() * Math.cos(2 * Math.PI * this.random()));
  }

  uniform(low = 0, high = 1, shape = null) {
    return this.draws(shape, () => low + (high - low) * this.random());
  }

  // Whole numbers from low up to, and without, high.
  integers(low, high, shape = null) {
    return this.draws(shape, () => low + Math.floor((high - low) * this.random()));
  }

  // 0, 1, ..., n - 1 in random order.
  permutation(n) {
    const order = Float64Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integers(0, i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return new Nd(order, [n]);
  }
}

// Draws of the seeds that the page was saved with are Python's; others are the page's own.
export const tape = new Map();

export const taped = () => new Set([...tape.keys()].map((key) => key.split("|")[0]));

export function generator(seed) {
  const own = new PageRandom(seed);
  let count = 0;
  const draw = (method) => def(["loc", "scale", "size"], (...args) => {
    const key = `${seed}|${count++}|${method}|${JSON.stringify(args)}`;
    return tape.has(key) ? tape.get(key).copy() : own[method](...args);
  });
  return Object.fromEntries(["standard_normal", "uniform", "permutation", "integers"].map((name) => [name, draw(name)]));
}
