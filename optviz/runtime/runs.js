// Runs of which nothing stays but the losses and the end: millions of their steps are one picture's.
import { Rule, descend, floorDivide, modulo } from "./descent.js";
import { $special } from "./special.js";

export class Runs {
  constructor(objective, rule, steps, clip, schedule = null) {
    const h = rule.at(0);
    this.hypers = rule.kind.hyperparameters.filter((name) => !rule.kind.flags.includes(name));
    this.shape = objective.kind.shape;
    // the start, the rule's numbers, the surface's, and where gradients are cut
    this.values = Float64Array.from([0, 0, ...this.hypers.map((name) => h[name]), ...objective.shape, clip || Infinity]);
    this.losses = new Float64Array(steps + 1);
    this.end = new Float64Array(2);
    this.walk = schedule ? plainly(objective, rule, this.hypers, schedule) : walkOf(objective, rule, this.hypers);
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

const walks = new WeakMap(); // by the rule's part, then by the objective's kind

function walkOf(objective, rule, hypers) {
  if (!walks.has(rule.walk)) walks.set(rule.walk, new WeakMap());
  const known = walks.get(rule.walk);
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

// Their locals: x, g, H the point, the gradient and the Hessian; h, p the numbers of the rule and the surface;
// s carried terms, before the step, which live in a or b; e where else a gradient is taken; q tables of powers; r, f what is worked out.
function walkText({ walk: surface, shape }, { walk: rule, kind: { coupled, curvature } }, hypers) {
  const all = (texts, write) => texts.map(write).join(" "), sides = coupled ? ["a"] : ["a", "b"];
  const begins = all(sides, (side, i) => all(rule.begins, (first, k) => `let ${side}${k} = ${first === "x" ? `x${i}` : first};`));
  const bend = curvature ? `${surface.bend} ${all(surface.hessian, (text, i) => `H${i} = ${text};`)}` : "";
  const moves = all(sides, (side, i) => {
    const given = [...rule.begins.map((_, k) => `s${k} = ${side}${k}`), ...(coupled ? [] : [`x = x${i}`, `g = g${i}`]),
      ...(curvature && !coupled ? [`H = H${3 * i}`] : [])];
    return `{ ${all(given, (each) => `const ${each};`)} ${rule.each}
    ${all(rule.moved, (text, k) => `const y${i + k} = ${text};`)}
    ${all(rule.memory, (text, k) => `${side}${k} = ${text};`)} ${all(rule.moved, (_, k) => `x${i + k} = y${i + k};`)} }`;
  });
  const slopes = all(surface.gradient, (text, i) => `g${i} = ${text};`);
  const there = (k) => `{ const x0 = e${k}, x1 = e${k + 1}; ${surface.here} ${slopes} }`;
  const side = (i) => all(rule.begins, (_, k) => `const s${k} = ${coupled ? "a" : "ab"[i]}${k};`);
  const points = (texts, from) => all(texts, (text, i) => `e${from + i} = ${text};`);
  let stands = "";
  if (rule.stands) {
    stands = coupled ? `{ ${side(0)} ${rule.stand} ${points(rule.stands, 0)} }`
      : [0, 1].map((i) => `{ const x = x${i}; ${side(i)} ${rule.stand} ${points(rule.stands, i)} }`).join(" ");
    stands += there(0);
  }
  const probes = rule.probes ? `{ ${stands ? "const x0 = e0, x1 = e1;" : ""} ${rule.probe} ${points(rule.probes, 2)} } ${there(2)}` : "";
  return `"use strict";
${all(rule.powers, (_, k) => `let q${k} = [];`)}
return function (values, steps, losses, end) {
  let at = 2, x0 = values[0], x1 = values[1], loss, g0, g1, H0, H1, H2, H3, e0, e1, e2, e3, lost = false;
  ${all(hypers, (_, k) => `const h${k} = values[at++];`)} ${all(shape, (_, k) => `const p${k} = values[at++];`)}
  const clip = values[at]; ${begins} ${rule.fixed} ${surface.fixed}
  ${all(rule.powers, (base, k) => `q${k} = powers(q${k}, ${base}, steps);`)}
  for (let t = 0; ; ) {
    { ${surface.here} loss = ${surface.value[0]}; ${slopes} ${bend} }
    losses[t] = loss;
    const fine = Number.isFinite(loss);
    if (t > 0 && (lost || !fine || !Number.isFinite(x0) || !Number.isFinite(x1))) return t;
    lost = !fine;
    if (t === steps) break;
    t++;
    ${stands} ${probes}
    g0 = Math.min(Math.max(g0, -clip), clip);
    g1 = Math.min(Math.max(g1, -clip), clip);
    ${rule.step}
    ${moves}
  }
  end[0] = x0;
  end[1] = x1;
  return 0;
};`;
}

// A number to the power of each step: most runs of a picture share it, and it takes longer than all else of a step.
function powers(known, base, steps) {
  if (known[1] === base && known.length > steps) return known;
  const found = known.length > steps ? known : new Float64Array(steps + 1);
  for (let t = 0; t < found.length; t++) found[t] = Math.pow(base, t);
  return found;
}

// The same walk by the rule's and the surface's own functions.
export function plainly(objective, rule, hypers, schedule = null) {
  const own = Object.assign(Object.create(Object.getPrototypeOf(objective)), objective);
  return (values, steps, losses, end) => {
    const numbers = Object.fromEntries(hypers.map((name, i) => [name, values[2 + i]])), clip = values.at(-1);
    own.shape = [...values.subarray(2 + hypers.length, -1)];
    const run = descend(own, new Rule(rule.kind, { ...rule.values, ...numbers }), values.slice(0, 2), steps, { clip, schedule });
    losses.set(run.loss.data);
    end.set(run.final.data);
    return run.diverged.data[0];
  };
}
