// Trajectories made of what an experiment has computed itself, as in optviz/runs/steps.py.
import { Nd } from "./arrays.js";
import { Trajectory, filled, numbersOf } from "./descent.js";

// A run of one parameter as a trajectory, as optviz/runs/steps.py has it.
export function walkOf(x, updates, gradients, applied, rates, terms) {
  const steps = numbersOf(updates).length, column = (values) => new Nd(numbersOf(values), [steps, 1, 1]);
  const run = new Trajectory(0, 1, 1, [], false);
  const cut = numbersOf(applied).map((value, i) => Number(value !== numbersOf(gradients)[i]));
  return Object.assign(run, {
    x: new Nd(numbersOf(x), [steps + 1, 1, 1]), loss: filled([steps + 1, 1], 0), updates: column(updates), gradients: column(gradients),
    applied: column(applied), rates: new Nd(numbersOf(rates), [steps, 1]), clipped: new Nd(cut, [steps, 1], true),
    terms: Object.fromEntries(Object.entries(terms).map(([name, values]) => [name, column(values)])),
  });
}

// A run whose coordinates say nothing: numbers of each step.
export function measured(rates, measures, diverged) {
  const steps = numbersOf(rates).length, column = (values) => new Nd(numbersOf(values), [steps, 1, 1]);
  return Object.assign(new Trajectory(steps, 1, 0, [], false), {
    rates: new Nd(numbersOf(rates), [steps, 1]), diverged: filled([1], diverged),
    terms: Object.fromEntries(Object.entries(measures).map(([name, values]) => [name, column(values)])),
  });
}
