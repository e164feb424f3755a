// What one step of a run is made of: numbers, arrows on the picture, curves over all steps, the formula with its numbers.
import { numbersOf } from "./descent.js";
import { drawn, element, icon, parsed } from "./elements.js";
import { same_key } from "./experiment.js";
import { Substitution, letters_of, letter_name, powered, short } from "./substitution.js";

const POINTS = 400; // of a small curve
const NAMED = { gradient: "∇f", noise: "noise", "clip factor": "clip factor", decay: "weight decay", step: "step" };
const CORRECTION = /^1 - (\w+)\^t$/; // a factor that makes up for a mean's beginning at 0
const FACTOR = /^1 - |^clip factor$/; // no arrow has it
const FIRST = { g: 0, step: 1 }; // inks that are the same whatever the rule

export class Inspector {
  constructor(player) {
    Object.assign(this, { player, chosen: 0, open: false, stale: true, arrowed: new Set(["g", "step"]), curves: new Set() });
    this.title = element("h2");
    this.menu = element("select", { ariaLabel: "Run" });
    this.menu.addEventListener("change", () => this.choose(Number(this.menu.value)));
    const close = element("button", { type: "button", className: "close", title: "Close", ariaLabel: "Close" }, icon("close"));
    close.addEventListener("click", () => this.toggle());
    this.table = element("table");
    this.formulas = element("div", { className: "formulas" });
    this.sheet = element("div", { className: "sheet", hidden: true }, element("div", { className: "head" }, this.menu, this.title, close),
      element("div", { className: "inside" }, this.table, this.formulas));
  }

  get run() { return this.player.runs[Math.min(this.chosen, this.player.runs.length - 1)]; }

  // The step from here on, or the last one at the end.
  get at() { return Math.min(this.player.step + 1, this.player.parts.last_step(this.run)); }

  toggle() {
    const { player } = this;
    this.open = !this.open;
    this.sheet.hidden = !this.open;
    player.opener.ariaExpanded = String(this.open);
    player.box.classList.toggle("open", this.open);
    if (this.open) player.stand(!player.shown && player.step === player.last ? 0 : player.step); // there is a step from 0 on
    else player.show();
  }

  choose(place) {
    this.chosen = place;
    this.renew();
    this.player.show();
  }

  // What is shown may be of another run now.
  renew() {
    const { run, lane, steps, rule, label } = this.run, key = [run, lane, steps, label, rule?.kind, ...Object.values(rule?.values ?? {})];
    this.stale ||= !same_key(key, this.key);
    this.key = key;
  }

  build() {
    const { runs, parts } = this.player, { run, rule, objective } = this.run;
    this.stale = false;
    this.menu.hidden = runs.length < 2;
    this.menu.replaceChildren(...runs.map(({ label }, i) => element("option", { value: i, textContent: label, selected: i === this.chosen })));
    const count = objective?.is_curve ? 1 : run.x.shape[2];
    this.names = count ? [...(objective?.names ?? ["x", "y"])].slice(0, count) : ["Value"]; // of numbers alone
    this.values = parts.parts_of(this.run, rule?.kind?.corrections ?? []);
    this.letters = rule?.kind?.letters ? letters_of(rule.kind) : new Map();
    this.scales = {};
    this.tabulate();
    this.typeset();
  }

  tabulate() {
    const arrowed = this.run.figure !== "";
    const head = element("tr", {}, element("th", { textContent: "Part" }), ...this.names.map((name) => element("th", { textContent: name })),
      ...(arrowed ? [element("th", { textContent: "Arrow" })] : []));
    this.rows = Object.keys(this.values).map((name, i) => this.row(name, i, arrowed));
    this.table.replaceChildren(element("thead", {}, head), element("tbody", {}, ...this.rows.flatMap(({ line, below }) => [line, below])));
  }

  row(name, i, arrowed) {
    const { inks } = this.player.parts, ink = inks[(FIRST[name] ?? i + 2) % inks.length], label = this.label(name);
    const opener = element("button", { type: "button", title: `${label}: its curve over the steps`, ariaExpanded: String(this.curves.has(name)) });
    opener.append(this.symbol(name));
    const cells = this.names.map(() => element("td")), line = element("tr", { className: "part" }, element("th", {}, opener), ...cells);
    const below = element("tr", { className: "curve", hidden: !this.curves.has(name) }, element("td", { colSpan: this.names.length + 2 }));
    const made = { name, cells, line, below, opener, ink, label };
    if (arrowed && FACTOR.test(name)) line.append(element("td"));
    else if (arrowed) {
      const box = element("input", { type: "checkbox", checked: this.arrowed.has(name), ariaLabel: `Arrow of ${label}` });
      box.style.accentColor = ink;
      box.addEventListener("change", () => {
        this.arrowed[box.checked ? "add" : "delete"](name);
        this.player.show();
      });
      made.box = box;
      line.append(element("td", { className: "arrow" }, element("label", {}, box)));
    }
    line.addEventListener("click", (event) => { if (!event.target.closest("label")) this.unfold(made); });
    if (this.curves.has(name)) this.draw(made);
    return made;
  }

  label(name) {
    const decay = this.letters.get(`h.${name.match(CORRECTION)?.[1]}`);
    if (decay) return `1 − ${letter_name(decay)}^t`;
    return NAMED[name] ?? (this.letters.has(name) ? letter_name(this.letters.get(name)) : name);
  }

  symbol(name) {
    const decay = this.letters.get(`h.${name.match(CORRECTION)?.[1]}`);
    if (decay) return parsed(`<math><mn>1</mn><mo>−</mo>${powered(decay)}</math>`);
    const letter = name in NAMED ? null : this.letters.get(name);
    return letter ? parsed(`<math>${letter.outerHTML}</math>`) : NAMED[name] ?? name;
  }

  unfold(row) {
    const open = row.below.hidden;
    this.curves[open ? "add" : "delete"](row.name);
    row.below.hidden = !open;
    row.opener.ariaExpanded = String(open);
    if (open) this.draw(row);
    this.say();
  }

  // A part over all steps, with a mark at this one.
  draw(row) {
    const { data, shape: [steps, width] } = this.values[row.name], last = this.player.parts.last_step(this.run);
    const finite = data.slice(0, last * width).filter(Number.isFinite);
    let [low, high] = [Infinity, -Infinity];
    for (const value of finite) [low, high] = [Math.min(low, value), Math.max(high, value)];
    if (!(high > low)) [low, high] = [low - 1, high + 1];
    const across = (t) => 100 * (t - 1) / Math.max(last - 1, 1), up = (value) => 38 - 36 * (value - low) / (high - low);
    const every = Math.max(1, Math.ceil(last / POINTS));
    const lines = this.names.map((_, i) => {
      const points = [];
      for (let t = 1; t <= Math.min(last, steps); t += every) {
        const value = data[(t - 1) * width + i];
        if (Number.isFinite(value)) points.push(`${across(t).toFixed(2)},${up(value).toFixed(2)}`);
      }
      return drawn("polyline", { points: points.join(" "), class: `c${i}` });
    });
    row.mark = drawn("line", { y1: 0, y2: 40, class: "mark" });
    row.across = across;
    const picture = drawn("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": `${row.label} over the steps` }, ...lines, row.mark);
    picture.addEventListener("click", (event) => {
      const { left, width: wide } = picture.getBoundingClientRect();
      this.player.seek(Math.round((event.clientX - left) / wide * (last - 1)));
      event.stopPropagation();
    });
    const ends = element("span", { className: "ends" }, element("i", { textContent: short(high) }), element("i", { textContent: short(low) }));
    row.below.firstChild.replaceChildren(element("div", {}, picture, ends));
  }

  typeset() {
    const { rule } = this.run, words = rule?.formula ? rule.formula() : "";
    const sides = Math.min(this.player.parts.letters_at(this.run, 1).length, this.names.length);
    if (!sides) this.formulas.replaceChildren(element("p", {}, parsed(words)));
    if (this.words === words && this.sides?.length === sides && this.ruled === rule?.kind && sides) return this.head();
    this.words = words;
    this.ruled = rule?.kind;
    this.sides = Array.from({ length: sides }, () => new Substitution(words, this.letters));
    this.heads = this.sides.map(() => element("h3"));
    if (sides) this.formulas.replaceChildren(...this.sides.map(({ content }, i) => element("div", { className: "side" }, this.heads[i], content)));
    this.single = this.names.length > 1 && sides === 1;
    return this.head();
  }

  head() { this.heads.forEach((head, i) => { head.textContent = this.single ? this.names.join(", ") : this.names[i]; }); }

  say() {
    if (!this.open) return;
    if (this.stale) this.build();
    const { at } = this;
    const point = (k) => `(${this.names.map((_, i) => short(this.point(k, i))).join(", ")})`;
    this.title.textContent = this.run.run.x.shape[2] ? `Step ${at}: ${point(at - 1)} → ${point(at)}` : `Step ${at}`;
    for (const row of this.rows) {
      const { data, shape: [, width] } = this.values[row.name];
      row.cells.forEach((cell, i) => {
        const value = data[(at - 1) * width + i];
        if (Object.is(cell.value, value)) return;
        cell.value = value;
        cell.textContent = short(value);
        cell.dataset.value = cell.title = value;
      });
      if (row.mark && !row.below.hidden) for (const end of ["x1", "x2"]) row.mark.setAttribute(end, row.across(at));
      if (row.box) row.box.title = row.box.checked ? this.arrow_text(row.name, row.label) : "Draw it as an arrow";
    }
    this.player.parts.letters_at(this.run, at).forEach((values, i) => this.sides[i]?.fill(values));
  }

  point(step, i) {
    const { run, lane } = this.run, [, lanes, width] = run.x.shape;
    if (i < 0) return numbersOf(run.loss)[step * lanes + lane];
    return numbersOf(run.x)[(step * lanes + lane) * width + i];
  }

  scale(name) {
    if (name === "step") return 1;
    const { across } = this.run, up = Math.abs(this.run.up); // of a curve the idle coordinate
    return (this.scales[name] ??= this.player.parts.arrow_scale(this.values[name], across, up, this.frame()));
  }

  arrow_text(name, label) {
    const scale = this.scale(name);
    return scale === 1 ? label : `${label} × ${short(scale)}`;
  }

  frame() {
    const { xlim, ylim } = this.player.experiment.drawings[this.run.figure];
    return [xlim[0], ylim[0], xlim[1], ylim[1]];
  }

  // The layers of arrows of this step, by figure: empty where none are wanted.
  arrows() {
    const { figure, across, up } = this.run;
    this.nothing ??= this.player.parts.arrow_columns([0, 0], [], [0, 0, 1, 1]);
    const none = Object.fromEntries(this.player.runs.filter((each) => each.figure).map((each) => [each.figure, this.nothing]));
    if (!this.open || !figure) return none;
    if (this.stale) this.build();
    const { at } = this;
    const wanted = this.rows.filter(({ name }) => this.arrowed.has(name)).map(({ name, ink, label }) => {
      const { data, shape: [, width] } = this.values[name], vector = [across, Math.abs(up)].map((i) => data[(at - 1) * width + i]);
      return { vector, scale: this.scale(name), color: ink, text: this.arrow_text(name, label) };
    });
    const origin = [across, up].map((i) => this.point(at - 1, i));
    return { ...none, [figure]: this.player.parts.arrow_columns(origin, wanted, this.frame()) };
  }
}
