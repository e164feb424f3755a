// The live page: the controls of an experiment, and the plots that Bokeh drew.
import { label_of } from "./classes.js";
import { numbersOf } from "./descent.js";
import { same_key } from "./experiment.js";
import { factor_at, factor_place } from "./factors.js";
import { formula_follows, hear_ends, show_letter, type_formula } from "./letters.js";
import { at } from "./operators.js";
import { Replay } from "./stored.js";

// Bokeh's names for the columns of rectangles.
const EDGES = { left: "x0", bottom: "y0", right: "x1", top: "y1" };

function same(a, b) {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length || typeof a[0] === "object") return false;
  for (let i = 0; i < a.length; i += 1) if (!Object.is(a[i], b[i])) return false;
  return true;
}

function imageOf(values) {
  const { data } = values, cells = data instanceof Float32Array ? data : new Float32Array(data);
  return Object.assign(cells, { shape: values.shape, dimension: 2, dtype: "float32" });
}

// One figure: its sources, ranges and texts, brought up to what a drawing says.
export class LiveFigure {
  // `sync` false where what is put into it shall not reach a server.
  constructor(spec, model, range_of, sync = true) {
    Object.assign(this, { spec, range_of, sync, played: new Set() });
    this.layers = Object.entries(spec.sources).map(([name, layer]) => ({
      name, columns: layer.columns, dotted: layer.dotted, source: model(layer.source), glyph: model(layer.glyph),
      dots: layer.dots && model(layer.dots), mapper: layer.mapper && model(layer.mapper), shown: {},
    }));
    this.ranges = { x: model(spec.x_range), y: model(spec.y_range) };
    this.framed = {};
    this.axes = { x: model(spec.axes.x), y: model(spec.axes.y) };
    this.pointer = spec.pointer && model(spec.pointer);
    this.caption = model(spec.caption);
    this.pane = model(spec.pane);
  }

  // `afresh` undoes what pan and zoom have done to the axes.
  push(drawing, afresh = false) {
    update(this.pane, { visible: drawing.shown, css_classes: drawing.shown ? ["shown"] : [] });
    if (!drawing.shown) return;
    for (const layer of this.layers) if (layer.name in drawing.layers && !this.played.has(layer.name)) this.put(layer, drawing.layers[layer.name]);
    for (const { name, mapper } of this.layers) {
      const limits = drawing.limits[name];
      if (mapper && limits) update(mapper, { low: limits[0], high: limits[1] });
    }
    this.frame(drawing, afresh);
    for (const [name, look] of Object.entries(drawing.axes)) this.name(this.axes[name], look);
    if (this.pointer) update(this.pointer, { tooltips: drawing.hover });
    else if (drawing.hover !== this.hover) this.axes.y.tags = [{ hover: this.hover = drawing.hover }];
  }

  // Show other columns in some layers, and leave the rest as it is drawn.
  over(columns) {
    this.played = new Set(Object.keys(columns)); // drawings leave them to whoever shows these
    for (const layer of this.layers) if (layer.name in columns) this.put(layer, columns[layer.name]);
  }

  // The name and the ticks of an axis, where the drawing says them.
  name(axis, { label, places, texts }) {
    if (label) update(axis, { axis_label: label });
    if (!places || same(places, axis.ticker.ticks)) return;
    axis.setv({ major_label_overrides: new Map(places.map((place, i) => [place, texts[i]])) });
    axis.ticker.ticks = places;
  }

  // Bring the axes to the drawing's limits, as LiveFigure._push_ranges in optviz/page/page.py.
  frame(drawing, afresh = false) {
    const { spec, ranges, framed } = this;
    for (const [name, limits, log] of [["x", drawing.xlim, false], ["y", drawing.ylim, spec.logy]]) {
      const wanted = this.range_of(limits, log, drawing.axes[name] ?? {});
      const stays = framed[name] && same_key(Object.values(framed[name]), Object.values(wanted));
      if (stays && !afresh) continue;
      const there = ranges[name];
      const changed = Object.entries(wanted).filter(([key, value]) => !same_key(there[key], value));
      if (changed.length) there.setv(Object.fromEntries(changed));
      framed[name] = wanted;
    }
  }

  put(layer, columns) {
    const first = Object.keys(columns)[0];
    if (layer.drawn === columns) return;
    layer.drawn = columns;
    const data = "image" in columns ? this.box(columns) : this.columns(layer, columns);
    const keys = Object.keys(data);
    if (keys.every((key) => same(layer.shown[key], data[key]))) return;
    layer.shown = data;
    layer.source.setv({ data }, { sync: this.sync });
    const size = numbersOf(columns[first]).length;
    update(layer.glyph, { visible: size > 0 }, this.sync);
    if (layer.dots) update(layer.dots, { visible: size <= layer.dotted });
  }

  columns(layer, columns) {
    return Object.fromEntries(layer.columns.map((name) => [name, numbersOf(columns[EDGES[name] ?? name])]));
  }

  box(columns) {
    const [x0, y0, x1, y1] = ["x", "y", "x1", "y1"].map((name) => at(columns[name], 0));
    return { image: [imageOf(columns.image[0])], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
  }
}

function update(model, values, sync = true) {
  const changed = Object.entries(values).filter(([name, value]) => model[name] !== value);
  if (changed.length) model.setv(Object.fromEntries(changed), { sync });
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escaped = (text) => text.replace(/[&<>"']/g, (c) => ESCAPES[c]);

// A slider by factors holds the place of its value, as optviz.page.factors.LogSlider.
const read = (control, value) => (control.log && value !== null ? factor_at(value, control.zero) : value);
const write = (control, value) => (control.log ? factor_place(value, control.zero) : value);

// Controls and plots of one experiment, tied together.
export class LivePage {
  constructor(experiment, spec, document, sharing) {
    Object.assign(this, { experiment, spec, sharing });
    this.model = (id) => document.get_model_by_id(id);
    this.models = () => [...document._all_models.values()];
    this.figures = Object.fromEntries(spec.figures.map((f) => [f.name, new LiveFigure(f, this.model, spec.range_of)]));
    this.status = this.model(spec.status);
    this.message = this.model(spec.message);
    this.blocks = Object.fromEntries(Object.entries(spec.blocks).map(([name, id]) => [name, this.model(id)]));
    this.quiet = false;
    this.waits = null; // for the next frame: texts
    this.still = [];
    this.framings = experiment.framings;
    const steps = spec.controls.find((control) => control.name === "steps");
    this.most = steps && this.model(steps.model).end;
    experiment.page = this;
    experiment.watchers.push(() => this.push());
    spec.controls.forEach((control) => this.connect(control));
    spec.figures.forEach((figure) => this.listen(figure));
  }

  view() { return Object.values(Bokeh.index)[0]; }

  owner(control) { return control.member ? this.experiment[control.member[0]] : this.experiment; }

  shown(control) {
    if (!control.member) return true;
    const owner = this.experiment[control.member[0]];
    if (!owner || label_of(owner) !== control.member[1]) return false;
    if (owner.holds && this.experiment.typed_surface() !== owner) return false;
    return !control.letter || owner.holds(control.name);
  }

  connect(control) {
    const model = this.model(control.model);
    if (control.event) {
      model.on_event("button_click", () => this.experiment.change({ [control.name]: true }));
      return;
    }
    model.properties[control.property].change.connect(() => {
      const chosen = read(control, model[control.property]); // a menu of numbers holds texts
      const value = typeof this.value(control) === "number" && typeof chosen === "string" ? Number(chosen) : chosen;
      if (this.quiet || (value === this.value(control) && !control.formula)) return;
      if (control.note) this.type(control, model, value);
      else if (control.formula) type_formula(this, control, model, value);
      else if (control.member) this.member(control, value);
      else this.experiment.change({ [control.name]: value });
    });
    if (control.letter) model.properties.tags.change.connect(() => hear_ends(this, control, model));
    if (control.typed && !control.note) model.properties.tags.change.connect(() => this.hear(control, model));
  }

  // The value above a slider is typed into the model's tags (assets/values.js).
  hear(control, model) {
    const asked = model.tags.find((tag) => tag?.typed !== undefined);
    if (asked) this.type(control, model, asked.typed);
  }

  // A number that is typed is taken, or said to be refused under its field, which gets back what it held.
  type(control, model, value) {
    const { name, powers, property } = control, held = this.value(control);
    const set = (number) => (control.member ? this.member(control, number) : this.experiment.change({ [name]: number }));
    let why = this.sharing.typed(control.typed, value, powers ? factor_at(held) : held);
    if (!why && !control.note && this.beyond_store(control, model, value)) why = this.experiment.store.said;
    if (!why) why = this.experiment.tried(() => set(powers ? factor_place(value) : value));
    if (why) update(model, { [property]: write(control, held) });
    this.note(control, model, why);
  }

  beyond_store(control, model, value) {
    return this.experiment.replays() && !(write(control, value) >= model.start && write(control, value) <= model.end);
  }

  note(control, model, why) {
    if (control.note) update(this.model(control.note), { text: escaped(this.sharing.refusal_html(why)) });
    else model.tags = [...model.tags.filter((tag) => tag?.typed === undefined && tag?.refused === undefined), ...(why ? [{ refused: why }] : [])];
  }

  member(control, value) {
    if (!this.shown(control)) return;
    this.experiment.set_member(control.member[0], control.name, value);
  }

  value(control) {
    return control.member ? this.owner(control).read(control.name) : this.experiment[control.name];
  }

  listen(figure) {
    const model = this.model(figure.model);
    if (figure.tap) model.on_event("tap", (event) => this.experiment.act(figure.tap, ...this.picked(figure, event.x, event.y)));
    if (figure.span) {
      model.on_event("rangesupdate", ({ x0, x1, y0, y1 }) => {
        this.experiment.act(figure.span, x0, x1, y0, y1);
        this.figures[figure.name].frame(this.experiment.drawings[figure.name], true); // what it does not take is undone
      });
    }
    if (figure.edit) {
      model.properties.tags.change.connect(() => {
        const [what, index, ...place] = model.tags;
        this.experiment.act(figure.edit, what, index, ...this.picked(figure, ...place));
      });
    }
    if (figure.moved) model.properties.tags.change.connect(() => this.experiment.act(figure.moved, ...this.picked(figure, ...model.tags)));
  }

  // A place on a figure as a hand can choose it.
  picked(figure, ...place) {
    const { ranges } = this.figures[figure.name];
    return ["x", "y"].map((name, i) => this.spec.picked(place[i], ranges[name].start, ranges[name].end));
  }

  bound(name, low, high) {
    const control = this.spec.controls.find((c) => c.name === name && !c.member);
    if (control) update(this.model(control.model), { start: write(control, low), end: write(control, high) });
  }

  // The same for what is typed and for what an address says.
  allow(name, low, high) {
    const { base, ruled } = this.sharing, control = this.spec.controls.find((c) => c.name === name && !c.member);
    for (const spec of [base[name], control?.typed].filter(Boolean)) {
      Object.assign(spec, { low, high });
      spec.rule = ruled(spec);
    }
  }

  push() {
    const { experiment } = this;
    update(this.message, { text: escaped(`<p>${escaped(experiment.message)}</p>`), visible: experiment.message !== "" });
    this.follow(experiment.message ? [] : experiment.idle()); // after a refusal every control acts
    if (experiment.message) return;
    const afresh = experiment.framings !== this.framings;
    for (const [name, figure] of Object.entries(this.figures)) figure.push(experiment.drawings[name], afresh);
    this.framings = experiment.framings;
    if (document.hidden) this.say(); // no frame comes
    else this.waits ??= requestAnimationFrame(() => this.say());
  }

  // Texts are written in the frame that their pictures are painted in, after those: they take as long.
  say() {
    const { experiment, spec } = this;
    const put = (model, name, text) => update(model, { text: escaped(spec.wrapped(text, name)) });
    cancelAnimationFrame(this.waits);
    this.waits = null;
    for (const [name, { caption, spec: look }] of Object.entries(this.figures))
      put(caption, "caption", spec.caption(look, experiment.drawings[name]));
    put(this.status, "status", experiment.status());
    for (const [name, text] of Object.entries(experiment.side())) put(this.blocks[name], name, text);
  }

  // What waits is said of what is drawn before anything changes, or a refusal would leave the texts of before.
  hurry() { if (this.waits !== null) this.say(); }

  // A control that cannot act is disabled, and a sentence says why.
  freeze() {
    const { store, state: { held } } = this.experiment;
    this.still = [];
    if (!store && !Object.keys(held).length) return;
    const frozen = this.experiment.replays();
    const shown = this.spec.controls.filter((control) => this.shown(control));
    const still = shown.filter((control) => (frozen && !store.acts(control)) || (!control.member && control.name in held));
    for (const control of shown) this.disable(control, still.includes(control));
    this.still = still;
    if (store) this.bound("steps", 1, frozen ? store.steps : this.most);
    if (store instanceof Replay) for (const [name, v] of Object.entries(store.knobs)) this.bound(name, v[0], v.at(-1));
    const models = still.map((control) => this.model(control.model));
    // scripts of other controls show and hide some of these, after this one
    setTimeout(() => { document.getElementById("frozen").textContent = still.length || frozen ? this.excuse(models, frozen) : ""; });
  }

  // Nor can those act for which any other value would be refused.
  close(idle) {
    for (const control of this.spec.controls.filter((each) => this.shown(each) && !this.still.includes(each)))
      this.disable(control, idle.includes([...(control.member ?? []).slice(0, 1), control.name].join(".")));
  }

  // Bokeh's own look of a disabled slider or box is that of any other.
  disable(control, disabled) {
    const model = this.model(control.model);
    update(model, { disabled });
    if (model.start === undefined && control.property !== "active") return;
    const own = (model.own_styles ??= model.styles), styles = disabled ? { ...own, opacity: "0.45" } : own;
    if (disabled !== Boolean(model.dimmed)) update(model, { styles });
    model.dimmed = disabled;
  }

  excuse(still, frozen) {
    const said = frozen ? this.experiment.store.said : "This page has the figures that it was saved with.";
    const names = still.filter((model) => this.visible(model)).map((model) => model.title || model.label);
    return `${said}${names.length ? ` Frozen here: ${names.join(", ")}.` : ""}`;
  }

  // Whether nothing around a model hides it but a button that a hand can click.
  visible(model) {
    const around = this.models().find(({ children }) => Array.isArray(children) && children.includes(model));
    return (model.visible || model.tags.includes("folded")) && (!around || this.visible(around));
  }

  // Controls show what the parameters are, also where others moved them; those that are `idle` cannot act.
  follow(idle) {
    this.quiet = true;
    this.freeze();
    this.close(idle);
    for (const control of this.spec.controls) {
      if (control.letter) show_letter(this, control);
      if (control.event || !this.shown(control) || (control.formula && !formula_follows(this, control))) continue;
      const [model, value] = [this.model(control.model), this.value(control)];
      const entries = this.experiment.menus[control.name];
      if (entries) this.offer(model, entries);
      if (control.note && model.value !== value) this.note(control, model, "");
      update(model, { [control.property]: model.options && typeof value === "number" ? String(value) : write(control, value) });
    }
    this.arrange();
    this.shade();
    this.quiet = false;
  }

  offer(model, entries) {
    const options = Object.entries(entries).map(([label, value]) => [value, label]);
    if (!same_key(model.options, options)) model.options = options;
  }

  // Colour the part of a slider that is unstable, by a variable: after another style sheet Bokeh lays out the page.
  shade() {
    for (const [name, start] of Object.entries(this.experiment.shade())) {
      const parameter = name.split(".").at(-1);
      const control = this.spec.controls.find((c) => c.name === parameter && this.shown(c));
      const model = control && this.model(control.model);
      if (!model || model.start === undefined) continue;
      const { share, shaded } = this.spec, unstable = share(write(control, start), model.start, model.end);
      if (!model.stylesheets.includes(shaded)) model.stylesheets = [...model.stylesheets, shaded];
      if (model.css_variables.unstable !== unstable) model.css_variables = { unstable };
    }
  }

  // Columns hold the controls of what is chosen, and of nothing else.
  arrange() {
    const columns = new Map();
    for (const group of this.spec.groups)
      columns.set(group.parent, [...(columns.get(group.parent) ?? []), ...(this.shown(group) ? [this.model(group.model)] : [])]);
    for (const [id, children] of columns) {
      const column = this.model(id);
      if (children.some((child, i) => child !== column.children[i]) || children.length !== column.children.length)
        column.children = children;
    }
  }
}
