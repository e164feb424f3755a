// numpy's default generator: from a seed the page draws what Python draws (numpy's _generator.pyx).
import { Nd, product, shapeOf } from "./arrays.js";
import { ValueError_, def } from "./base.js";
import { PCG64, lower, upper } from "./pcg64.js";
import { normal } from "./ziggurat.js";

// One draw, or an array of them.
function drawn(size, draw) {
  if (size === null) return draw();
  const shape = shapeOf(size), out = new Float64Array(product(shape));
  for (let i = 0; i < out.length; i++) out[i] = draw();
  return new Nd(out, shape);
}

// A whole number below `count` (Lemire 2019): products that would favour some numbers are drawn again.
function below(bits, count) {
  if (count === 1) return 0;
  if (count > 2 ** 32) return belowLarge(bits, BigInt(count));
  const uneven = (2 ** 32 - count) % count;
  let word;
  do word = bits.word(); while (lower(word, count) < uneven);
  return upper(word, count);
}

function belowLarge(bits, count) {
  const uneven = (2n ** 64n - count) % count;
  let scaled;
  do {
    bits.next();
    scaled = BigInt.asUintN(64, (BigInt(bits.high) << 32n) | BigInt(bits.low >>> 0)) * count;
  } while (BigInt.asUintN(64, scaled) < uneven);
  return Number(scaled >> 64n);
}

class Generator {
  constructor(seed) { this.bits = new PCG64(seed); }

  random(size = null) { return drawn(size, () => this.bits.unit()); }

  uniform(low = 0, high = 1, size = null) { return drawn(size, () => low + (high - low) * this.bits.unit()); }

  standard_normal(size = null) { return drawn(size, () => normal(this.bits)); }

  // Whole numbers from low up to, and without, high.
  integers(low, high = null, size = null) {
    const [from, to] = high === null ? [0, low] : [low, high];
    if (from >= to) throw new ValueError_(`integers needs low < high, not ${from} and ${to}`);
    return drawn(size, () => from + below(this.bits, to - from));
  }

  // 0, 1, ..., n - 1 in random order.
  permutation(n) {
    const order = Float64Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const ones = -1 >>> Math.clz32(i); // numpy shuffles by as many bits as i has, drawn again while above it
      let j;
      do j = (this.bits.word() & ones) >>> 0; while (j > i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return new Nd(order, [n]);
  }
}

const ARGUMENTS = {
  random: ["size"], uniform: ["low", "high", "size"], standard_normal: ["size"], integers: ["low", "high", "size"],
  permutation: ["x"],
};
for (const [name, names] of Object.entries(ARGUMENTS)) Generator.prototype[name] = def(names, Generator.prototype[name]);

export const random = {
  default_rng: def(["seed"], (seed) => new Generator(seed)),
};
