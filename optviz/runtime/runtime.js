// What printed definitions call by the name `$`: Python's objects, numpy, and optviz's own functions.

const identities = new WeakMap();
let identity_count = 0;

function identity(value) {
  if (!identities.has(value)) identities.set(value, (identity_count += 1));
  return identities.get(value);
}

// Python classes: methods and properties by name, an instance made by calling.
function prototype(parts, base = Object.prototype) {
  const made = Object.create(base);
  Object.assign(made, parts.methods);
  for (const [name, get] of Object.entries(parts.getters)) {
    Object.defineProperty(made, name, { get, configurable: true });
  }
  return made;
}

function factory(parts) {
  const base = prototype(parts);
  return (...args) => {
    const made = Object.create(base);
    made.__init__(...args);
    return made;
  };
}

// Python dataclasses: the arguments are the fields.
function record(names, parts) {
  const base = prototype(parts);
  return def(names, (...values) => {
    const made = Object.create(base);
    names.forEach((name, i) => (made[name] = values[i]));
    return made;
  });
}

const Drawing = def(
  ["layers", "xlim", "ylim", "title", "legend", "limits", "axes", "hover"],
  (layers, xlim, ylim, title = "", legend = {}, limits = {}, axes = {}, hover = "") =>
    ({ layers, xlim, ylim, title, legend, limits, axes, hover }),
);

const refuse = def(["who", "rule", "got", "fix"], (who, rule, got, fix = "") => {
  const shown = got instanceof Nd && got.size > 4 ? `an array of shape ${py.repr(got.shape)}` : py.repr(got);
  const short = shown.length <= 60 ? shown : `${shown.slice(0, 57)}...`;
  throw new ValueError_(`${who} ${rule}, not ${short}${fix ? `; ${fix}` : ""}.`);
});

// Draws of the seeds that the page was saved with are Python's; others are the page's own.
const tape = new Map();

const taped = () => new Set([...tape.keys()].map((key) => key.split("|")[0]));

function generator(seed) {
  const own = new PageRandom(seed);
  let count = 0;
  const draw = (method) => def(["loc", "scale", "size"], (...args) => {
    const key = `${seed}|${count++}|${method}|${JSON.stringify(args)}`;
    return tape.has(key) ? tape.get(key).copy() : own[method](...args);
  });
  return Object.fromEntries(["standard_normal", "uniform", "permutation", "integers"].map((name) => [name, draw(name)]));
}

const $ = {
  Slice, ELLIPSIS, Kw, Nd, def, op, py, np, truth, iter, at, put, call, contains, format, factory, record, refuse,
  generator, Drawing,
  math: {
    ...Object.fromEntries(Object.getOwnPropertyNames(Math).map((name) => [name, Math[name]])),
    pi: Math.PI, inf: Infinity, nan: NaN, radians: (x) => (x * Math.PI) / 180, fabs: Math.abs,
    isfinite: Number.isFinite, isnan: Number.isNaN,
  },
  get: (owner, name) => (typeof owner[name] === "function" ? owner[name].bind(owner) : owner[name]),
  and: (a, b) => (truth(a) ? b() : a),
  or: (a, b) => (truth(a) ? a : b()),
  isinstance: (x, names) => names.some((name) => py.isinstance_(x, name) || typename(x) === name || is_kind(x, name)),
  typename: (x) => typename(x),
  lanes: (objectives) => new Lanes(objectives),
  label_of: (member) => member.label || member.title || typename(member),
  packed: (text, shape) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Nd(new Float64Array(bytes.buffer), shape);
  },
  perf_counter: () => performance.now() / 1000,
  line_columns: def(["xs", "ys", "values", "at"], level_lines),
  descend: def(
    ["objective", "rule", "start", "steps", "clip", "clip_norm", "schedule", "noise", "seed", "batches"],
    (objective, rule, start, steps, clip = null, clip_norm = null, schedule = null, noise = 0, seed = 0, batches = null) =>
    {
      if (rule.stored || objective.stored) return experiment.store.run(objective, rule, start, steps, clip);
      for (const each of [rule].flat()) each.check();
      const drawn = noise ? gradient_noise(noise, seed, steps, objective.dim) : undefined;
      return descend(objective, rule, start, steps, { clip, clipNorm: clip_norm, schedule, noise: drawn, batches });
    },
  ),
  names_of: (member) => member.hyperparameters ?? member.kind?.hyperparameters ?? member.kind?.shape ?? [],
  setting: (member, name) => Number(member.read(name)),
  with_setting: (member, name, value) => changed_member(member, name, value),
  filtered: def(["rule", "gradients", "clip", "rates"], (rule, gradients, clip = null, rates = null) =>
    filtered(rule, gradients, { clip, rates })),
  shut: (rule) => (rule instanceof Rule ? rule.shut() : []),
  rule_mathml: (rule) => rule.formula(),
  objective_mathml: (objective) => objective.formula(),
  hyperparameter_mathml: (member) => member.numbers(),
};
const UFUNCS = { less: "lt", less_equal: "le", greater: "gt", greater_equal: "ge", equal: "eq", not_equal: "ne" };
for (const [name, short] of Object.entries(UFUNCS)) $.np[name] = op[short];
$.py.id = identity;
$.py.hasattr = py.hasattr_;
$.py.getattr = py.getattr_;
$.py.ValueError = (text) => new ValueError_(text);
Nd.prototype[Symbol.iterator] ??= function* () { yield* iter(this); };

const typename = (x) => x?.kind?.name ?? x?.constructor?.name ?? typeof x;
const is_kind = (x, name) => name === "Rule" && x instanceof Rule;
