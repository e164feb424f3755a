// Runs of which nothing stays but the losses and the end: millions of their steps are one picture's.
import { floorDivide, isNumber, limited, modulo } from "./descent.js";
import { $special } from "./special.js";

export class Runs {
  constructor(objective, rule, steps, clip) {
    const h = rule.at(0);
    this.hypers = rule.kind.hyperparameters.filter((name) => !rule.kind.flags.includes(name));
    this.shape = objective.kind.shape;
    // the start, the rule's numbers, the surface's, and where gradients are cut
    this.values = Float64Array.from([0, 0, ...this.hypers.map((name) => h[name]), ...objective.shape, clip || Infinity]);
    this.losses = new Float64Array(steps + 1);
    this.end = new Float64Array(2);
    this.walk = walkOf(objective, rule, this.hypers);
  }

  // Where among the values the number of that name is.
  place(name) {
    const [start, part] = [["start x", "start y"].indexOf(name), this.shape.indexOf(name)];
    if (start >= 0) return start;
    if (name === "clip") return this.values.length - 1;
    return 2 + (part >= 0 ? this.hypers.length + part : this.hypers.indexOf(name));
  }

  // Walk from the values: the step at which the run is lost, 0 if it stays finite.
  run() { return this.walk(this.values, this.losses.length - 1, this.losses, this.end); }
}

const walks = new WeakMap(); // by the rule's update, then by the objective's kind

function walkOf(objective, rule, hypers) {
  if (!walks.has(rule.update)) walks.set(rule.update, new WeakMap());
  const known = walks.get(rule.update);
  if (!known.has(objective.kind)) known.set(objective.kind, written(objective, rule, hypers));
  return known.get(objective.kind) ?? plainly(objective, rule, hypers);
}

// One function for this rule on this surface, their formulas side by side and every number a local: a
// tenth of the time of calls. Null where the page may not make functions of texts.
function written(objective, rule, hypers) {
  try {
    const text = walkText(objective.kind, rule, hypers);
    return new Function("modulo", "floorDivide", "powers", "$special", text)(modulo, floorDivide, powers, $special);
  } catch (refusal) {
    if (!(refusal instanceof EvalError)) throw refusal;
    return null;
  }
}

function walkText(kind, rule, hypers) {
  const shape = kind.shape.map((_, i) => `$p${i}`), given = ["$x0", "$x1", ...shape];
  const hyper = (name) => `$h_${rule.kind.hyperparameters.indexOf(name)}`;
  const numbers = [...hypers.map(hyper), ...shape, "$clip"];
  const [value, gradient, hessian] = ["value", "gradient", "hessian"].map((name) => parted(kind[name]));
  const block = ({ names, body }, end) => `{ const ${names.map((n, i) => `${n} = ${given[i]}`)}; ${body} ${end} }`;
  const entries = (reading, name) => block(reading, listed(reading.result).map((e, i) => `${name}${i} = ${e};`).join(" "));
  const loss = block(value, `$loss = ${value.result};`);
  // for the next step, here: the browser computes once what the loss at the same point has in common with them
  const slopes = `${entries(gradient, "$g")} ${rule.kind.coupled ? entries(hessian, "$H") : ""}`;
  const { memory, moves } = rule.kind.coupled ? together(rule) : apart(rule);
  const raised = hypers.map(hyper).filter((h) => moves.includes(`$powers${h}[`));
  return `"use strict";
${raised.map((h) => `let $powers${h} = [];`).join("\n")}
return function (values, steps, losses, end) {
  const ${numbers.map((name, i) => `${name} = values[${i + 2}]`).concat("$none = 0")};
  let $x0 = values[0], $x1 = values[1], $loss, $g0, $g1, $H0, $H1, $H2, $H3${memory.map((m) => `, ${m}`).join("")};
  ${raised.map((h) => `$powers${h} = powers($powers${h}, ${h}, steps);`).join("\n")}
  ${loss} ${slopes}
  losses[0] = $loss;
  const lost = !Number.isFinite($loss);
  for (let t = 1; t <= steps; t++) {
    $g0 = Math.min(Math.max($g0, -$clip), $clip);
    $g1 = Math.min(Math.max($g1, -$clip), $clip);
    ${moves}
    ${loss}
    losses[t] = $loss;
    if (lost || !Number.isFinite($loss) || !Number.isFinite($x0) || !Number.isFinite($x1)) return t;
    ${slopes}
  }
  end[0] = $x0;
  end[1] = $x1;
  return 0;
};`;
}

// A printed function's parameters, the lines before its last, and what that returns.
function parted(f) {
  const text = String(f), last = text.lastIndexOf("return ");
  const names = text.slice(text.indexOf("(") + 1, text.indexOf(")")).split(", ");
  const [body, result] = [text.slice(text.indexOf("{") + 1, last), text.slice(last + 7, text.lastIndexOf(";"))];
  return { names, body, result };
}

const listed = (result) => result.slice(1, -1).split(", ");

// A rule's step on each coordinate by itself, with memories of its own.
function apart(rule) {
  const { body, result } = parted(rule.update);
  const own = [0, 1].map((i) => (text) => renamed(rule, text, `$s${i}_`));
  const moves = own.map((named, i) => `{ const x = $x${i}, g = $g${i}; ${named(body)} $x${i} = x + ${named(result)}; }`);
  return { memory: [0, 1].flatMap((i) => remembered(rule, `$s${i}_`)), moves: moves.join("\n") };
}

// A member of s or h: its name may be any text, so that a local is called by its number.
const MEMBER = /(?<![\p{ID_Continue}$.])([sh])(?:\.([\p{ID_Continue}$]+)|\[("(?:[^"\\]|\\.)*")\])/gu;

function renamed(rule, text, before) {
  const terms = remembering(rule), hypers = rule.kind.hyperparameters;
  const member = (_, owner, name, quoted) => {
    const called = name ?? JSON.parse(quoted);
    return owner === "s" ? before + terms.indexOf(called) : `$h_${hypers.indexOf(called)}`;
  };
  return text.replace(MEMBER, member).replace(/\bMath\.pow\((\$h_\d+), t\)/g, (_, h) => `$powers${h}[t]`);
}

// A number to the power of each step: most runs of a picture share it, and it takes longer than all else of a step.
function powers(known, base, steps) {
  if (known[1] === base && known.length > steps) return known;
  const found = known.length > steps ? known : new Float64Array(steps + 1);
  for (let t = 0; t < found.length; t++) found[t] = Math.pow(base, t);
  return found;
}

// The step of a rule that sees both coordinates and the Hessian.
function together(rule) {
  const { body, result } = parted(rule.update);
  const named = (text) => renamed(rule, text.replace(/\bs\.H\[(\d)\]\[(\d)\]/g, (_, i, j) => `$H${2 * i + Number(j)}`)
    .replace(/\b([xg])\[(\d)\]/g, "$$$1$2"), "$s_");
  const [first, second] = listed(named(result));
  const moves = `{ ${named(body)} const $a = ${first}, $b = ${second}; $x0 += $a; $x1 += $b; }`;
  return { memory: remembered(rule, "$s_"), moves };
}

// What a rule notes, the carried terms first.
function remembering(rule) {
  const carried = Object.keys(rule.kind.memory);
  return [...carried, ...rule.terms.filter((name) => !carried.includes(name))];
}

// Their locals, those of carried ones with their first values.
function remembered(rule, before) {
  const first = (value) => (isNumber(value) ? value : `$h_${rule.kind.hyperparameters.indexOf(value)}`);
  const begins = Object.values(rule.kind.memory).map((value) => ` = ${first(value)}`);
  return remembering(rule).map((_, k) => before + k + (begins[k] ?? ""));
}

// The same walk by the rule's and the surface's own functions.
export function plainly(objective, rule, hypers) {
  const lane = Object.assign(Object.create(Object.getPrototypeOf(objective)), objective), h = rule.at(0);
  lane.shape = [...objective.shape];
  return (values, steps, losses, end) => {
    hypers.forEach((name, i) => { h[name] = values[2 + i]; });
    lane.shape.forEach((_, i) => { lane.shape[i] = values[2 + hypers.length + i]; });
    const x = [values[0], values[1]], memories = rule.memories(h, 2), clip = values.at(-1);
    losses[0] = lane.lossAt(x);
    const lost = !Number.isFinite(losses[0]);
    for (let t = 1; t <= steps; t++) {
      const step = rule.step(h, memories, x, lane.gradientAt(x).map((g) => limited(g, clip)), t, lane);
      x[0] += step[0];
      x[1] += step[1];
      losses[t] = lane.lossAt(x);
      if (lost || !Number.isFinite(losses[t]) || !x.every(Number.isFinite)) return t;
    }
    end.set(x);
    return 0;
  };
}
