// Learning rates that change over the steps, as optviz/rules/schedules.py has them.
import { filled, isNumber, numbersOf } from "./descent.js";

export class Schedule {
  constructor(kind, values = {}) {
    this.kind = kind;
    this.values = { ...kind.defaults, ...values };
  }

  key() { return this.kind.choices.map((name) => String(this.values[name])).join(" "); }

  // Its numbers for a run of so many steps.
  settled(steps) {
    const { kind: { whole, never, like }, values } = this, left = Math.max(1, steps - values.warmup);
    const meant = { ...Object.fromEntries([...whole.map((name) => [name, left]), ...never.map((name) => [name, 1e9])]),
      ...Object.fromEntries(Object.entries(like).map(([name, other]) => [name, values[other]])) };
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === 0 ? meant[name] ?? 0 : value]));
  }

  // The rates (steps, lanes) where the rule's own rate is `lr`, a number or one a lane.
  rates(lr, steps) {
    const own = isNumber(lr) ? [lr] : numbersOf(lr), h = this.settled(steps), rate = this.kind.rate[this.key()];
    const { warmup, warmup_start } = this.values, rates = filled([steps, own.length]);
    for (let k = 0; k < rates.data.length; k++) {
      const t = Math.floor(k / own.length) + 1, base = own[k % own.length];
      const share = warmup_start + ((1 - warmup_start) * (t - 1)) / warmup;
      rates.data[k] = t <= warmup ? share * base : rate(h, base, Math.max(t - warmup, 1));
    }
    return rates;
  }

  // The name of the hyperparameter of a rule that it cycles, "" for none.
  cycled(rule) { return this.kind.momentum && this.values.cycle_momentum ? rule.kind?.momentum ?? "" : ""; }

  // The momentum of each step, where it cycles that of this rule.
  momenta(rule, steps) {
    if (!this.cycled(rule)) return null;
    const h = this.settled(steps), momentum = this.kind.momentum[this.key()], found = filled([steps]);
    for (let k = 0; k < steps; k++) found.data[k] = momentum(h, Math.max(k + 1 - this.values.warmup, 1));
    return found;
  }
}
