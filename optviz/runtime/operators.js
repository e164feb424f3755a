// Python's operators, truth, iteration and subscripts.
import { Nd, toArray } from "./arrays.js";
import { KeyError_, Slice, TypeError_, ValueError_, floordiv, isDict, mod, numeric, pow } from "./base.js";
import { arrayOp, arrayUnary, matmul } from "./elementwise.js";
import { kind, repr } from "./formats.js";

const both = (a, b) => typeof a === "number" && typeof b === "number";

function equal(a, b) {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((x, i) => alike(x, b[i]));
  }
  if (a instanceof Set && b instanceof Set) return a.size === b.size && isSubset(a, b);
  if (a instanceof Slice && b instanceof Slice) return equal(Object.values(a), Object.values(b));
  if (!isDict(a) || !isDict(b)) return false;
  const keys = Object.keys(a), same = (key) => Object.hasOwn(b, key) && alike(a[key], b[key]);
  return keys.length === Object.keys(b).length && keys.every(same);
}
export const alike = (a, b) => a === b || truth(op.eq(a, b));
const isSubset = (a, b) => [...a].every((x) => b.has(x));
const difference = (a, b) => new Set([...a].filter((x) => !b.has(x)));
const ofSets = (f) => (a, b) => (a instanceof Set && b instanceof Set ? f(a, b) : undefined);

const ordered = (name) => (a, b) => {
  if (typeof a === "string" && typeof b === "string") return op[name](a < b ? -1 : a > b ? 1 : 0, 0);
  if (Array.isArray(a) && Array.isArray(b)) {
    const first = a.findIndex((x, i) => i >= b.length || !alike(x, b[i]));
    return first < 0 || first >= b.length ? op[name](a.length, b.length) : op[name](a[first], b[first]);
  }
  const [small, large] = name[0] === "l" ? [a, b] : [b, a];
  return ofSets((p, q) => isSubset(p, q) && (name[1] === "e" || p.size < q.size))(small, large);
};

// What operators do where not both are numbers; undefined where Python has nothing either.
const others = {
  add: (a, b) => {
    if (typeof a === "string" && typeof b === "string") return a + b;
    return Array.isArray(a) && Array.isArray(b) ? [...a, ...b] : undefined;
  },
  mul: (a, b) => {
    const [x, times] = numeric(a) ? [b, a] : [a, b];
    if (!Number.isInteger(+times) || !numeric(times)) return undefined;
    const length = Math.max(0, times);
    if (typeof x === "string") return x.repeat(length);
    return Array.isArray(x) ? Array.from({ length }, () => x).flat() : undefined;
  },
  sub: ofSets(difference),
  and_: ofSets((a, b) => new Set([...a].filter((x) => b.has(x)))),
  or_: (a, b) => (isDict(a) && isDict(b) ? { ...a, ...b } : ofSets((p, q) => new Set([...p, ...q]))(a, b)),
  lt: ordered("lt"), le: ordered("le"), gt: ordered("gt"), ge: ordered("ge"),
  eq: equal,
  ne: (a, b) => !equal(a, b),
};
function other(name, a, b) {
  if (a instanceof Nd || b instanceof Nd) return arrayOp(name, a, b, op[name]);
  if (numeric(a) && numeric(b)) return op[name](+a, +b);
  const found = others[name]?.(a, b);
  if (found === undefined) throw new TypeError_(`cannot ${name} ${kind(a)} and ${kind(b)}`);
  return found;
}
const bitwise = (name, f) => (a, b) => {
  if (typeof a === "boolean" && typeof b === "boolean") return f(a, b) !== 0;
  return both(a, b) ? f(a, b) : other(name, a, b);
};
const unary = (name, f) => (x) => {
  if (x instanceof Nd) return arrayUnary(name, x);
  if (!numeric(x)) throw new TypeError_(`cannot ${name} ${kind(x)}`);
  return f(x);
};

export const op = {
  add: (a, b) => (both(a, b) ? a + b : other("add", a, b)),
  sub: (a, b) => (both(a, b) ? a - b : other("sub", a, b)),
  mul: (a, b) => (both(a, b) ? a * b : other("mul", a, b)),
  div: (a, b) => (both(a, b) ? a / b : other("div", a, b)),
  floordiv: (a, b) => (both(a, b) ? floordiv(a, b) : other("floordiv", a, b)),
  mod: (a, b) => (both(a, b) ? mod(a, b) : other("mod", a, b)),
  pow: (a, b) => (both(a, b) ? pow(a, b) : other("pow", a, b)),
  matmul,
  and_: bitwise("and_", (a, b) => a & b),
  or_: bitwise("or_", (a, b) => a | b),
  lt: (a, b) => (both(a, b) ? a < b : other("lt", a, b)),
  le: (a, b) => (both(a, b) ? a <= b : other("le", a, b)),
  gt: (a, b) => (both(a, b) ? a > b : other("gt", a, b)),
  ge: (a, b) => (both(a, b) ? a >= b : other("ge", a, b)),
  eq: (a, b) => (both(a, b) ? a === b : other("eq", a, b)),
  ne: (a, b) => (both(a, b) ? a !== b : other("ne", a, b)),
  neg: unary("neg", (x) => -x),
  // numpy's ~ of a boolean, not Python's: what a mask holds is a boolean here
  invert: unary("invert", (x) => (typeof x === "boolean" ? !x : -x - 1)),
};

export function truth(x) {
  if (typeof x === "boolean") return x;
  if (typeof x === "number") return x !== 0;
  if (x === null || x === undefined) return false;
  if (typeof x === "string" || Array.isArray(x)) return x.length > 0;
  if (x instanceof Nd) return x.truth();
  return x instanceof Set ? x.size > 0 : !isDict(x) || Object.keys(x).length > 0;
}

export function iter(x) {
  if (Array.isArray(x)) return x;
  if (x instanceof Nd) return x.rows();
  if (isDict(x)) return Object.keys(x);
  if (typeof x?.[Symbol.iterator] !== "function") throw new TypeError_(`${kind(x)} is not iterable`);
  return [...x];
}

export function contains(container, item) {
  if (typeof container === "string" && typeof item === "string") return container.includes(item);
  if (typeof container === "string") throw new TypeError_(`a string cannot contain ${kind(item)}`);
  if (isDict(container)) return Object.hasOwn(container, item);
  if (container instanceof Set) return container.has(item);
  if (container instanceof Nd) return toArray(op.eq(container, item)).data.some((x) => x !== 0);
  return iter(container).some((x) => alike(x, item));
}

export function at(x, key) {
  if (x instanceof Nd) return x.getitem(key);
  if (Array.isArray(x)) {
    return key instanceof Slice ? key.places(x.length).map((i) => x[i]) : x[Slice.place(key, x.length)];
  }
  if (typeof x === "string") return key instanceof Slice ? at([...x], key).join("") : /[\ud800-\udfff]/.test(x) ? at([...x], key) : x[Slice.place(key, x.length)];
  if (Object.hasOwn(x, key)) return x[key];
  throw new KeyError_(repr(key));
}

export function put(x, key, value) {
  if (x instanceof Nd) return x.setitem(key, value);
  if (!Array.isArray(x)) return (x[key] = value);
  if (!(key instanceof Slice)) return (x[Slice.place(key, x.length)] = value);
  const [start, count, step] = key.bounds(x.length), values = iter(value);
  if (step === 1) return x.splice(start, count, ...values);
  if (count !== values.length) throw new ValueError_("a slice and its values differ in length");
  return values.forEach((v, i) => (x[start + i * step] = v));
}

