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
