// The methods of Python's strings, lists, dicts, sets and numbers.

const { call } = (() => {
  const { numeric, isDict, kind, alike, isSubset } = python;

  const anyOf = (f) => (s, ends) => [].concat(ends).some((end) => f(s, end));
  const stripping = (left, right) => (s, chars = null) => {
    const drop = (c) => (chars === null ? c.trim() === "" : chars.includes(c));
    let [i, j] = [0, s.length];
    while (left && i < j && drop(s[i])) i++;
    while (right && i < j && drop(s[j - 1])) j--;
    return s.slice(i, j);
  };
  const placeOf = (x, item, place) => {
    if (place < 0) throw new ValueError_(`${py.repr(item)} is not in ${py.repr(x)}`);
    return place;
  };

  const strings = {
    join: (s, parts) => {
      const list = iter(parts), odd = list.find((x) => typeof x !== "string");
      if (odd !== undefined) throw new TypeError_(`join needs strings, not ${py.repr(odd)}`);
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

  return { call };
})();
