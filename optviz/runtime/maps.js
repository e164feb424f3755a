// Maps of many runs, no trajectory kept: how the run of each cell of a grid ends. As optviz/maps/ends.py.
import { filled, numbersOf } from "./descent.js";
import { orderOf } from "./reductions.js";
import { Runs } from "./runs.js";
import { carried } from "./stored.js";

// Final loss (NaN where the run was lost before its last step), loss at the start, first step within the
// tolerance (NaN if never), step of divergence (0 if never), each (up, across).
export function laneMap(objective, rule, start, steps, names, across, up, tolerance, lowest, clip, schedule = null) {
  if (rule.stored || objective.stored) return carried.store.map;
  const [xs, ys, own] = [across, up, start].map(numbersOf);
  const shape = [ys.length, xs.length];
  const found = { loss: filled(shape), first: filled(shape), arrived: filled(shape), diverged: filled(shape, 0) };
  const runs = new Runs(objective, rule, steps, clip, schedule), [first, second] = names.map((name) => runs.place(name));
  for (let j = 0; j < ys.length; j++) {
    for (let i = 0; i < xs.length; i++) {
      runs.values[0] = own[0];
      runs.values[1] = own[1];
      runs.values[first] = xs[i];
      runs.values[second] = ys[j];
      endOf(runs, lowest + tolerance, found, j * xs.length + i);
    }
  }
  return found;
}

// The first step at which each run is at the level or below, infinite for never: as optviz/races/arrivals.py.
export function arrivals(objective, rule, steps, columns, level) {
  const runs = new Runs(objective, rule, steps, 0);
  const given = Object.entries(columns).map(([name, values]) => [runs.place(name), numbersOf(values)]);
  const lanes = given[0][1].length, shape = [lanes], found = filled(shape, Infinity);
  for (let k = 0; k < lanes; k++) {
    for (const [place, values] of given) runs.values[place] = values[k];
    const lost = runs.run(), last = lost ? lost - 1 : steps;
    for (let t = 0; t <= last && found.data[k] === Infinity; t++) if (runs.losses[t] <= level) found.data[k] = t;
  }
  return found;
}

// One run into one place of the arrays of `laneMap`.
function endOf(runs, level, found, place) {
  const { losses } = runs, steps = losses.length - 1, lost = runs.run();
  const last = lost || steps;
  found.first.data[place] = losses[0];
  found.diverged.data[place] = lost;
  found.loss.data[place] = lost && lost < steps ? NaN : losses[last];
  for (let t = 0; t <= last - (lost ? 1 : 0); t++) {
    if (losses[t] <= level) {
      found.arrived.data[place] = t;
      return;
    }
  }
}

// As optviz.maps.ends.ranks, from the order of all cells: to look each up takes three times as long.
export function ranksOf(loss, diverged) {
  const losses = loss.data.map((value, i) => (diverged.data[i] > 0 || value !== value ? Infinity : value));
  const order = orderOf(losses), out = filled(loss.shape);
  let finite = order.length, first = 0;
  while (finite > 0 && losses[order[finite - 1]] === Infinity) finite--;
  for (let k = 0; k < finite; k++) {
    if (losses[order[k]] > losses[order[first]]) first = k;
    out.data[order[k]] = first / Math.max(finite - 1, 1);
  }
  return out;
}
