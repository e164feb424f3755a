// Surfaces from formulas that are typed into a page, as optviz/objectives/formula.py has them. What is typed is read and
// derived by functions printed from Python's; functions are made of the operations that these give, never of the text.
import { ValueError_, def } from "./base.js";
import { modulo, floorDivide, Surface } from "./descent.js";
import { format } from "./formats.js";
import { findMinima } from "./minima.js";
import { $special } from "./special.js";

const KEPT = 32; // formulas, so that one that is typed again finds what was made for it
const SHAPE = ["p0", "p1", "p2", "p3", "p4", "p5"]; // what letters are called in statements

function literal(value) {
  const text = Object.is(value, -0) ? "-0" : String(value);
  return value < 0 || Object.is(value, -0) ? `(${text})` : text;
}

// Statements that work out nodes, in the order of their places, and what stands for each node in them.
class Statements {
  constructor({ nodes }, letters, { scripts, needed }) {
    Object.assign(this, { nodes, letters, scripts, needed });
    this.texts = [];
    this.moves = []; // whether a node depends on the point
  }

  // The statements that these roots need beyond what is written already; of those that do not depend on the point alone, or of the others.
  lines(roots, written, moving = null) {
    const lines = [];
    for (const place of this.needed(this.nodes, roots)) {
      const [op, args] = this.nodes[place];
      if (written.has(place)) continue;
      if (op === "number") this.texts[place] = literal(args[0]);
      else if (op === "input") {
        const k = ["x", "y"].indexOf(args[0]);
        this.moves[place] = k >= 0;
        this.texts[place] = k >= 0 ? `x${k}` : SHAPE[this.letters.indexOf(args[0])];
      } else {
        this.moves[place] = args.some((arg) => this.moves[arg]);
        this.texts[place] = `f${place}`;
        if (moving !== null && this.moves[place] !== moving) continue;
        lines.push(`const f${place} = ${this.formula(op, args.map((arg) => this.texts[arg]))};`);
      }
      written.add(place);
    }
    return lines.join(" ");
  }

  formula(op, args) {
    const script = this.scripts[op];
    if (script === undefined) throw new ValueError_(`A page cannot work out ${op}.`);
    return script.includes("{}") ? script.replace("{}", args.join(", ")) : script.replace(/\{(\d)\}/g, (_, k) => args[k]);
  }

  text(places) { return places.map((place) => this.texts[place]); }
}

// One function of the point and of all letters.
function reading(program, roots, letters, parts) {
  const statements = new Statements(program, letters, parts), lines = statements.lines(roots, new Set());
  const results = statements.text(roots), result = roots.length === 1 ? results[0] : `[${results.join(", ")}]`;
  const body = `"use strict"; return (x0, x1, ${SHAPE.join(", ")}) => { ${lines} return ${result}; };`;
  return new Function("modulo", "floorDivide", "$special", body)(modulo, floorDivide, $special);
}

// The same as parts of the walk that runs.js makes of a rule and a surface.
function walkOf(program, letters, parts) {
  const statements = new Statements(program, letters, parts), written = new Set(), { value, gradient, hessian } = program;
  const all = [...value, ...gradient, ...hessian], fixed = statements.lines(all, written, false);
  const here = statements.lines([...value, ...gradient], written), bend = statements.lines(hessian, written);
  return { fixed, here, bend, value: statements.text(value), gradient: statements.text(gradient), hessian: statements.text(hessian) };
}

const call = (read, point, shape) => read(point[0], point[1], shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]);

function kindOf(text, curve, parts) {
  const found = parts.parsed(text);
  if (found.why) throw new ValueError_(parts.refusal(text.slice(0, 2000), found));
  const { letters } = found, program = parts.program(found.parts, curve), ones = letters.map(() => 1);
  const functions = {};
  for (const name of ["value", "gradient", "hessian"]) {
    try {
      functions[name] = reading(program, program[name], letters, parts);
    } catch (refusal) {
      if (!(refusal instanceof EvalError)) throw refusal;
      throw new ValueError_("This page may not make functions: open it where scripts are not restricted.");
    }
  }
  const kind = {
    name: "Formula", label: parts.label, names: ["x", "y"], lowest: null, shape: letters, shapeDefaults: ones, call, ...functions,
    walk: walkOf(program, letters, parts), formula: parts.mathml(found.parts), symbols: Object.fromEntries(letters.map((each) => [each, parts.symbols[each]])),
    typed: true, is_curve: program.curve,
  };
  const plain = new Surface({ ...kind, domain: parts.usual }), value = (x, y) => plain.value(x, y);
  kind.domain = parts.window_of(value);
  kind.starts = [(program.curve ? parts.curve_start : parts.start_in)(kind.domain, value)];
  if (program.curve) kind.domain = [kind.domain[0], parts.idle];
  return kind;
}

class Formula extends Surface {
  constructor(kind, text, ends, curve) {
    super(kind);
    Object.assign(this, { text, ends, curve });
  }

  get minima() { return findMinima(this).deepest; }
  set minima(value) {} // what its kind declares: nothing
  read(name) { return name in this.ends ? this.ends[name] : this.shape[this.kind.shape.indexOf(name)]; }
  assign(name, value) {
    const letter = this.kind.shape.indexOf(name);
    if (letter >= 0) this.shape[letter] = value;
    else this.ends = { ...this.ends, [name]: value };
  }
  arguments() {
    return { text: this.text, curve: this.curve, ...Object.fromEntries(this.kind.shape.flatMap((n) => [n, `${n}_from`, `${n}_to`].map((each) => [each, this.read(each)]))) };
  }
  holds(name) { return this.kind.shape.includes(name.split("_")[0]); }
  shape_names() { return this.kind.shape; }
  shape_values() { return [...this.shape]; }
  formula() { return this.kind.formula; }
  numbers() { return this.kind.shape.map((n, i) => [this.kind.symbols[n], format(this.shape[i], ".6g")]); }
}

// What makes surfaces of formulas, given Python's functions; called as the class is in Python.
export function formulas(parts) {
  const known = new Map();
  const kept = (text, curve) => {
    const key = `${curve} ${text}`;
    if (!known.has(key)) known.set(key, kindOf(text, curve, parts));
    if (known.size > KEPT) known.delete(known.keys().next().value);
    return known.get(key);
  };
  const names = ["text", "curve", ...parts.letters];
  return def(names, (text = parts.example, curve = false, ...letters) => {
    const kind = kept(text, curve), ends = {};
    for (const letter of kind.shape) [ends[`${letter}_from`], ends[`${letter}_to`]] = [parts.low, parts.high];
    const made = new Formula(kind, text, ends, curve);
    names.slice(2).forEach((name, i) => {
      const letter = name.split("_")[0];
      if (letters[i] !== undefined && kind.shape.includes(letter)) made.assign(name, letters[i]);
    });
    return made;
  });
}
