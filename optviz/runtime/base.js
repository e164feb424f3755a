// What Python's part of the runtime is built on: errors, keywords, slices, plain numbers.

export class PyError extends Error {
  get name() {
    return this.constructor.name.replace("_", "");
  }
}
export class ValueError_ extends PyError {}
export class TypeError_ extends PyError {}
export class KeyError_ extends PyError {}
export class IndexError_ extends PyError {}

export const ELLIPSIS = Symbol("...");

export class Slice {
  constructor(start = null, stop = null, step = null) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }

  // [first place, count, step] in a sequence of this length
  bounds(length) {
    const step = this.step ?? 1;
    if (step === 0) throw new ValueError_("slice step cannot be zero");
    const [low, high] = step < 0 ? [-1, length - 1] : [0, length];
    const clamp = (i) => (i < 0 ? Math.max(i + length, low) : Math.min(i, high));
    const start = this.start === null ? (step < 0 ? high : low) : clamp(this.start);
    const stop = this.stop === null ? (step < 0 ? low : high) : clamp(this.stop);
    return [start, Math.max(0, Math.ceil((stop - start) / step)), step];
  }

  places(length) {
    const [start, count, step] = this.bounds(length);
    return Array.from({ length: count }, (_, i) => start + i * step);
  }

  static place(index, length) {
    if (!Number.isInteger(index)) throw new TypeError_("indices must be integers or slices");
    const place = index < 0 ? index + length : index;
    if (place < 0 || place >= length) throw new IndexError_(`index ${index} is out of range`);
    return place;
  }
}

// The keyword arguments of a call, as its last argument.
export class Kw {
  constructor(values) {
    this.values = values;
  }

  // [positional arguments, keyword values]
  static split(args) {
    const last = args[args.length - 1];
    return last instanceof Kw ? [args.slice(0, -1), last.values] : [args, {}];
  }
}

export function def(names, f) {
  return function (...args) {
    if (!(args[args.length - 1] instanceof Kw)) return f.apply(this, args);
    const { values } = args.pop();
    const positional = args.length;
    for (const [name, value] of Object.entries(values)) {
      const place = names.indexOf(name);
      if (place < 0) throw new TypeError_(`unexpected keyword ${name}`);
      if (place < positional) throw new TypeError_(`multiple values for argument ${name}`);
      args[place] = value;
    }
    return f.apply(this, args);
  };
}

export const numeric = (x) => typeof x === "number" || typeof x === "boolean";
export const isDict = (x) => {
  const prototype = typeof x === "object" && x !== null ? Object.getPrototypeOf(x) : undefined;
  return prototype === Object.prototype || prototype === null;
};

export function mod(a, b) {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 !== b < 0 ? rest + b : rest;
}

// Not the floor of a / b, which is 10 for 1 // 0.1 where Python's is 9.
export function floordiv(a, b) {
  if (b === 0) return a / b;
  const rest = a % b;
  const quotient = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
  return quotient === 0 ? (1 / (a / b) < 0 ? -0 : 0) : Math.round(quotient);
}

// Math.pow, but as C has it: 1 ** nan is 1, and squares and powers of ten are rounded well.
export function pow(a, b) {
  if (b === 2) return a * a;
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a === 10 && Number.isInteger(b) ? Number(`1e${b}`) : Math.pow(a, b);
}

// Half to even.
export const rint = (x) => {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
};
