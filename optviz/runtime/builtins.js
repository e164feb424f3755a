// Python's built-in functions.

const { py } = (() => {
  const { numeric, isDict, kind } = python;

  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  function parsed(text) {
    const bare = text.trim().replace(/(\d)_(?=\d)/g, "$1");
    if (NUMBER.test(bare)) return Number(bare);
    const [, sign, word] = /^([+-]?)(inf|infinity|nan)$/i.exec(bare) ?? [];
    if (word === undefined) throw new ValueError_(`could not convert string to float: ${repr(text)}`);
    return word.toLowerCase() === "nan" ? NaN : sign === "-" ? -Infinity : Infinity;
  }
  function integer(x = 0, base = 10) {
    const value = x instanceof Nd ? x.item() : x;
    if (typeof value === "string") {
      const bare = value.trim().replace(/([^_])_(?=[^_])/g, "$1"), all = bare.replace(/^[+-]/, "");
      if (all !== "" && [...all].every((c) => parseInt(c, base) >= 0)) return parseInt(bare, base);
    } else if (!numeric(value)) throw new TypeError_(`int() does not take ${kind(value)}`);
    else if (Number.isFinite(+value)) return Math.trunc(+value) + 0;
    throw new ValueError_(`cannot convert ${repr(value)} to an integer of base ${base}`);
  }
  function rounded(x, places = null) {
    if (x instanceof Nd) return np.round(x, places ?? 0);
    if (places === null) return integer(np.rint(+x));
    if (!Number.isFinite(+x)) return x;
    if (places < 0) return np.rint(x / 10 ** -places) * 10 ** -places;
    const size = Number(fixed(Math.abs(x), Math.min(places, 100)));
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
  const TYPES = {
    int: (x) => typeof x === "boolean" || Number.isInteger(x),
    float: (x) => typeof x === "number",
    str: (x) => typeof x === "string",
    bool: (x) => typeof x === "boolean",
    list: Array.isArray, tuple: Array.isArray, dict: isDict,
    set: (x) => x instanceof Set,
    ndarray: (x) => x instanceof Nd,
  };
  const builtSet = (items = []) => new Set(iter(items));

  const py = {
    contains, repr,
    len: (x) => {
      const count = isDict(x) || typeof x === "string" ? iter(x).length : x?.length ?? x?.size;
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
      const columns = given.map(iter), lengths = columns.map((column) => column.length);
      const count = columns.length ? Math.min(...lengths) : 0;
      if (strict && lengths.some((n) => n !== count)) throw new ValueError_("zip() of unequal lengths");
      return Array.from({ length: count }, (_, i) => columns.map((column) => column[i]));
    },
    enumerate: def(["iterable", "start"], (x, start = 0) => iter(x).map((item, i) => [i + start, item])),
    map: (f, ...parts) => py.zip(...parts).map((items) => f(...items)),
    filter: (f, x) => iter(x).filter((item) => truth(f === null ? item : f(item))),
    reversed: (x) => [...iter(x)].reverse(),
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
    abs: (x) => (x instanceof Nd ? np.abs(x) : Math.abs(x)),
    round: def(["number", "ndigits"], rounded),
    int: def(["x", "base"], integer),
    float: (x = 0) => {
      const value = x instanceof Nd ? x.item() : x;
      if (numeric(value)) return +value;
      if (typeof value !== "string") throw new TypeError_(`float() does not take ${kind(value)}`);
      return parsed(value);
    },
    bool: (x = false) => truth(x),
    str: (x = "") => (typeof x === "string" ? x : x instanceof Error ? x.message : repr(x)),
    list: (x = []) => [...iter(x)],
    tuple: (x = []) => [...iter(x)],
    dict: (...args) => {
      const [[items = []], values] = Kw.split(args);
      return { ...(isDict(items) ? items : Object.fromEntries(iter(items))), ...values };
    },
    set: builtSet,
    frozenset: builtSet,
    slice: (...args) => (args.length === 1 ? new Slice(null, args[0]) : new Slice(...args)),
    divmod: (a, b) => [op.floordiv(a, b), op.mod(a, b)],
    isinstance_: (x, name) => Object.hasOwn(TYPES, name) && TYPES[name](x),
    hasattr_: (x, name) => x !== null && x !== undefined && x[name] !== undefined,
    getattr_: (x, name, fallback) => {
      const found = py.hasattr_(x, name) ? x[name] : fallback;
      if (found === undefined) throw new PyError(`${kind(x)} has no attribute ${repr(name)}`);
      return typeof found === "function" && !Object.hasOwn(x, name) ? found.bind(x) : found;
    },
  };

  return { py };
})();
