// Python's built-in functions, and what of its modules math and re pages ask for.
import { Nd } from "./arrays.js";
import { Kw, PyError, Slice, TypeError_, ValueError_, def, isDict, numeric, rint } from "./base.js";
import { eachElement, simple } from "./elementwise.js";
import { kind, nearest, repr, str } from "./formats.js";
import { iter, op, truth } from "./operators.js";
import { $special } from "./special.js";

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
function parsed(text) {
  const bare = text.trim().replace(/(\d)_(?=\d)/g, "$1");
  if (NUMBER.test(bare)) return Number(bare);
  const [, sign, word] = /^([+-]?)(inf|infinity|nan)$/i.exec(bare) ?? [];
  if (word === undefined) throw new ValueError_(`could not convert string to float: ${repr(text)}`);
  return word.toLowerCase() === "nan" ? NaN : sign === "-" ? -Infinity : Infinity;
}
// Whole numbers, towards 0.
function integer(x) {
  const value = x instanceof Nd ? x.item() : x;
  if (typeof value === "string") {
    if (/^\s*[+-]?\d+(_\d+)*\s*$/.test(value)) return Number(value.replaceAll("_", ""));
  } else if (!numeric(value)) throw new TypeError_(`int() does not take ${kind(value)}`);
  else if (Number.isFinite(+value)) return Math.trunc(+value) + 0;
  throw new ValueError_(`cannot convert ${repr(value)} to an integer`);
}
function rounded(x, places = null) {
  if (places === null) return integer(rint(+x));
  if (!Number.isFinite(+x)) return x;
  const size = nearest(Math.abs(x), places);
  return x < 0 || Object.is(x, -0) ? -size : size;
}

const extreme = (name, ahead) => (...args) => {
  const [given, { key, default: fallback }] = Kw.split(args);
  const items = given.length === 1 ? iter(given[0]) : given;
  const rank = key ?? ((x) => x);
  if (items.length > 0) return items.reduce((best, x) => (truth(ahead(rank(x), rank(best))) ? x : best));
  if (fallback === undefined) throw new ValueError_(`${name}() iterable argument is empty`);
  return fallback;
};
const identities = new WeakMap();
let identity_count = 0;

function identity(value) {
  if (!identities.has(value)) identities.set(value, (identity_count += 1));
  return identities.get(value);
}

const has = (x, name) => x !== null && x !== undefined && x[name] !== undefined;
const columnsOf = (columns) => {
  const count = columns.length ? Math.min(...columns.map((column) => column.length)) : 0;
  return Array.from({ length: count }, (_, i) => columns.map((column) => column[i]));
};

export const py = {
  repr,
  str,
  id: identity,
  len: (x) => {
    if (typeof x === "string") return x.length - (x.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0); // megabytes are not parted
    const count = isDict(x) ? iter(x).length : x?.length ?? x?.size;
    if (count === undefined || typeof x === "function") throw new TypeError_(`${kind(x)} has no len()`);
    return count;
  },
  range: (...args) => {
    const [start, stop, step] = args.length === 1 ? [0, args[0], 1] : [args[0], args[1], args[2] ?? 1];
    if (step === 0) throw new ValueError_("range() arg 3 must not be zero");
    const length = Math.max(0, Math.ceil((stop - start) / step));
    return Array.from({ length }, (_, i) => start + i * step);
  },
  zip: (...args) => {
    const [given, { strict = false }] = Kw.split(args);
    const columns = given.map(iter), uneven = columns.some((column) => column.length !== columns[0].length);
    if (strict && uneven) throw new ValueError_("zip() of unequal lengths");
    return columnsOf(columns);
  },
  enumerate: def(["iterable", "start"], (x, start = 0) => iter(x).map((item, i) => [i + start, item])),
  sorted: def(["iterable", "key", "reverse"], (x, key = null, reverse = false) => {
    const ranked = iter(x).map((item) => [key === null ? item : key(item), item]);
    const order = (a, b) => (truth(op.lt(a, b)) ? -1 : truth(op.lt(b, a)) ? 1 : 0);
    return ranked.sort(([a], [b]) => (truth(reverse) ? order(b, a) : order(a, b))).map(([, item]) => item);
  }),
  any: (x) => iter(x).some(truth),
  all: (x) => iter(x).every(truth),
  min: extreme("min", op.lt),
  max: extreme("max", op.gt),
  sum: def(["iterable", "start"], (x, start = 0) => iter(x).reduce(op.add, start)),
  abs: eachElement(Math.abs, false, simple.abs),
  round: def(["number", "ndigits"], rounded),
  int: def(["x"], integer),
  float: (x = 0) => {
    const value = x instanceof Nd ? x.item() : x;
    if (numeric(value)) return +value;
    if (typeof value !== "string") throw new TypeError_(`float() does not take ${kind(value)}`);
    return parsed(value);
  },
  bool: (x = false) => truth(x),
  list: (x = []) => [...iter(x)],
  tuple: (x = []) => [...iter(x)],
  set: (items = []) => new Set(iter(items)),
  slice: (start, stop) => new Slice(start, stop),
  next: (items, otherwise) => {
    const [first = otherwise] = iter(items);
    return first;
  },
  hasattr: has,
  getattr: (x, name, fallback) => {
    const value = has(x, name) ? x[name] : fallback;
    if (value === undefined) throw new PyError(`${kind(x)} has no attribute ${repr(name)}`);
    return typeof value === "function" && !Object.hasOwn(x, name) ? value.bind(x) : value;
  },
  object: null, // the type of an array of whatever it holds
  ValueError: (text) => new ValueError_(text),
};

// What isinstance() knows besides classes.
export const TYPES = {
  int: (x) => typeof x === "boolean" || Number.isInteger(x),
  float: (x) => typeof x === "number",
  str: (x) => typeof x === "string",
  bool: (x) => typeof x === "boolean",
  list: Array.isArray,
  ndarray: (x) => x instanceof Nd,
};

export const math = {
  inf: Infinity,
  nan: NaN,
  pi: Math.PI,
  e: Math.E,
  atan2: Math.atan2,
  ceil: Math.ceil,
  cos: Math.cos,
  erf: $special.erf,
  exp: Math.exp,
  floor: Math.floor,
  hypot: Math.hypot,
  isfinite: Number.isFinite,
  isnan: Number.isNaN,
  log: Math.log,
  log10: Math.log10,
  radians: (x) => (x * Math.PI) / 180,
  sin: Math.sin,
  sqrt: Math.sqrt,
};

export const re = {
  sub: (pattern, by, text) => text.replace(new RegExp(pattern, "g"), by.replace(/\\(\d)/g, "$$$1")),
  split: (pattern, text) => text.split(new RegExp(pattern)),
  compile: (pattern) => ({ fullmatch: (text) => (new RegExp(`^(?:${pattern})$`).test(text) ? [text] : null) }),
};
