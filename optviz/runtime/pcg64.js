// numpy's stream of random bits: SeedSequence (O'Neill 2015, "Developing a seed_seq alternative"; numpy's
// bit_generator.pyx) fills PCG64 (O'Neill 2014, "PCG", XSL-RR 128/64; numpy's pcg64.h). Words have 32 bits, the lowest
// stands first.
import { ValueError_ } from "./base.js";

// The lower and the upper word of a product of two; rounded to a float it is near enough to tell the upper one.
export const lower = (a, b) => Math.imul(a, b) >>> 0;
export const upper = (a, b) => ((a * b - lower(a, b)) * 2 ** -32 + 0.5) >>> 0;

function wordsOf(seed) {
  if (!Number.isInteger(seed) || seed < 0) throw new ValueError_(`a seed must be a whole number from 0, not ${seed}`);
  const words = [];
  let rest = seed;
  do {
    words.push(rest % 2 ** 32);
    rest = Math.floor(rest / 2 ** 32);
  } while (rest > 0);
  return words;
}

// Hashes one word after another, each by another power of a multiplier.
function hashing(start, multiplier) {
  let factor = start;
  return (word) => {
    const mixed = word ^ factor;
    factor = Math.imul(factor, multiplier);
    const hashed = Math.imul(mixed, factor);
    return hashed ^ (hashed >>> 16);
  };
}

// Eight words out of a seed, a whole number or several.
function seeded(seed) {
  const words = [seed].flat().flatMap(wordsOf), hashed = hashing(0x43b0d7e5, 0x931e8875);
  const pool = [0, 1, 2, 3].map((i) => hashed(words[i] ?? 0));
  const mix = (i, word) => {
    const mixed = Math.imul(0xca01f9dd, pool[i]) - Math.imul(0x4973f715, hashed(word));
    pool[i] = mixed ^ (mixed >>> 16);
  };
  for (let from = 0; from < 4; from++) for (let i = 0; i < 4; i++) if (i !== from) mix(i, pool[from]);
  for (const word of words.slice(4)) for (let i = 0; i < 4; i++) mix(i, word);
  return [...pool, ...pool].map(hashing(0x8b51f9dd, 0x58f38ded));
}

// The words of the multiplier.
const [K, L, M, N] = [0x9fccf645, 0x4385df64, 0x1fc65da4, 0x2360ed05];
const carried = (sum) => Math.floor(sum * 2 ** -32);

export class PCG64 {
  constructor(seed) {
    const [c, d, a, b, g, h, e, f] = seeded(seed);
    this.added = Uint32Array.of((e << 1) | 1, (f << 1) | (e >>> 31), (g << 1) | (f >>> 31), (h << 1) | (g >>> 31));
    this.state = this.added.slice(); // where a step from 0 leads
    this.low = this.high = 0;
    this.kept = null; // the upper half of 64 bits of which the lower one has been taken
    let carry = 0;
    [a, b, c, d].forEach((word, i) => {
      const sum = this.state[i] + (word >>> 0) + carry;
      this.state[i] = sum;
      carry = carried(sum);
    });
    this.next();
  }

  // 64 more bits, in `low` and `high`: the state times the multiplier, column by column as on paper.
  next() {
    const { state, added } = this, a = state[0], b = state[1], c = state[2], d = state[3];
    const w = lower(a, K) + added[0];
    const x = carried(w) + upper(a, K) + lower(a, L) + lower(b, K) + added[1];
    const y = carried(x) + upper(a, L) + upper(b, K) + lower(a, M) + lower(b, L) + lower(c, K) + added[2];
    const z = carried(y) + upper(a, M) + upper(b, L) + upper(c, K)
      + lower(a, N) + lower(b, M) + lower(c, L) + lower(d, K) + added[3];
    state[0] = w;
    state[1] = x;
    state[2] = y;
    state[3] = z;
    const turn = state[3] >>> 26, even = w ^ y, odd = x ^ z;
    const low = turn < 32 ? even : odd, high = turn < 32 ? odd : even;
    this.low = turn % 32 ? (low >>> turn) | (high << -turn) : low;
    this.high = turn % 32 ? (high >>> turn) | (low << -turn) : high;
  }

  // 32 bits: numpy takes the lower half of 64 first, and keeps the other.
  word() {
    const { kept } = this;
    if (kept === null) this.next();
    this.kept = kept === null ? this.high : null;
    return (kept ?? this.low) >>> 0;
  }

  // A number in [0, 1), of 53 bits.
  unit() {
    this.next();
    return ((this.high >>> 0) * 2 ** 21 + (this.low >>> 11)) * 2 ** -53;
  }
}
