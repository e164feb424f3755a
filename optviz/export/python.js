// Python's semantics for definitions printed as JavaScript: calls with keywords, operators, truth,
// iteration, subscripts, methods, built-in functions and format(). Numpy's part is in arrays.js.

class PyError extends Error {
  get name() {
    return this.constructor.name.replace("_", "");
  }
}
class ValueError_ extends PyError {}
class TypeError_ extends PyError {}
class KeyError_ extends PyError {}
class IndexError_ extends PyError {}

const ELLIPSIS = Symbol("...");

class Slice {
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
class Kw {
  constructor(values) {
    this.values = values;
  }

  // [positional arguments, keyword values]
  static split(args) {
    const last = args[args.length - 1];
    return last instanceof Kw ? [args.slice(0, -1), last.values] : [args, {}];
  }
}

function def(names, f) {
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

// Helpers stay in this function: the files of a page share one scope.
const { op, truth, iter, contains, at, put, call, format, py } = (() => {
  const both = (a, b) => typeof a === "number" && typeof b === "number";
  const numeric = (x) => typeof x === "number" || typeof x === "boolean";
  const isDict = (x) => {
    const prototype = typeof x === "object" && x !== null ? Object.getPrototypeOf(x) : undefined;
    return prototype === Object.prototype || prototype === null;
  };
  const kind = (x) => (typeof x === "object" && x !== null ? x.constructor?.name : repr(x));

  function mod(a, b) {
    const rest = a % b;
    if (rest === 0) return b < 0 ? -0 : 0;
    return rest < 0 !== b < 0 ? rest + b : rest;
  }

  // Not the floor of a / b, which is 10 for 1 // 0.1 where Python's is 9.
  function floordiv(a, b) {
    if (b === 0) return a / b;
    const rest = a % b;
    const quotient = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
    return quotient === 0 ? 0 * Math.sign(a / b) : Math.round(quotient);
  }

  // Math.pow, but as C has it: 1 ** nan is 1, and squares and powers of ten are rounded well.
  function pow(a, b) {
    if (b === 2) return a * a;
    if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
    return a === 10 && Number.isInteger(b) ? Number(`1e${b}`) : Math.pow(a, b);
  }

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
  const alike = (a, b) => a === b || truth(op.eq(a, b));
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
    xor: ofSets((a, b) => new Set([...difference(a, b), ...difference(b, a)])),
    lt: ordered("lt"), le: ordered("le"), gt: ordered("gt"), ge: ordered("ge"),
    eq: equal,
    ne: (a, b) => !equal(a, b),
  };
  function other(name, a, b) {
    if (a instanceof Nd || b instanceof Nd) return arrayOp(name, a, b);
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

  const op = {
    add: (a, b) => (both(a, b) ? a + b : other("add", a, b)),
    sub: (a, b) => (both(a, b) ? a - b : other("sub", a, b)),
    mul: (a, b) => (both(a, b) ? a * b : other("mul", a, b)),
    div: (a, b) => (both(a, b) ? a / b : other("div", a, b)),
    floordiv: (a, b) => (both(a, b) ? floordiv(a, b) : other("floordiv", a, b)),
    mod: (a, b) => (both(a, b) ? mod(a, b) : other("mod", a, b)),
    pow: (a, b) => (both(a, b) ? pow(a, b) : other("pow", a, b)),
    matmul: (a, b) => np.matmul(a, b),
    and_: bitwise("and_", (a, b) => a & b),
    or_: bitwise("or_", (a, b) => a | b),
    xor: bitwise("xor", (a, b) => a ^ b),
    lt: (a, b) => (both(a, b) ? a < b : other("lt", a, b)),
    le: (a, b) => (both(a, b) ? a <= b : other("le", a, b)),
    gt: (a, b) => (both(a, b) ? a > b : other("gt", a, b)),
    ge: (a, b) => (both(a, b) ? a >= b : other("ge", a, b)),
    eq: (a, b) => (both(a, b) ? a === b : other("eq", a, b)),
    ne: (a, b) => (both(a, b) ? a !== b : other("ne", a, b)),
    neg: unary("neg", (x) => -x),
    pos: unary("pos", (x) => +x),
    // numpy's ~ of a boolean, not Python's: what a mask holds is a boolean here
    invert: unary("invert", (x) => (typeof x === "boolean" ? !x : -x - 1)),
  };

  function truth(x) {
    if (typeof x === "boolean") return x;
    if (typeof x === "number") return x !== 0;
    if (x === null || x === undefined) return false;
    if (typeof x === "string" || Array.isArray(x)) return x.length > 0;
    if (x instanceof Nd) return x.truth();
    return x instanceof Set || x instanceof Map ? x.size > 0 : !isDict(x) || Object.keys(x).length > 0;
  }

  function iter(x) {
    if (Array.isArray(x)) return x;
    if (x instanceof Nd) return x.rows();
    if (x instanceof Map) return [...x.keys()];
    if (isDict(x)) return Object.keys(x);
    if (typeof x?.[Symbol.iterator] !== "function") throw new TypeError_(`${kind(x)} is not iterable`);
    return [...x];
  }

  function contains(container, item) {
    if (typeof container === "string" && typeof item === "string") return container.includes(item);
    if (typeof container === "string") throw new TypeError_(`a string cannot contain ${kind(item)}`);
    if (isDict(container)) return Object.hasOwn(container, item);
    if (container instanceof Set || container instanceof Map) return container.has(item);
    if (container instanceof Nd) return truth(np.any(op.eq(container, item)));
    return iter(container).some((x) => alike(x, item));
  }

  function at(x, key) {
    if (x instanceof Nd) return x.getitem(key);
    if (Array.isArray(x)) {
      return key instanceof Slice ? key.places(x.length).map((i) => x[i]) : x[Slice.place(key, x.length)];
    }
    if (typeof x === "string") return key instanceof Slice ? at([...x], key).join("") : at([...x], key);
    if (typeof x === "function") return x(...[].concat(key)); // np.r_[a, b]
    if (x instanceof Map ? x.has(key) : Object.hasOwn(x, key)) return x instanceof Map ? x.get(key) : x[key];
    throw new KeyError_(repr(key));
  }

  function put(x, key, value) {
    if (x instanceof Nd) return x.setitem(key, value);
    if (x instanceof Map) return x.set(key, value);
    if (!Array.isArray(x)) return (x[key] = value);
    if (!(key instanceof Slice)) return (x[Slice.place(key, x.length)] = value);
    const [start, count, step] = key.bounds(x.length), values = iter(value);
    if (step === 1) return x.splice(start, count, ...values);
    if (count !== values.length) throw new ValueError_("a slice and its values differ in length");
    return values.forEach((v, i) => (x[start + i * step] = v));
  }

  const anyOf = (f) => (s, ends) => [].concat(ends).some((end) => f(s, end));
  const stripping = (left, right) => (s, chars = null) => {
    const drop = (c) => (chars === null ? c.trim() === "" : chars.includes(c));
    let [i, j] = [0, s.length];
    while (left && i < j && drop(s[i])) i++;
    while (right && i < j && drop(s[j - 1])) j--;
    return s.slice(i, j);
  };
  const placeOf = (x, item, place) => {
    if (place < 0) throw new ValueError_(`${repr(item)} is not in ${repr(x)}`);
    return place;
  };

  const strings = {
    join: (s, parts) => {
      const list = iter(parts), odd = list.find((x) => typeof x !== "string");
      if (odd !== undefined) throw new TypeError_(`join needs strings, not ${repr(odd)}`);
      return list.join(s);
    },
    replace: (s, old, fresh, most = -1) =>
      s.replaceAll(old, (found) => (most === 0 ? found : (most--, fresh))),
    lower: (s) => s.toLowerCase(),
    upper: (s) => s.toUpperCase(),
    capitalize: (s) => s.slice(0, 1).toUpperCase() + s.slice(1).toLowerCase(),
    strip: stripping(true, true), lstrip: stripping(true, false), rstrip: stripping(false, true),
    split: def(["s", "sep", "maxsplit"], (s, sep = null, most = -1) => {
      const parts = sep === null ? s.split(/\s+/).filter(Boolean) : s.split(sep);
      if (most < 0 || parts.length <= most) return parts;
      if (sep !== null) return [...parts.slice(0, most), parts.slice(most).join(sep)];
      return RegExp(`^\\s*${"(\\S+)\\s+".repeat(most)}(.*)$`, "s").exec(s).slice(1);
    }),
    startswith: anyOf((s, start) => s.startsWith(start)),
    endswith: anyOf((s, end) => s.endsWith(end)),
    removeprefix: (s, start) => (s.startsWith(start) ? s.slice(start.length) : s),
    removesuffix: (s, end) => (end && s.endsWith(end) ? s.slice(0, -end.length) : s),
    count: (s, part) => (part === "" ? [...s].length + 1 : s.split(part).length - 1),
    find: (s, part) => s.indexOf(part),
    index: (s, part) => placeOf(s, part, s.indexOf(part)),
    isalnum: (s) => /^[\p{L}\p{N}]+$/u.test(s),
  };

  const nothing = () => null; // what a method returns that changes its object
  const sortInto = (x, values) => nothing(values.forEach((v, i) => (x[i] = v)));
  const lists = {
    append: (x, item) => nothing(x.push(item)),
    extend: (x, items) => nothing(x.push(...iter(items))),
    insert: (x, place, item) => nothing(x.splice(place, 0, item)),
    pop: (x, place = -1) => x.splice(Slice.place(place, x.length), 1)[0],
    remove: (x, item) => nothing(x.splice(lists.index(x, item), 1)),
    index: (x, item) => placeOf(x, item, x.findIndex((y) => alike(y, item))),
    count: (x, item) => x.filter((y) => alike(y, item)).length,
    copy: (x) => [...x],
    reverse: (x) => nothing(x.reverse()),
    sort: (x, ...keywords) => sortInto(x, py.sorted(x, ...keywords)),
  };

  const dicts = {
    items: (x) => Object.entries(x),
    keys: (x) => Object.keys(x),
    values: (x) => Object.values(x),
    get: (x, key, fallback = null) => (Object.hasOwn(x, key) ? x[key] : fallback),
    pop: (x, key, fallback) => {
      const found = fallback === undefined ? at(x, key) : dicts.get(x, key, fallback);
      delete x[key];
      return found;
    },
    update: (x, ...items) => nothing(Object.assign(x, py.dict(...items))),
    setdefault: (x, key, value = null) => (Object.hasOwn(x, key) ? x[key] : (x[key] = value)),
    copy: (x) => ({ ...x }),
  };

  const toSet = (items) => (items instanceof Set ? items : new Set(iter(items)));
  const sets = {
    add: (x, item) => nothing(x.add(item)),
    update: (x, ...parts) => nothing(parts.forEach((items) => iter(items).forEach((item) => x.add(item)))),
    discard: (x, item) => nothing(x.delete(item)),
    union: (x, ...parts) => parts.map(toSet).reduce(op.or_, new Set(x)),
    intersection: (x, ...parts) => parts.map(toSet).reduce(op.and_, new Set(x)),
    difference: (x, ...parts) => parts.map(toSet).reduce(op.sub, new Set(x)),
    issubset: (x, items) => isSubset(x, toSet(items)),
    issuperset: (x, items) => isSubset(toSet(items), x),
    isdisjoint: (x, items) => sets.intersection(x, items).size === 0,
    copy: (x) => new Set(x),
  };
  const numbers = { is_integer: (x) => Number.isInteger(+x), item: (x) => x, tolist: (x) => x };

  function call(x, name, ...args) {
    let table;
    if (typeof x === "string") table = strings;
    else if (numeric(x)) table = numbers;
    else if (Array.isArray(x)) table = lists;
    else if (x instanceof Set) table = sets;
    else if (isDict(x) && !(Object.hasOwn(x, name) && typeof x[name] === "function")) table = dicts;
    if (table && Object.hasOwn(table, name)) return table[name](x, ...args);
    if (table === numbers && name in Nd.prototype) return Nd.scalar(x)[name](...args);
    if (typeof x?.[name] !== "function") throw new PyError(`${kind(x)} has no method ${name}`);
    return x[name](...args);
  }

  // The shortest digits that give the number back, as Python's repr without ".0".
  function digits(x) {
    if (Object.is(x, -0)) return "-0";
    if (!Number.isFinite(x)) return String(x).replace("Infinity", "inf").replace("NaN", "nan");
    const [mantissa, exponent] = x.toExponential().split("e");
    return exponent < -4 || exponent >= 16 ? `${mantissa}e${twoDigits(exponent)}` : String(x);
  }
  const twoDigits = (exponent) => exponent[0] + exponent.slice(1).padStart(2, "0");

  // JavaScript rounds ties up, Python to even: `exact` has all digits, `kept` of them stay.
  const evenly = (rounded, exact, kept) => {
    const down = exact.slice(0, kept).replace(/\.$/, "");
    return /^\.?50*$/.test(exact.slice(kept)) && /[02468]$/.test(down) ? down : rounded;
  };
  function fixed(x, places) {
    if (x >= 1e21) return BigInt(x) + (places ? `.${"0".repeat(places)}` : "");
    const exact = x.toFixed(100), point = exact.indexOf(".");
    return evenly(x.toFixed(places), exact, point + (places ? places + 1 : 0));
  }
  function exponential(x, places) {
    const [rounded, exact] = [x.toExponential(places), x.toExponential(100)].map((text) => text.split("e"));
    const mantissa = evenly(rounded[0], exact[0], places ? places + 2 : 1);
    return `${mantissa}e${twoDigits(mantissa === rounded[0] ? rounded[1] : exact[1])}`;
  }
  function general(x, precision, last) {
    const [mantissa, exponent] = exponential(x, precision - 1).split("e");
    const bare = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
    if (exponent < -4 || exponent >= last) return `${bare(mantissa)}e${exponent}`;
    return bare(fixed(x, precision - 1 - exponent));
  }
  const RADIX = { d: 10, x: 16, o: 8, b: 2 };
  function magnitude(x, type, precision) {
    if (!Number.isFinite(x)) return digits(x) + (type === "%" ? "%" : "");
    if (type === "f") return fixed(x, precision ?? 6);
    if (type === "e") return exponential(x, precision ?? 6);
    if (type === "%") return `${fixed(x * 100, precision ?? 6)}%`;
    if (type === "g") return general(x, (precision ?? 6) || 1, (precision ?? 6) || 1);
    if (type === "" && precision === undefined) return digits(x);
    if (type === "") return general(x, precision || 1, (precision || 1) - 1).replace(/^\d+$/, "$&.0");
    const whole = type in RADIX && Number.isInteger(x);
    if (!whole) throw new ValueError_(`no format '${type}' for ${digits(x)}`);
    return BigInt(x).toString(RADIX[type]);
  }

  const SPEC = /^(?:(.)?([<>=^]))?([-+ ]?)(0?)(\d*)([,_]?)(?:\.(\d+))?([a-zA-Z%]?)$/su;
  function format(value, spec = "") {
    if (spec === "") return py.str(value);
    if (!numeric(value) && typeof value !== "string") throw new TypeError_(`no format of ${kind(value)}`);
    const found = SPEC.exec(spec);
    if (!found) throw new ValueError_(`invalid format '${spec}'`);
    const [, given, align, plus, zero, width, comma, point, type] = found;
    const fill = given ?? (zero || " "), precision = point && Number(point);
    if (typeof value === "string") {
      return padded("", [...value].slice(0, precision).join(""), fill, align ?? "<", width);
    }
    const x = +value, lower = type.toLowerCase();
    const sign = x < 0 || (Object.is(x, -0) && !(lower in RADIX)) ? "-" : plus.replace("-", "");
    let body = magnitude(Math.abs(x), lower, precision);
    if (type !== lower) body = body.toUpperCase();
    const side = align ?? (zero ? "=" : ">");
    if (comma) {
      const group = (text) => text.replace(/^\d+/, (all) => all.replace(/\B(?=(\d{3})+$)/g, comma));
      const short = () => group(body).length + sign.length < width;
      while (fill === "0" && side === "=" && Number.isFinite(x) && short()) body = `0${body}`;
      body = group(body);
    }
    return padded(sign, body, fill, side, width);
  }
  function padded(sign, body, fill, align, width) {
    const room = Math.max(0, width - sign.length - [...body].length);
    const left = { "<": 0, "^": Math.floor(room / 2), ">": room, "=": 0 }[align];
    const inside = align === "=" ? fill.repeat(room) : "";
    return fill.repeat(left) + sign + inside + body + fill.repeat(room - left - inside.length);
  }

  function repr(x) {
    if (x === null || x === undefined) return "None";
    if (typeof x === "boolean") return x ? "True" : "False";
    if (typeof x === "number") return digits(x);
    if (typeof x === "string") {
      const quote = x.includes("'") && !x.includes('"') ? '"' : "'";
      const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
      const escaped = (c) => named[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
      const text = x.replace(/\\/g, "\\\\").replace(/[\x00-\x1f\x7f-\xa0\xad]/g, escaped);
      return quote + text.replaceAll(quote, `\\${quote}`) + quote;
    }
    if (Array.isArray(x)) return `[${x.map(repr).join(", ")}]`;
    if (x instanceof Nd) return `array(${repr(x.tolist())})`;
    if (x instanceof Set) return x.size ? `{${[...x].map(repr).join(", ")}}` : "set()";
    if (isDict(x)) return `{${Object.entries(x).map((pair) => pair.map(repr).join(": ")).join(", ")}}`;
    if (x instanceof Slice) return `slice(${Object.values(x).map(repr).join(", ")})`;
    return x instanceof Error ? `${x.name}(${repr(x.message)})` : `<${x.constructor?.name ?? typeof x}>`;
  }

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

  return { op, truth, iter, contains, at, put, call, format, py };
})();
