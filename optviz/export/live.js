// The live page: an experiment printed from Python, its controls, and the plots that Bokeh drew.

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

const Drawing = def(
  ["layers", "xlim", "ylim", "title", "legend", "limits"],
  (layers, xlim, ylim, title = "", legend = {}, limits = {}) => ({ layers, xlim, ylim, title, legend, limits }),
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
  return { standard_normal: draw("standard_normal"), uniform: draw("uniform"), permutation: draw("permutation") };
}

// Rules, surfaces, losses and schedules as Python's classes: called with settings, they make one.
const kinds = {
  rule: (kind) => making(kind, (values) => {
    const steps = kind.presetSteps === null ? {} : { preset_steps: kind.presetSteps };
    return Object.assign(new Rule(kind, values), { label: kind.label }, steps);
  }),
  surface: (kind) => making(kind, (values) => {
    const made = new Surface(kind, values);
    kind.shape.forEach((name, i) => Object.defineProperty(made, name, { get: () => made.shape[i] }));
    return made;
  }),
  schedule: (kind) => making(kind, (values) => new Schedule(kind, values)),
  loss: (readings, name = Object.keys(readings)[0]) => def(["x", "y", "loss", "delta", "beta"], (x, y, loss = name, ...shape) =>
    new DataLoss(readings[loss], x, y, shape.length ? shape : undefined)),
};

function making(kind, make) {
  return (keywords) => {
    const made = make(keywords?.values ?? {});
    const { methods, getters } = kind.members ?? { methods: {}, getters: {} };
    for (const [name, get] of Object.entries(getters)) Object.defineProperty(made, name, { get });
    return Object.assign(made, methods);
  };
}

const $ = {
  Slice, ELLIPSIS, Kw, Nd, def, op, py, np, truth, iter, at, put, call, contains, format, factory, refuse, generator,
  Drawing,
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
  line_columns: def(["xs", "ys", "values", "at"], level_lines),
  descend: def(
    ["objective", "rule", "start", "steps", "clip", "clip_norm", "schedule", "noise", "seed", "batches"],
    (objective, rule, start, steps, clip = null, clip_norm = null, schedule = null, noise = 0, seed = 0, batches = null) =>
    {
      if (rule.stored || objective.stored) return experiment.store.run(rule, steps);
      for (const each of [rule].flat()) each.check();
      const drawn = noise ? gradient_noise(noise, seed, steps, objective.dim) : undefined;
      return descend(objective, rule, start, steps, { clip, clipNorm: clip_norm, schedule, noise: drawn, batches });
    },
  ),
  names_of: (member) => member.kind?.hyperparameters ?? member.kind?.shape ?? [],
  setting: (member, name) => Number(member.read(name)),
  with_setting: (member, name, value) => changed_member(member, name, value),
  lane_map: (objective, rule, start, steps, [first, second], across, up, tolerance, lowest) =>
    rule.stored || objective.stored // no run but the stored ones: nothing to show on a map
      ? Object.fromEntries(["loss", "first", "arrived", "diverged"].map((n) => [n, filled([up.size, across.size])]))
      : laneMap(objective, rule, start, steps, first, second, across, up, tolerance, lowest),
  filtered: def(["rule", "gradients", "clip", "rates"], (rule, gradients, clip = null, rates = null) =>
    filtered(rule, gradients, { clip, rates })),
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

$.kinds = kinds;
const typename = (x) => x?.kind?.name ?? x?.constructor?.name ?? typeof x;
const is_kind = (x, name) => name === "Rule" && x instanceof Rule;

Object.assign(Rule.prototype, {
  read(name) { return this.values[name]; },
  assign(name, value) { Object.assign(this, new Rule(this.kind, { ...this.values, [name]: value })); },
  check() { this.refusal?.call(this.values); },
  off() { return Object.entries(this.kind.off).filter(([n, idle]) => this.values[n] === idle).map(([n]) => n); },
  formula() {
    const flags = this.kind.flags.map((flag) => (this.values[flag] ? "1" : "0"));
    return this.kind.formulas[`${flags.join("")}|${this.off().join(" ")}`];
  },
  numbers() {
    const off = this.off();
    const shown = this.kind.hyperparameters.filter((n) => !this.kind.flags.includes(n) && !off.includes(n));
    return shown.map((n) => [this.kind.symbols[n], format(this.values[n], ".6g")]);
  },
});

// The same rule or surface with another value of one of its numbers.
function changed_member(member, name, value) {
  const made = Object.assign(Object.create(Object.getPrototypeOf(member)), member);
  if (member instanceof Surface) made.shape = [...member.shape];
  made.assign(name, value);
  return made;
}

// Gradient noise (steps, dim, lanes), a seed a lane.
function gradient_noise(scale, seed, steps, dim) {
  const each = iter(np.atleast_1d(seed)).map((s) => $.call(generator(s), "standard_normal", [steps, dim]));
  return op.mul(scale, np.stack(each, new Kw({ axis: -1 })));
}

DataLoss.prototype.landscape = def(["axis0", "axis1", "samples"], DataLoss.prototype.landscape);

Object.assign(Surface.prototype, {
  traced: true,
  shape_names() { return this.kind.shape; },
  shape_values() { return [...this.shape]; },
  read(name) { return this.shape[this.kind.shape.indexOf(name)]; },
  assign(name, value) { this.shape[this.kind.shape.indexOf(name)] = value; },
  formula() { return this.kind.formula; },
  numbers() { return this.kind.shape.map((n, i) => [this.kind.symbols[n], format(this.shape[i], ".6g")]); },
});

// A rule or an objective that only Python can run, and the runs that the page carries of it.
class StoredMember {
  constructor(spec) {
    Object.assign(this, spec, { stored: true });
  }

  check() {}
  shape_names() { return []; }
  shape_values() { return []; }
  read(name) { return this.values[name]; }
  assign(name, value) { this.values[name] = value; }
  formula() { return this.text; }
  numbers() { return []; }
  value() { return this.map; }
}

class Store {
  constructor({ pair, knobs, steps, start, reason, data }) {
    Object.assign(this, { pair, knobs, steps, start, reason, diverged: data.diverged });
    this.x = unpacked(data.x);
    this.loss = unpacked(data.loss);
  }

  // Which run is nearest to where the knobs stand.
  place(rule) {
    return Object.entries(this.knobs).reduce(
      (place, [name, values]) => place * values.length + nearest(values, rule.read(name)), 0);
  }

  run(rule, steps) {
    const [place, dim] = [this.place(rule), this.x.shape[2]];
    const run = new Trajectory(steps, 1, dim, [], null);
    const from = place * (this.steps + 1);
    run.x.data.set(this.x.data.subarray(from * dim, (from + steps + 1) * dim));
    run.loss.data.set(this.loss.data.subarray(from, from + steps + 1));
    run.updates.data.forEach((_, k) => { run.updates.data[k] = run.x.data[k + dim] - run.x.data[k]; });
    run.diverged.data[0] = this.diverged[place] <= steps ? this.diverged[place] : 0;
    return run;
  }
}

// The runs of an experiment that only torch can make, over one or two knobs of its own.
class Replay {
  constructor({ knobs, steps, fixed, reason, data }) {
    Object.assign(this, { knobs, steps, fixed, reason, diverged: data.diverged, every: data.every });
    for (const group of ["rows", "tenths", "always"]) {
      this[group] = Object.fromEntries(Object.entries(data[group]).map(([name, packed]) => [name, unpacked(packed)]));
    }
  }

  // Move parameters to where there is a run.
  hold(experiment) {
    Object.assign(experiment, this.fixed, { steps: Math.min(experiment.steps, this.steps) });
    for (const [name, values] of Object.entries(this.knobs)) experiment[name] = values[nearest(values, experiment[name])];
  }

  run({ steps, ...experiment }) {
    const place = Object.entries(this.knobs).reduce(
      (at, [name, values]) => at * values.length + nearest(values, experiment[name]), 0);
    const cut = (all, rows) => {
      const [, count, ...rest] = all.shape;
      const size = rest.reduce((a, b) => a * b, 1);
      return new Nd(all.data.slice(place * count * size, (place * count + rows) * size), [rows, ...rest]);
    };
    const part = (group, rows) => Object.fromEntries(Object.entries(group).map(([name, all]) => [name, cut(all, rows)]));
    const diverged = this.diverged[place] <= steps ? this.diverged[place] : 0;
    return { ...part(this.rows, steps + 1), ...part(this.tenths, Math.floor(steps / this.every) + 1), ...this.always,
      done: steps, diverged };
  }
}

function nearest(values, wanted) {
  const away = values.map((value) => Math.abs(value - wanted));
  return away.indexOf(Math.min(...away));
}

function unpacked({ float32, float64, shape }) {
  const bytes = Uint8Array.from(atob(float32 ?? float64), (c) => c.charCodeAt(0));
  return new Nd(Float64Array.from(float32 ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer)), shape);
}

// Level lines of values (rows from the bottom) by marching squares: contourpy's lines, in the browser.
function level_lines(xs, ys, values, levels) {
  const found = { xs: [], ys: [] };
  for (const level of iter(levels)) {
    for (const line of lines_at(xs.data, ys.data, values.data, level)) {
      found.xs.push(Float64Array.from(line, (p) => p[0]));
      found.ys.push(Float64Array.from(line, (p) => p[1]));
    }
  }
  return found;
}

// Where the level crosses the edges of each cell, pair by pair, joined end to end.
function lines_at(xs, ys, z, level) {
  const [nx, ny] = [xs.length, ys.length];
  const points = new Map(); // edge -> the point, and the edges that its lines lead to
  const point = (edge) => {
    if (!points.has(edge)) {
      const [k, across] = [edge >> 1, edge & 1];
      const [i, j] = [k % nx, Math.floor(k / nx)];
      const other = across ? k + nx : k + 1;
      const share = (level - z[k]) / (z[other] - z[k]);
      const at = across ? [xs[i], ys[j] + share * (ys[j + 1] - ys[j])] : [xs[i] + share * (xs[i + 1] - xs[i]), ys[j]];
      points.set(edge, { at, ends: [] });
    }
    return points.get(edge);
  };
  const join = (a, b) => { point(a).ends.push(b); point(b).ends.push(a); };
  for (let j = 0; j < ny - 1; j += 1) {
    for (let i = 0; i < nx - 1; i += 1) {
      const k = j * nx + i;
      const corners = [z[k], z[k + 1], z[k + nx + 1], z[k + nx]];
      const above = corners.map((value) => value > level);
      if (above.every((a) => a === above[0]) || corners.some(Number.isNaN)) continue;
      const edges = [2 * k, 2 * (k + 1) + 1, 2 * (k + nx), 2 * k + 1];
      const cut = edges.filter((_, e) => above[e] !== above[(e + 1) % 4]);
      if (cut.length === 2) join(cut[0], cut[1]);
      else {
        const middle = (corners[0] + corners[1] + corners[2] + corners[3]) / 4 > level;
        const [a, b] = middle === above[0] ? [[0, 1], [2, 3]] : [[3, 0], [1, 2]];
        join(edges[a[0]], edges[a[1]]);
        join(edges[b[0]], edges[b[1]]);
      }
    }
  }
  return traced(points);
}

function traced(points) {
  const lines = [];
  const walk = (edge) => {
    const line = [points.get(edge).at];
    for (let here = edge; ;) {
      const next = points.get(here).ends.pop();
      if (next === undefined) break;
      const back = points.get(next).ends;
      back.splice(back.indexOf(here), 1);
      line.push(points.get(next).at);
      here = next;
    }
    if (line.length > 1) lines.push(line);
  };
  for (const [edge, { ends }] of points) if (ends.length === 1) walk(edge);
  for (const [edge, { ends }] of points) if (ends.length) walk(edge);
  return lines;
}

// What `optviz.experiment.Experiment` is in Python: parameters, results, pictures.
class Experiment {
  constructor(parts, state) {
    Object.setPrototypeOf(this, prototype(parts, Experiment.prototype));
    Object.assign(this, state.values, state.attributes);
    this.state = state;
    this.memo = new Map();
    this.message = "";
    this.watchers = [];
  }

  follow() { return {}; }
  status() { return ""; }
  side() { return {}; }
  shade() { return {}; }
  take(owner, values) { for (const [name, value] of Object.entries(values)) owner.assign(name, value); }
  bound(name, low, high) { this.page?.bound(name, low, high); }
  chosen(kind, name) {
    const make = this.state.members[kind][name];
    if (!make) throw new ValueError_(`${name} runs through torch and is not among the runs of this page.`);
    return make();
  }

  // What torch has trained in Python, from the runs that the page carries.
  trained() { return this.store.run(this); }

  offered(kind, name, member) { return $.label_of(member); }

  remember(name, key, make) {
    const kept = this.memo.get(name);
    if (kept && alike(kept.key, key)) return kept.value;
    const value = make();
    this.memo.set(name, { key, value });
    return value;
  }

  // Change parameters, let others follow, compute and draw; a refusal leaves all as it was drawn.
  change(values) {
    Object.assign(this, values);
    this.settle(new Set(Object.keys(values)));
    this.refresh();
  }

  settle(changed) {
    if (changed.size) Object.assign(this, this.follow(changed));
    if (!this.replays()) return;
    if (this.store instanceof Replay) {
      this.store.hold(this);
      return;
    }
    const [start_x, start_y] = this.store.start; // stored runs have one start, and so many steps
    Object.assign(this, { start: [start_x, start_y], start_x, start_y, steps: Math.min(this.steps, this.store.steps) });
  }

  // Whether what is shown comes from stored runs.
  replays() {
    if (this.store instanceof Replay) return true;
    const pair = this.store?.pair;
    return Boolean(pair) && $.label_of(this.optimizer) === pair[0] && $.label_of(this.objective) === pair[1];
  }

  // What a click does, written in Python as assignments to parameters.
  act(method, ...args) {
    if (this.replays()) return;
    const before = { ...this };
    this[method](...args);
    const changed = Object.keys(this.state.values).filter((name) => this[name] !== before[name]);
    this.settle(new Set(changed));
    this.refresh();
  }

  refresh() {
    let results;
    try {
      results = this.compute();
    } catch (refusal) {
      if (!(refusal instanceof ValueError_)) throw refusal;
      this.message = refusal.message;
      this.tell();
      return;
    }
    this.results = results;
    this.message = "";
    this.drawings = this.draw();
    this.tell();
  }

  tell() { for (const watcher of this.watchers) watcher(this); }
}

// Equal keys, as in Python: tuples part by part, arrays only if they are the same.
function alike(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => alike(v, b[i]));
  return Object.is(a, b);
}

// Bokeh's names for the columns of rectangles.
const EDGES = { left: "x0", bottom: "y0", right: "x1", top: "y1" };

function same(a, b) {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length || typeof a[0] === "object") return false;
  for (let i = 0; i < a.length; i += 1) if (!Object.is(a[i], b[i])) return false;
  return true;
}

function imageOf(values) {
  const cells = Float32Array.from(numbersOf(values));
  return Object.assign(cells, { shape: values.shape, dimension: 2, dtype: "float32" });
}

// One figure: its sources, ranges and texts, brought up to what a drawing says.
class LiveFigure {
  constructor(spec, model) {
    this.spec = spec;
    this.layers = Object.entries(spec.sources).map(([name, layer]) => ({
      name, columns: layer.columns, dotted: layer.dotted, source: model(layer.source), glyph: model(layer.glyph),
      dots: layer.dots && model(layer.dots), mapper: layer.mapper && model(layer.mapper), shown: {},
    }));
    this.ranges = [model(spec.x_range), model(spec.y_range)];
    this.limits = [null, null];
    this.caption = model(spec.caption);
  }

  push(drawing, caption) {
    for (const layer of this.layers) this.put(layer, drawing.layers[layer.name]);
    for (const { name, mapper } of this.layers) {
      const limits = drawing.limits[name];
      if (mapper && limits) update(mapper, { low: limits[0], high: limits[1] });
    }
    [drawing.xlim, drawing.ylim].forEach((limits, i) => {
      if (!same(limits, this.limits[i])) this.ranges[i].setv({ start: limits[0], end: limits[1] });
      this.limits[i] = [...limits];
    });
    update(this.caption, { text: escaped(caption) });
  }

  put(layer, columns) {
    const first = Object.keys(columns)[0];
    if (layer.drawn === columns) return;
    layer.drawn = columns;
    const data = "image" in columns ? this.box(columns) : this.columns(layer, columns);
    const keys = Object.keys(data);
    if (keys.every((key) => same(layer.shown[key], data[key]))) return;
    layer.shown = data;
    layer.source.data = data;
    const size = numbersOf(columns[first]).length;
    update(layer.glyph, { visible: size > 0 });
    if (layer.dots) update(layer.dots, { visible: size <= layer.dotted });
  }

  columns(layer, columns) {
    return Object.fromEntries(layer.columns.map((name) => [name, numbersOf(columns[EDGES[name] ?? name])]));
  }

  box(columns) {
    const [x0, y0, x1, y1] = ["x", "y", "x1", "y1"].map((name) => at(columns[name], 0));
    return { image: [imageOf(columns.image[0])], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
  }
}

function update(model, values) {
  const changed = Object.entries(values).filter(([name, value]) => model[name] !== value);
  if (changed.length) model.setv(Object.fromEntries(changed));
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text) => text.replace(/[&<>"']/g, (c) => ESCAPES[c]);

// Controls and plots of one experiment, tied together.
class LivePage {
  constructor(experiment, spec, document) {
    Object.assign(this, { experiment, spec });
    this.model = (id) => document.get_model_by_id(id);
    this.figures = Object.fromEntries(spec.figures.map((f) => [f.name, new LiveFigure(f, this.model)]));
    this.status = this.model(spec.status);
    this.message = this.model(spec.message);
    this.blocks = Object.fromEntries(Object.entries(spec.blocks).map(([name, id]) => [name, this.model(id)]));
    this.quiet = false;
    const steps = spec.controls.find((control) => control.name === "steps");
    this.most = steps && this.model(steps.model).end;
    experiment.page = this;
    experiment.watchers.push(() => this.push());
    spec.controls.forEach((control) => this.connect(control));
    spec.figures.forEach((figure) => this.listen(figure));
  }

  owner(control) { return control.member ? this.experiment[control.member[0]] : this.experiment; }

  shown(control) {
    return !control.member || $.label_of(this.experiment[control.member[0]]) === control.member[1];
  }

  connect(control) {
    const model = this.model(control.model);
    if (control.event) {
      model.on_event("button_click", () => this.experiment.change({ [control.name]: true }));
      return;
    }
    model.properties[control.property].change.connect(() => {
      const chosen = model[control.property]; // a menu of numbers holds texts
      const value = typeof this.value(control) === "number" && typeof chosen === "string" ? Number(chosen) : chosen;
      if (this.quiet || value === null || value === this.value(control)) return;
      if (control.member) this.member(control, value);
      else this.experiment.change({ [control.name]: value });
    });
  }

  member(control, value) {
    if (!this.shown(control)) return;
    this.owner(control).assign(control.name, value);
    this.experiment.refresh();
  }

  value(control) {
    return control.member ? this.owner(control).read(control.name) : this.experiment[control.name];
  }

  listen(figure) {
    const model = this.model(figure.model);
    if (figure.tap) model.on_event("tap", (event) => this.experiment.act(figure.tap, event.x, event.y));
    if (figure.span) {
      model.on_event("rangesupdate", ({ x0, x1, y0, y1 }) => this.experiment.act(figure.span, x0, x1, y0, y1));
    }
    if (figure.drag) model.properties.tags.change.connect(() => this.experiment.act(figure.drag, ...model.tags));
  }

  bound(name, low, high) {
    const control = this.spec.controls.find((c) => c.name === name && !c.member);
    if (control) update(this.model(control.model), { start: low, end: high });
  }

  push() {
    const { experiment, spec } = this;
    update(this.message, { text: escaped(`<p>${escaped(experiment.message)}</p>`), visible: experiment.message !== "" });
    if (experiment.message) return;
    this.follow();
    for (const [name, figure] of Object.entries(this.figures)) {
      const drawing = experiment.drawings[name];
      figure.push(drawing, spec.wrapped(spec.caption(figure.spec, drawing), "caption"));
    }
    update(this.status, { text: escaped(spec.wrapped(experiment.status(), "status")) });
    this.draws();
    for (const [name, text] of Object.entries(experiment.side())) {
      update(this.blocks[name], { text: escaped(spec.wrapped(text, name)) });
    }
  }

  // Say where random numbers come from, where there are any.
  draws() {
    const seeds = taped();
    if (!seeds.size) return;
    const own = !seeds.has(String(this.experiment.seed));
    document.getElementById("draws").textContent = own
      ? `Seed ${this.experiment.seed}: these random numbers are drawn by the page itself (sfc32, Box and Muller), `
        + "not by numpy: in Python this seed gives others."
      : `Seed ${this.experiment.seed}: these random numbers are numpy's own, stored in the page; `
        + "another seed is drawn by the page itself (sfc32, Box and Muller).";
  }

  // A control that cannot act is disabled, and a sentence says why.
  freeze() {
    const { store } = this.experiment;
    if (!store) return;
    const frozen = this.experiment.replays();
    const shown = this.spec.controls.filter((control) => this.shown(control));
    const still = shown.filter((control) => frozen && !this.acts(control));
    for (const control of shown) update(this.model(control.model), { disabled: still.includes(control) });
    this.bound("steps", 1, frozen ? store.steps : this.most);
    if (store instanceof Replay) for (const [name, v] of Object.entries(store.knobs)) this.bound(name, v[0], v.at(-1));
    const knobs = Object.entries(store.knobs).map(([name, v]) => `${name} from ${format(v[0], ".4g")} to ${format(v.at(-1), ".4g")}`);
    const names = still.map((control) => this.model(control.model).title || this.model(control.model).label);
    document.getElementById("frozen").textContent = !frozen ? "" : `${store.reason}${knobs.length ? `, over ${knobs.join(" and ")}` : ""}, `
      + `of ${store.steps} steps each; the nearest is shown.${names.length ? ` Frozen here: ${names.join(", ")}.` : ""}`;
  }

  acts(control) {
    const { store, optimizer, objective } = this.experiment;
    if (store instanceof Replay) return control.event || control.name === "steps" || control.name in store.knobs;
    if (control.member) return control.member[0] === "optimizer" && control.name in store.knobs;
    if (control.name === "optimizer_name") return !objective.stored;
    if (control.name === "objective_name") return !optimizer.stored;
    return control.event || control.name === "steps";
  }

  // Controls show what the parameters are, also where others moved them.
  follow() {
    this.quiet = true;
    this.freeze();
    for (const control of this.spec.controls) {
      if (control.event || !this.shown(control)) continue;
      const [model, value] = [this.model(control.model), this.value(control)];
      update(model, { [control.property]: model.options && typeof value === "number" ? String(value) : value });
    }
    this.arrange();
    this.shade();
    this.quiet = false;
  }

  // Colour the part of a slider that is unstable.
  shade() {
    for (const [name, start] of Object.entries(this.experiment.shade())) {
      const parameter = name.split(".").at(-1);
      const control = this.spec.controls.find((c) => c.name === parameter && this.shown(c));
      const model = control && this.model(control.model);
      if (!model || model.start === undefined) continue;
      const own = (model.own_sheets ??= [...model.stylesheets]), css = this.spec.shading(start, model.start, model.end);
      if (model.shaded !== css) { model.stylesheets = [...own, css]; model.shaded = css; }
    }
  }

  // Columns hold the controls of what is chosen, and of nothing else.
  arrange() {
    const columns = new Map();
    for (const group of this.spec.groups)
      columns.set(group.parent, [...(columns.get(group.parent) ?? []), ...(this.shown(group) ? [this.model(group.model)] : [])]);
    for (const [id, children] of columns) {
      const column = this.model(id);
      if (children.some((child, i) => child !== column.children[i]) || children.length !== column.children.length)
        column.children = children;
    }
  }
}
