// Rules, surfaces, losses and schedules as Python's classes: called with settings, they make one.
import { raveled } from "./arrays.js";
import { def } from "./base.js";
import { DataLoss, Rule, Surface } from "./descent.js";
import { format } from "./formats.js";
import { formulas } from "./formula.js";
import { np } from "./numpy.js";
import { iter, op } from "./operators.js";
import { Schedule } from "./schedules.js";

export const kinds = {
  rule: (given) => {
    const kind = written_out(given), steps = kind.presetSteps === null ? {} : { preset_steps: kind.presetSteps };
    return making(kind, (values) => {
      const made = Object.assign(new Rule(kind, values), { label: kind.label }, steps);
      kind.hyperparameters.forEach((name) => Object.defineProperty(made, name, { set(value) { made.assign(name, value); } }));
      return made;
    });
  },
  surface: (kind) => making(kind, (values) => {
    const made = new Surface(kind, values);
    kind.shape.forEach((name, i) => Object.defineProperty(made, name, { get: () => made.shape[i] }));
    return made;
  }),
  formula: (parts) => formulas(parts),
  schedule: (kind) => Object.assign(making(kind, (values) => new Schedule(kind, values)), { kind }),
  loss: (readings, name = Object.keys(readings)[0]) => {
    const { columns, shape } = readings[name], width = columns.length;
    return def([...columns.slice(0, 2), ...(width > 2 ? ["classes"] : []), "loss", ...shape], (...given) => {
      const [loss = name, ...values] = given.slice(width);
      return new DataLoss(readings[loss], given.slice(0, width), values.length ? values : undefined);
    });
  },
};

// Of formulas, letters and symbols a page says where among its texts they are.
function written_out({ texts, letters, symbols, ...kind }) {
  const found = (places) => Object.fromEntries(Object.entries(places).map(([name, place]) => [name, texts[place]]));
  return { ...kind, texts, letters: found(letters), symbols: found(symbols) };
}

function making(kind, make) {
  return (keywords) => {
    const made = make(keywords?.values ?? {});
    const { methods, getters } = kind.members ?? { methods: {}, getters: {} };
    for (const [name, get] of Object.entries(getters)) Object.defineProperty(made, name, { get });
    return Object.assign(made, methods);
  };
}

Object.assign(Rule.prototype, {
  read(name) { return this.values[name]; },
  assign(name, value) { Object.assign(this, new Rule(this.kind, { ...this.values, [name]: value })); },
  check() { this.refusal?.call(this.values); },
  shut() {
    const refuses = (changed) => {
      try {
        this.refusal.call({ ...this.values, ...changed });
      } catch {
        return true;
      }
      return false;
    };
    if (!this.refusal || refuses({})) return [];
    const others = (value) => (typeof value === "boolean" ? [!value] : [0.5, 1].filter((other) => other !== value));
    return this.kind.hyperparameters.filter((name) => others(this.values[name]).every((other) => refuses({ [name]: other })));
  },
  formula() {
    const { flags, off, texts } = this.kind, bits = (truths) => truths.map(Number).join("");
    const key = `${bits(flags.map((flag) => this.values[flag]))}|${bits(Object.keys(off).map((n) => this.values[n] === off[n]))}`;
    return this.kind.formulas[key].map((place) => texts[place]).join("");
  },
  numbers() {
    const off = Object.keys(this.kind.off).filter((n) => this.values[n] === this.kind.off[n]);
    const shown = this.kind.hyperparameters.filter((n) => !this.kind.flags.includes(n) && !off.includes(n));
    return shown.map((n) => [this.kind.symbols[n], format(this.values[n], ".6g")]);
  },
});

// What a rule would refuse to change by itself.
export const shut = (rule) => (rule instanceof Rule ? rule.shut() : []);

// The same rule or surface with another value of one of its numbers.
export function changed_member(member, name, value) {
  const made = Object.assign(Object.create(Object.getPrototypeOf(member)), member);
  if (member instanceof Surface) made.shape = [...member.shape];
  made.assign(name, value);
  return made;
}

// A schedule with an experiment's numbers, as optviz/rules/schedule_menu.py has it.
export const made_schedule = (make, experiment) =>
  make({ values: Object.fromEntries(make.kind.shown.map((name) => [name, experiment[`schedule_${name}`]])) });

const MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML"';

Object.assign(Schedule.prototype, {
  formula() {
    const rows = this.kind.formulas[this.key()].map((k) => this.kind.rows[k]);
    return `${MATH} display="block"><mtable displaystyle="true">${rows.join("")}</mtable></math>`;
  },
  numbers() {
    return Object.entries(this.kind.symbols).map(([name, symbol]) => [`${MATH}>${symbol}</math>`, format(this.values[name], ".6g")]);
  },
});
for (const name of ["warmup", "warmup_start", "base_momentum", "max_momentum"])
  Object.defineProperty(Schedule.prototype, name, { get() { return this.values[name]; } });

// Gradient noise (steps, dim, lanes), a seed a lane.
export function gradient_noise(scale, seed, steps, dim) {
  const each = iter(raveled(seed)).map((s) => np.random.default_rng(s).standard_normal([steps, dim]));
  return op.mul(scale, np.stack(each, -1));
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
