// What printed definitions call by the name `$`: Python's objects, numpy, and optviz's own functions.
import { ELLIPSIS, Kw, Slice, ValueError_, def } from "./base.js";
import { basinMap, localMinima, lowestLoss } from "./basins.js";
import { TYPES, math, py, re } from "./builtins.js";
import { factory, label_of, record, refuse, typename } from "./classes.js";
import { level_lines } from "./contours.js";
import { Lanes, Rule, descend, filtered } from "./descent.js";
import { format } from "./formats.js";
import { arrivals, laneMap, ranksOf } from "./maps.js";
import { changed_member, gradient_noise, kinds, made_schedule, shut } from "./members.js";
import { call } from "./methods.js";
import { np } from "./numpy.js";
import { at, contains, iter, op, put, truth } from "./operators.js";
import { packed } from "./packed.js";
import { carried } from "./stored.js";
import { measured, walkOf } from "./walks.js";

const Drawing = def(
  ["layers", "xlim", "ylim", "title", "legend", "limits", "axes", "hover", "shown"],
  (layers, xlim, ylim, title = "", legend = {}, limits = {}, axes = {}, hover = "", shown = true) =>
    ({ layers, xlim, ylim, title, legend, limits, axes, hover, shown }),
);

const isKind = (x, name) => {
  if (Object.hasOwn(TYPES, name)) return TYPES[name](x);
  return typename(x) === name || (name === "Rule" && x instanceof Rule);
};

export const $ = {
  Slice, ELLIPSIS, Kw, def, op, py, np, math, re, truth, iter, at, put, call, contains, format, factory, record, refuse,
  Drawing, packed, label_of, kinds, typename, shut, made_schedule,
  get: (owner, name) => (typeof owner[name] === "function" ? owner[name].bind(owner) : owner[name]),
  and: (a, b) => (truth(a) ? b() : a),
  or: (a, b) => (truth(a) ? a : b()),
  isinstance: (x, names) => names.some((name) => isKind(x, name)),
  lanes: (objectives) => new Lanes(objectives),
  perf_counter: () => performance.now() / 1000,
  line_columns: def(["xs", "ys", "values", "at"], level_lines),
  descend: def(
    ["objective", "rule", "start", "steps", "clip", "clip_norm", "schedule", "noise", "seed", "batches"],
    (objective, rule, start, steps, clip = null, clip_norm = null, schedule = null, noise = 0, seed = 0, batches = null) =>
    {
      if (rule.stored || objective.stored) return carried.store.run(objective, rule, start, steps, clip);
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
  rule_mathml: (rule) => rule.formula(),
  objective_mathml: (objective) => objective.formula(),
  hyperparameter_mathml: (member) => member.numbers(),
  settings_at: (rule, lane) => rule.at(lane),
  walk_of: walkOf, measured,
  bend_at: (objective, point) => objective.hessianAt(iter(point)),
  lane_map: laneMap, arrivals, ranks: ranksOf, local_minima: localMinima, basin_map: basinMap, lowest_loss: lowestLoss,
  eigen_of_more: () => { throw new ValueError_("A page knows the curvatures of two variables."); },
};
