// The methods of Python's strings, lists, dicts and numbers.
import { Nd } from "./arrays.js";
import { PyError, TypeError_, ValueError_, isDict, numeric } from "./base.js";
import { kind, repr, str } from "./formats.js";
import { ARRAYS } from "./numpy.js";
import { alike, iter } from "./operators.js";

const strings = {
  format: (s, { values }) => s.replace(/\{(\w+)\}/g, (_, key) => str(values[key])),
  join: (s, parts) => {
    const list = iter(parts), odd = list.find((x) => typeof x !== "string");
    if (odd !== undefined) throw new TypeError_(`join needs strings, not ${repr(odd)}`);
    return list.join(s);
  },
  lower: (s) => s.toLowerCase(),
  removeprefix: (s, start) => (s.startsWith(start) ? s.slice(start.length) : s),
  removesuffix: (s, end) => (end && s.endsWith(end) ? s.slice(0, -end.length) : s),
  replace: (s, old, fresh) => s.replaceAll(old, () => fresh),
  split: (s, sep = null, most = -1) => (sep === null ? s.split(/\s+/).filter(Boolean) : most < 0 ? s.split(sep) : parted(s, sep, most)),
  strip: (s) => s.trim(),
  upper: (s) => s.toUpperCase(),
};

// At most so many times, as in Python: what is left stays in one piece.
function parted(s, sep, most) {
  const parts = s.split(sep, most + 1);
  if (parts.length > most) parts[most] = s.slice(parts.slice(0, most).reduce((sum, { length }) => sum + length + sep.length, 0));
  return parts;
}

const lists = {
  append: (x, item) => {
    x.push(item);
    return null;
  },
  index: (x, item) => {
    const place = x.findIndex((y) => alike(y, item));
    if (place < 0) throw new ValueError_(`${repr(item)} is not in ${repr(x)}`);
    return place;
  },
};

const dicts = {
  get: (x, key, fallback = null) => (Object.hasOwn(x, key) ? x[key] : fallback),
  items: (x) => Object.entries(x),
  values: (x) => Object.values(x),
};

const numbers = {
  is_integer: (x) => Number.isInteger(+x),
  tolist: (x) => x,
};

export const METHODS = { strings, lists, dicts, numbers, arrays: ARRAYS };

export function call(x, name, ...args) {
  let table;
  if (typeof x === "string") table = strings;
  else if (numeric(x)) table = numbers;
  else if (Array.isArray(x)) table = lists;
  else if (isDict(x) && !(Object.hasOwn(x, name) && typeof x[name] === "function")) table = dicts;
  if (table && Object.hasOwn(table, name)) return table[name](x, ...args);
  if (table === numbers && Object.hasOwn(ARRAYS, name)) return ARRAYS[name](Nd.scalar(x), ...args);
  if (typeof x?.[name] !== "function") throw new PyError(`${kind(x)} has no method ${name}`);
  return x[name](...args);
}
