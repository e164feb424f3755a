// The loop of optviz/runs/descent.py: walk a surface or a loss with a rule, one lane after another.
// Rules, objectives and schedules are made from the literals that kernels.py prints; arrays
// are `Nd` (arrays.js), in the shapes that optviz/runs/trajectory.py states.
import { Nd } from "./arrays.js";

// Python's % and //: the remainder has the divisor's sign.
export function modulo(a, b) {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

export function floorDivide(a, b) {
  const whole = (a - modulo(a, b)) / b;
  const floor = Math.floor(whole);
  return whole - floor > 0.5 ? floor + 1 : floor;
}

export const isNumber = (value) => typeof value === "number";
export const numbersOf = (value) => (value instanceof Nd ? value.data : value);
const isList = (value) => Array.isArray(numbersOf(value)) || ArrayBuffer.isView(numbersOf(value));
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
export const filled = (shape, value = NaN) => new Nd(new Float64Array(sizeOf(shape)).fill(value), shape);

// The length of what runs over lanes; a single one serves them all.
function commonLength(lengths) {
  const longest = Math.max(...lengths);
  if (lengths.every((length) => length === 1 || length === longest)) return longest;
  throw new Error(`Starts, hyperparameters, objectives and noise need one length, not ${lengths.join(", ")}.`);
}

export function ofLane(value, lane) {
  const numbers = numbersOf(value);
  return isList(numbers) ? numbers[numbers.length === 1 ? 0 : lane] : numbers;
}

// An update rule with its hyperparameters: numbers, flags, or arrays with one entry a lane.
export class Rule {
  constructor(kind, values = {}) {
    this.kind = kind;
    this.name = kind.name;
    this.values = { ...kind.defaults, ...values };
    const flags = kind.flags.map((flag) => (this.values[flag] ? "1" : "0")).join("");
    this.terms = kind.terms[flags];
    this.update = kind.update[flags];
    this.walk = kind.walk[flags]; // the update as `runs.js` takes it
    this.stand = kind.stand?.[flags] ?? null;
    this.probe = kind.probe?.[flags] ?? null;
    if (!this.update) throw new Error(`${this.name} refuses this setting of ${kind.flags.join(", ")}.`);
  }

  get memory() { return this.kind.memory; }
  get coupled() { return this.kind.coupled; }
  get curvature() { return this.kind.curvature ?? false; }

  lanes() {
    return commonLength([1, ...Object.values(this.values).filter(isList).map((value) => numbersOf(value).length)]);
  }

  // The hyperparameters of one lane.
  at(lane) {
    return Object.fromEntries(Object.entries(this.values).map(([name, value]) => [name, ofLane(value, lane)]));
  }

  // Where the update keeps the terms of each coordinate; the carried ones begin at their first values.
  memories(h, start) {
    const terms = this.terms.map((name) => [name, NaN]);
    const made = [...start].map((x) => {
      const known = { x, x_1: start[0], x_2: start[1], ...h };
      const carried = Object.entries(this.kind.memory).map(([name, first]) => [name, isNumber(first) ? first : known[first]]);
      return Object.fromEntries([...terms, ...carried]);
    });
    return this.kind.coupled ? made.map(() => made[0]) : made;
  }

  // Where the gradient is taken.
  standing(h, memories, x) {
    if (!this.stand) return x;
    return this.kind.coupled ? this.stand(h, memories[0], x) : x.map((each, i) => this.stand(h, memories[i], each));
  }

  // The step of each coordinate; a coupled rule sees them all, and the Hessian.
  step(h, memories, x, g, t, objective) {
    const bends = this.kind.curvature && objective.hessianAt(x);
    if (bends) memories.forEach((memory, i) => { memory.H = this.kind.coupled ? bends : bends[i][i]; });
    if (this.kind.coupled) {
      return this.update(h, memories[0], x, g, t);
    }
    const step = [];
    for (let i = 0; i < x.length; i++) step.push(this.update(h, memories[i], x[i], g[i], t));
    return step;
  }
}

// What surfaces and losses share. Shape parameters are given by name, or all in their order.
class Objective {
  constructor(kind, shapeValues = {}) {
    const named = isList(shapeValues) ? numbersOf(shapeValues) : kind.shape.map((name) => shapeValues[name]);
    this.kind = kind;
    this.shape = kind.shapeDefaults.map((value, i) => named[i] ?? value);
    this.dim = kind.names.length;
    for (const name of ["names", "label", "domain", "minima", "starts", "lowest"]) this[name] = kind[name];
    Object.assign(this, { is_curve: Boolean(kind.is_curve), at_edge: Boolean(kind.at_edge), usual_steps: kind.usual_steps ?? null });
  }

  // The value at each point, in the shape that the coordinates broadcast to.
  value(...coordinates) {
    return elementwise((point) => this.lossAt(point), coordinates);
  }
}

export class Surface extends Objective {
  lossAt(point) {
    return this.kind.call(this.kind.value, point, this.shape);
  }

  gradientAt(point) {
    return this.kind.call(this.kind.gradient, point, this.shape);
  }

  // The rows of the Hessian.
  hessianAt(point) {
    return rowsOf(this.kind.call(this.kind.hessian, point, this.shape), this.dim);
  }
}

// The mean over samples of one sample's loss; a batch gives the indices of some. Of three columns the last are classes,
// 0 or 1, which formulas know as sides, -1 or 1.
export class DataLoss extends Objective {
  constructor(kind, columns, shapeValues = {}) {
    super(kind, shapeValues);
    const [x, y, classes] = columns.map((column) => Float64Array.from(numbersOf(column)));
    Object.assign(this, { x, y, side: classes && classes.map((each) => 2 * each - 1) });
    this.columns = Array.from({ length: this.dim ** 2 }, () => []); // room for `means`, kept: it is called often
    this.sums = new Float64Array(this.x.length);
  }

  // As `means`, without an array of its own: a map asks ten thousand times.
  lossAt(point, batch = null) {
    const { x, y, side, shape } = this, { call, value } = this.kind, which = numbersOf(batch), n = (which ?? x).length;
    const column = this.sums.length >= n ? this.sums : (this.sums = new Float64Array(n));
    for (let k = 0; k < n; k++) {
      const at = which ? which[k] : k;
      column[k] = side ? call(value, point, x[at], y[at], side[at], shape) : call(value, point, x[at], y[at], shape);
    }
    return pairwiseSum(column, 0, n) / n;
  }

  gradientAt(point, batch = null) {
    return this.means(this.kind.gradient, this.dim, point, batch);
  }

  hessianAt(point, batch = null) {
    return rowsOf(this.means(this.kind.hessian, this.dim ** 2, point, batch), this.dim);
  }

  // The means over samples of the numbers that one of the literal's functions gives.
  means(reading, count, point, batch) {
    const which = numbersOf(batch);
    const n = (which ?? this.x).length;
    const columns = this.columns.slice(0, count);
    for (let k = 0; k < n; k++) {
      const at = which ? which[k] : k;
      const each = this.side ? this.kind.call(reading, point, this.x[at], this.y[at], this.side[at], this.shape)
        : this.kind.call(reading, point, this.x[at], this.y[at], this.shape);
      if (isNumber(each)) columns[0][k] = each;
      else for (let i = 0; i < count; i++) columns[i][k] = each[i];
    }
    return columns.map((column) => pairwiseSum(column, 0, n) / n);
  }

  // The mean loss on the grid of two axes, the first down the rows; with `samples`, each one's own loss.
  landscape(axis0, axis1, samples = null) {
    const [a, b] = [axis0, axis1].map((axis) => Float64Array.from(numbersOf(axis)));
    const grid = [new Nd(a, [a.length, 1]), new Nd(b, [b.length])];
    if (samples === null) return this.value(...grid);
    const which = Float64Array.from(isNumber(samples) ? [samples] : numbersOf(samples));
    return elementwise(([k, ...point]) => this.lossAt(point, [k]), [new Nd(which, [which.length, 1, 1]), ...grid]);
  }
}

// Several objectives of the same variables as one: lane k walks the k-th of them.
export class Lanes {
  constructor(objectives) {
    this.objectives = [...objectives];
    this.names = this.objectives[0].names;
    this.dim = this.names.length;
  }

  // Each lane's own loss; the last axis of the coordinates runs over lanes.
  value(...coordinates) {
    return elementwise((point, at) => this.objectives[at % this.objectives.length].lossAt(point), coordinates);
  }
}

export function rowsOf(entries, rows, width = rows) {
  return Array.from({ length: rows }, (_, i) => entries.slice(i * width, (i + 1) * width));
}

// numpy's order of addition, so that a mean has numpy's rounding.
function pairwiseSum(a, from, n) {
  if (n > 128) {
    const half = Math.floor(n / 2) - (Math.floor(n / 2) % 8);
    return pairwiseSum(a, from, half) + pairwiseSum(a, from + half, n - half);
  }
  let sum = 0;
  let at = from;
  if (n >= 8) {
    let r0 = a[at], r1 = a[at + 1], r2 = a[at + 2], r3 = a[at + 3], r4 = a[at + 4], r5 = a[at + 5], r6 = a[at + 6], r7 = a[at + 7];
    for (at += 8; at + 8 <= from + n; at += 8) {
      r0 += a[at];
      r1 += a[at + 1];
      r2 += a[at + 2];
      r3 += a[at + 3];
      r4 += a[at + 4];
      r5 += a[at + 5];
      r6 += a[at + 6];
      r7 += a[at + 7];
    }
    sum = r0 + r1 + (r2 + r3) + (r4 + r5 + (r6 + r7));
  }
  for (; at < from + n; at++) sum += a[at];
  return sum;
}

// f(point, index) at each point of numbers and arrays that broadcast; a number where all are numbers.
function elementwise(f, coordinates) {
  const depth = Math.max(...coordinates.map((each) => each.shape?.length ?? 0));
  if (depth === 0) return f(coordinates, 0);
  const shapes = coordinates.map(({ shape = [] }) => [...Array(depth - shape.length).fill(1), ...shape]);
  const shape = shapes[0].map((_, axis) => commonLength(shapes.map((each) => each[axis])));
  const strides = shapes.map((each) => each.map((n, axis) => (n === 1 ? 0 : sizeOf(each.slice(axis + 1)))));
  const sources = coordinates.map((each) => (each instanceof Nd ? each.data : [each]));
  const [index, places, point] = [shape.map(() => 0), sources.map(() => 0), sources.map(() => 0)];
  const out = filled(shape);
  for (let k = 0; k < out.data.length; k++) {
    for (let j = 0; j < point.length; j++) point[j] = sources[j][places[j]];
    out.data[k] = f(point, k);
    for (let axis = depth - 1, carry = true; carry && axis >= 0; axis--) {
      carry = ++index[axis] === shape[axis];
      for (let j = 0; j < point.length; j++) places[j] += strides[j][axis] * (carry ? 1 - shape[axis] : 1);
      if (carry) index[axis] = 0;
    }
  }
  return out;
}

// What a run leaves behind: the fields of optviz/runs/trajectory.py.
export class Trajectory {
  constructor(steps, lanes, dim, terms, batches, applied = false) {
    const vectors = () => filled([steps, lanes, dim]);
    this.x = filled([steps + 1, lanes, dim]);
    this.loss = filled([steps + 1, lanes]);
    this.updates = vectors();
    this.gradients = vectors();
    this.rates = filled([steps, lanes]);
    this.clipped = new Nd(new Float64Array(steps * lanes), [steps, lanes], true);
    this.diverged = filled([lanes], 0);
    this.terms = Object.fromEntries(terms.map((name) => [name, vectors()]));
    this.batch_loss = batches ? filled([steps, lanes]) : null;
    this.applied = applied ? vectors() : null;
    this.momenta = {}; // a hyperparameter that the schedule cycles, at each step: { name: (steps,) }
  }

  get steps() {
    return this.updates.shape[0];
  }

  get lanes() {
    return this.x.shape[1];
  }

  // The last parameters, shape (lanes, dim).
  get final() {
    const shape = this.x.shape.slice(1);
    return new Nd(this.x.data.slice(-sizeOf(shape)), shape);
  }

  // One lane as a run of its own.
  only(lane) {
    const made = new Trajectory(this.steps, 1, this.x.shape[2], Object.keys(this.terms), this.batch_loss, this.applied);
    const cut = (into, { data, shape: [rows, lanes, ...rest] }) => {
      const size = sizeOf(rest), column = lane < 0 ? lane + lanes : lane;
      for (let k = 0; k < rows; k++)
        for (let i = 0; i < size; i++) into.data[k * size + i] = data[(k * lanes + column) * size + i];
    };
    for (const name of ["x", "loss", "updates", "gradients", "rates", "clipped", "batch_loss", "applied"])
      if (this[name]) cut(made[name], this[name]);
    for (const name of Object.keys(this.terms)) cut(made.terms[name], this.terms[name]);
    made.diverged.data[0] = this.diverged.data.at(lane);
    made.momenta = this.momenta;
    return made;
  }
}

// Walk `steps` steps by one rule, or by several side by side. Lanes come from arrays in the
// hyperparameters, several starts, or `Lanes`. Options: `clip`, `clipNorm`; `schedule`, also a
// function of t or of lr and t, or `rates`, one a step; `noise`, what to add to the gradients, (steps, dim, lanes or 1); `batches`.
export function descend(objective, rule, start, steps, options = {}) {
  const { dim, objectives = [objective] } = objective;
  const rules = [rule].flat();
  const flat = numbersOf(start);
  const starts = isNumber(flat[0]) ? rowsOf([...flat], flat.length / dim, dim) : flat;
  const shared = [starts.length, objectives.length, options.noise?.shape[2] ?? 1];
  const counts = rules.map((each) => commonLength([...shared, each.lanes()]));
  const terms = new Set(rules.flatMap((each) => each.terms));
  const run = new Trajectory(steps, counts.reduce((a, b) => a + b), dim, [...terms], options.batches,
    Boolean(options.noise) || rules.some((each) => each.probe) || (options.clip ?? options.clipNorm ?? null) !== null);
  let column = 0;
  for (const [i, count] of counts.entries()) {
    const cycled = options.schedule?.cycled?.(rules[i]) ?? "";
    if (cycled) run.momenta = { ...run.momenta, [cycled]: options.schedule.momenta(rules[i], steps) };
    const rates = ratesOf(rules[i], steps, count, options);
    for (let lane = 0; lane < count; lane++, column++) {
      for (let k = 0; k < steps; k++) run.rates.data[k * run.lanes + column] = rates[k * count + lane];
      walk(ofLane(objectives, lane), rules[i], ofLane(starts, lane), lane, run, column, options);
    }
  }
  return run;
}

// The learning rates, `lanes` a step: the schedule's, those given, or the rule's own.
function ratesOf(rule, steps, lanes, { schedule = null, rates = null }) {
  const own = rule.values.lr ?? 0;
  if (typeof schedule === "function") return Array.from({ length: steps * lanes }, (_, k) => {
    const t = Math.floor(k / lanes) + 1;
    return schedule.length < 2 ? schedule(t) : schedule(ofLane(own, k % lanes), t);
  });
  const given = schedule?.rates ? schedule.rates(own, steps).data : numbersOf(schedule ?? rates);
  const rate = (k) => (given ? given[given.length === steps ? Math.floor(k / lanes) : k] : ofLane(own, k % lanes));
  return Array.from({ length: steps * lanes }, (_, k) => rate(k));
}

// One lane of a run, into one column of its arrays. It ends where x or the loss stops being finite.
function walk(objective, rule, start, lane, run, column, options) {
  const { dim } = objective;
  const h = rule.at(lane);
  h.lr = run.rates.data[column]; // the first step's: a carried term may begin with it
  const momenta = Object.entries(run.momenta);
  const memories = rule.memories(h, numbersOf(start));
  const kept = rule.terms.map((name) => run.terms[name].data);
  const x = [...numbersOf(start)];
  let loss = objective.lossAt(x);
  run.x.data.set(x, column * dim);
  run.loss.data[column] = loss;
  for (let t = 1; t <= run.steps; t++) {
    const row = (t - 1) * run.lanes + column;
    const batch = options.batches?.[t - 1] ?? null;
    h.lr = run.rates.data[row];
    for (const [name, each] of momenta) h[name] = each.data[t - 1];
    const noised = (slopes) => (options.noise ? withNoise(slopes, options.noise, t, lane) : slopes);
    const here = rule.standing(h, memories, x), gradient = objective.gradientAt(here, batch);
    const noisy = rule.probe ? noised(objective.gradientAt(rule.probe(h, here, noised(gradient)), batch)) : noised(gradient);
    const g = clipped(noisy, options);
    if (run.applied) for (let i = 0; i < dim; i++) run.applied.data[row * dim + i] = g[i];
    if (g !== noisy) run.clipped.data[row] = g.some((v, i) => v !== noisy[i]);
    if (batch) run.batch_loss.data[row] = objective.lossAt(x, batch);
    const step = rule.step(h, memories, x, g, t, objective);
    let fine = Number.isFinite(loss);
    for (let i = 0; i < dim; i++) {
      const at = row * dim + i;
      run.gradients.data[at] = gradient[i];
      run.updates.data[at] = step[i];
      for (let j = 0; j < kept.length; j++) kept[j][at] = memories[i][rule.terms[j]];
      x[i] += step[i];
      run.x.data[at + run.lanes * dim] = x[i];
      fine &&= Number.isFinite(x[i]);
    }
    loss = objective.lossAt(x);
    run.loss.data[row + run.lanes] = loss;
    if (!fine || !Number.isFinite(loss)) {
      run.diverged.data[column] = t;
      return;
    }
  }
}

// The gradient of step t with its draws, from an array (steps, dim, lanes or 1).
function withNoise(gradient, { data, shape: [, dim, width] }, t, lane) {
  return gradient.map((v, i) => v + data[((t - 1) * dim + i) * width + (width === 1 ? 0 : lane)]);
}

const limited = (value, clip) => Math.min(Math.max(value, -clip), clip);

// Each entry cut to +-clip, then the norm to clipNorm (torch.nn.utils.clip_grad_norm_, with its 1e-6).
function clipped(gradient, { clip = null, clipNorm = null }) {
  let g = gradient;
  if (clip !== null) g = g.map((v) => limited(v, clip));
  if (clipNorm === null) return g;
  const norm = Math.sqrt(g.reduce((sum, v) => sum + v * v, 0));
  const share = Math.min(clipNorm / (norm + 1e-6), 1);
  return g.map((v) => v * share);
}

// The steps that a rule takes under given gradients of one parameter that stays at 0.
export function filtered(rule, gradients, { clip = null, rates = null } = {}) {
  const [g, given] = [numbersOf(gradients), numbersOf(rates)];
  const h = rule.at(0);
  if (given) h.lr = given[0];
  const [memory] = rule.memories(h, [0]);
  const steps = filled([g.length]);
  for (let k = 0; k < g.length; k++) {
    if (given) h.lr = given[k];
    steps.data[k] = rule.update(h, memory, 0, clip === null ? g[k] : limited(g[k], clip), k + 1);
  }
  return steps;
}
