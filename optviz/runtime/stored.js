// A rule or a surface that only Python can run, and the runs that the page carries of it.
import { Nd } from "./arrays.js";
import { label_of } from "./classes.js";
import { Trajectory, isNumber, numbersOf, ofLane } from "./descent.js";
import { packed } from "./packed.js";

// What the page carries, if it carries runs.
export const carried = { store: null };

export class StoredMember {
  constructor({ map, ...about }) {
    Object.assign(this, about, { stored: true, map: map && unpacked(map) });
  }

  check() {}
  shape_names() { return []; }
  shape_values() { return []; }
  read(name) { return this.values[name]; }
  assign(name, value) { this.values = { ...this.values, [name]: value }; }
  formula() { return this.text; }
  numbers() { return []; }
  value(x) { return isNumber(x) ? this.first : this.map; } // at the start of the runs, over the picture
  hessianAt() { return this.curvature; } // at the minimum
}

// Runs at each value of the knobs; what cannot move beside them is held where Python had it.
export class Store {
  constructor({ data, ...told }) {
    Object.assign(this, told, { data, ...this.arrays(data) });
  }

  arrays({ x, loss, map }) {
    return { x: unpacked(x), loss: unpacked(loss), map: map && unpacked_all(map) };
  }

  // Whether what is on view can only be shown by these runs.
  shows(experiment) {
    return Object.keys(this.members).some((role) => experiment[role].stored);
  }

  acts(control) {
    return control.member ? control.name in this.knobs : this.live.includes(control.name);
  }

  // Bring everything to where there is a run.
  hold(experiment) {
    for (const [role, { label, settings }] of Object.entries(this.members)) {
      if (label_of(experiment[role]) !== label) {
        experiment[role] = experiment.chosen(role === "optimizer" ? "rule" : role, label);
        experiment[`${role}_name`] = label;
      }
      for (const [name, value] of Object.entries(settings)) assigned(experiment[role], name, value);
    }
    Object.assign(experiment, { steps: Math.min(experiment.steps, this.steps) }, this.fixed);
    this.snap(experiment);
  }

  snap(experiment) {
    const owners = Object.keys(this.members).map((role) => experiment[role]);
    for (const name of Object.keys(this.knobs)) {
      const owner = owners.find((member) => has_setting(member, name));
      if (owner) assigned(owner, name, this.value(name, owner.read(name)));
      else if (name === "clip") experiment.clip = this.value(name, experiment.clip);
    }
    const [start_x, start_y] = ["x", "y"].map((name, i) =>
      this.fixed[`start_${name}`] ?? this.value(`start ${name}`, experiment.start[i]));
    Object.assign(experiment, { start: [start_x, start_y], start_x, start_y });
  }

  place(name, wanted) { return nearest(this.knobs[name], wanted, this.logs.includes(name)); }
  value(name, wanted) { return this.knobs[name][this.place(name, wanted)]; }

  // The runs nearest to what is asked for, a lane each.
  run(objective, rule, start, steps, clip) {
    const own = { clip: clip ?? 0, "start x": numbersOf(start)[0], "start y": numbersOf(start)[1] };
    const asked = Object.keys(this.knobs).map((name) => [name, own[name] ?? (has_setting(rule, name) ? rule : objective).read(name)]);
    const lanes = Math.max(1, ...asked.map(([, values]) => numbersOf(values).length ?? 1));
    const run = new Trajectory(steps, lanes, this.x.shape[2], [], null);
    const first = this.data.rules?.findIndex((known) => is_rule(known, rule)) ?? 0;
    for (let lane = 0; lane < lanes; lane += 1) {
      const places = asked.map(([name, values]) => this.place(name, ofLane(values, lane)));
      const place = asked.reduce((at, [name], i) => at * this.knobs[name].length + places[i], first);
      this.copy(run, lane, place);
      const lr = asked.findIndex(([name]) => name === "lr");
      for (let k = lane; lr >= 0 && k < steps * lanes; k += lanes) run.rates.data[k] = this.knobs.lr[places[lr]];
    }
    run.updates.data.forEach((_, k) => { run.updates.data[k] = run.x.data[k + lanes * run.x.shape[2]] - run.x.data[k]; });
    return run;
  }

  copy(run, lane, place) {
    const [, rows, dim] = this.x.shape, { lanes, steps } = run;
    for (let k = 0; k <= steps; k += 1) {
      const from = place * rows + k;
      run.loss.data[k * lanes + lane] = this.loss.data[from];
      for (let i = 0; i < dim; i += 1) run.x.data[(k * lanes + lane) * dim + i] = this.x.data[from * dim + i];
    }
    run.diverged.data[lane] = this.data.diverged[place] <= steps ? this.data.diverged[place] : 0;
  }
}

// The runs of an experiment that only torch can make, over one or two knobs of its own.
export class Replay extends Store {
  arrays({ rows, steps, tenths, always }) {
    return { rows: unpacked_all(rows), each: unpacked_all(steps), tenths: unpacked_all(tenths), always: unpacked_all(always) };
  }

  shows() { return true; }

  snap(experiment) {
    for (const name of Object.keys(this.knobs)) experiment[name] = this.value(name, experiment[name]);
  }

  run({ steps, ...experiment }) {
    const place = Object.keys(this.knobs).reduce(
      (at, name) => at * this.knobs[name].length + this.place(name, experiment[name]), 0);
    const cut = (all, rows) => {
      const [, count, ...rest] = all.shape;
      const size = rest.reduce((a, b) => a * b, 1);
      return new Nd(all.data.slice(place * count * size, (place * count + rows) * size), [rows, ...rest]);
    };
    const part = (group, rows) => Object.fromEntries(Object.entries(group).map(([name, all]) => [name, cut(all, rows)]));
    const { diverged, every } = this.data;
    return { ...part(this.rows, steps + 1), ...part(this.each, steps), ...part(this.tenths, Math.floor(steps / every) + 1), ...this.always,
      done: steps, diverged: diverged[place] <= steps ? diverged[place] : 0 };
  }
}

const has_setting = (member, name) => name in (member.values ?? {}) || Boolean(member.kind?.shape?.includes(name));
const is_rule = ({ name, values }, rule) => rule.name === name && Object.entries(values).every(([n, v]) => rule.read(n) === v);

function assigned(member, name, value) {
  if (member.read(name) !== value) member.assign(name, value);
}

// The place of the value that is nearest, by factors if `log`.
function nearest(values, wanted, log = false) {
  if (values.includes(wanted)) return values.indexOf(wanted); // also 0, which no factor leads to
  const scale = log ? Math.log10 : (v) => v;
  const away = values.map((value) => Math.abs(scale(value) - scale(wanted)));
  return Math.max(0, away.indexOf(Math.min(...away)));
}

const unpacked = ({ float64, shape }) => packed(float64, shape);
const unpacked_all = (group) => Object.fromEntries(Object.entries(group).map(([name, all]) => [name, unpacked(all)]));
