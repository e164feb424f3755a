// For a lecture: the first pictures as large as the window, a few large controls, two states side by side.
import { button, element, view_of } from "./elements.js";
import { opened_folds } from "./folds.js";

const FONTS = { major_label_text_font_size: "19px", axis_label_text_font_size: "20px" };
const LEAST = 220; // pixels that a picture is high, whatever stands around it
const OFFERED = "offered"; // tags what stands beside the controls (optviz/page/controls.py)
const FEW = 3; // controls, where nobody has chosen
const ONWARDS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }; // also what a presenter's clicker sends

export class Stage {
  constructor(parts) {
    Object.assign(this, parts, { put: [] });
    this.opener = button("Stage", () => this.enter(), { id: "stage-button", title: "Large pictures and a few controls, for a lecture" });
    document.querySelector("header .history").before(this.opener);
    this.tools = element("div", { className: "stage-tools" });
    document.getElementById("theme-button").before(this.tools);
    addEventListener("keydown", (event) => this.key(event), true);
    const said = this.address.beside.get("stage");
    if (said !== undefined) this.enter(said);
    if (this.address.beside.has("versus")) this.compare(this.address.beside.get("versus"));
  }

  get on() { return document.documentElement.classList.contains("staged"); }

  // What can be turned now, by name.
  controls() { return this.page.spec.controls.filter((control) => this.page.shown(control)); }

  // The controls that are `said`, or those that a lesson speaks of, or the first few.
  chosen(said) {
    const there = this.controls(), names = (said ?? "").split(",").filter(Boolean);
    const strange = names.filter((name) => !there.some((control) => control.name === name));
    if (strange.length) {
      this.address.refuse([`The stage has no control ${strange[0].slice(0, 60)}; choose from ${there.map(({ name }) => name).join(", ")}.`]);
    }
    const known = names.filter((name) => !strange.includes(name));
    if (known.length) return known;
    const taught = document.documentElement.classList.contains("taught") ? this.teacher?.step.turn ?? [] : [];
    return taught.length ? taught : there.filter(({ event }) => !event).filter((control) => this.page.model(control.model).start !== undefined).slice(0, FEW).map(({ name }) => name);
  }

  enter(said) {
    this.names = this.chosen(said);
    document.documentElement.classList.add("staged");
    this.opener.hidden = true;
    const view = this.page.view();
    view.el.classList.add("staged");
    for (const spec of this.page.spec.figures) {
      for (const id of Object.values(spec.axes)) this.set(this.page.model(id), FONTS);
    }
    this.arrange();
    this.follow();
  }

  // Set properties of a model until the stage is left.
  set(model, values) {
    this.put.push([model, Object.fromEntries(Object.keys(values).map((name) => [name, model[name]]))]);
    model.setv(values, { sync: false });
  }

  // Show the chosen controls, and none of the others.
  arrange() {
    for (const fold of opened_folds(this.page, this.names)) if (fold.visible) this.set(fold, { visible: false });
    for (const control of this.page.spec.controls) {
      const model = this.page.model(control.model), shows = this.names.includes(control.name);
      if (model.visible !== shows) this.set(model, { visible: shows });
    }
    for (const model of this.page.models()) if (model.tags?.includes(OFFERED) && model.visible) this.set(model, { visible: false });
    this.tell();
    this.address.beside.set("stage", this.names.join(","));
    this.address.changed();
  }

  choose(name, wanted) {
    this.names = wanted ? [...this.names, name] : this.names.filter((other) => other !== name);
    this.arrange();
  }

  tell() {
    const boxes = this.controls().filter(({ event }) => !event).map((control) => {
      const model = this.page.model(control.model);
      const box = element("input", { type: "checkbox", checked: this.names.includes(control.name) });
      box.addEventListener("change", () => this.choose(control.name, box.checked));
      return element("label", {}, box, model.title || model.label || control.name);
    });
    const open = this.tools.querySelector("details")?.open ?? false;
    const menu = element("details", { open }, element("summary", { textContent: "Controls" }), element("div", {}, ...boxes));
    const pin = button(this.pinned.query === null ? "Pin" : "Unpin", () => {
      if (this.pinned.query === null) this.pinned.pin();
      else this.pinned.unpin();
      this.tell();
    }, { title: "Keep this run as thin lines while knobs move" });
    const versus = button("A | B", () => this.compare(this.pinned.query ?? this.address.query()), { title: "Two states side by side" });
    const full = button("Full screen", () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()));
    const framed = location.protocol === "about:"; // in a notebook: it has no address to open twice
    this.tools.replaceChildren(menu, pin, ...(framed ? [] : [versus]), full, button("Leave the stage", () => this.leave()));
  }

  leave() {
    for (const [model, before] of this.put.splice(0).reverse()) model.setv(before, { sync: false });
    document.documentElement.classList.remove("staged");
    this.page.view().el.classList.remove("staged");
    this.opener.hidden = false;
    this.tools.replaceChildren();
    this.address.beside.delete("stage");
    this.address.changed();
    this.follow();
    this.opener.focus();
  }

  // The pictures take the room that there is, also where a caption grows or the player opens.
  follow() {
    this.sizes ??= new ResizeObserver(() => this.fit());
    this.sizes.disconnect();
    setTimeout(() => {
      this.fit();
      dispatchEvent(new Event("resize"));
      const first = this.page.figures[this.page.spec.figures[0].name], caption = view_of(this.page.model(first.spec.caption));
      if (this.on) [document.getElementById("player"), caption?.el].filter(Boolean).forEach((each) => this.sizes.observe(each));
    });
  }

  // Between what stands above the first picture and the player; two rows of them have captions each.
  fit() {
    const { style } = document.documentElement, names = ["--stage", "--stage-half"];
    if (!this.on || innerWidth <= 760) return names.forEach((name) => style.removeProperty(name));
    const box = ({ model }) => view_of(this.page.model(model))?.el.getBoundingClientRect();
    const [first] = this.page.spec.figures.filter((each) => box(each)?.height > 0); // a page may hide some
    if (!first) return undefined;
    const top = box(first).top + scrollY, head = top - scrollY - (view_of(this.page.model(first.caption))?.el.getBoundingClientRect().top ?? top);
    const room = innerHeight - top - document.getElementById("player").offsetHeight - 12, half = (room - head - 10) / 2;
    return [room, half].forEach((each, i) => style.setProperty(names[i], `${Math.round(Math.max(each, LEAST / (i + 1)))}px`));
  }

  // On with the lesson, or with the step that the player shows.
  key(event) {
    if (!this.on || event.ctrlKey || event.altKey || event.metaKey) return;
    const way = ONWARDS[event.key], own = "input, select, [role=slider], [role=application], [role=toolbar]"; // their keys
    if (event.key === "Escape" && !document.fullscreenElement) return this.leave();
    if (way === undefined || event.composedPath().some((part) => part.matches?.(own))) return;
    const { teacher, player } = this, taught = document.documentElement.classList.contains("taught");
    if (taught && teacher.place + way in teacher.lesson.steps) teacher.go(teacher.place + way);
    else if (!taught && player) player.seek(player.step + way);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // Two pages of this experiment beside each other: A as it stands here, B in the state given.
  compare(query) {
    const before = location.href.split(/[?#]/)[0], { mark } = this.address;
    const stage = (this.on ? this.names : this.chosen("")).join(",");
    const frame = (name, state) => element("iframe", {
      title: `${name}: ${document.title}`, src: `${before}${mark}${state && `${state}&`}${new URLSearchParams({ stage, frame: name })}`,
    });
    this.frames = [frame("A", this.address.query()), frame("B", query)];
    const box = element("div", { className: "versus" }, ...this.frames);
    const close = button("Leave A | B", () => {
      box.remove();
      close.remove();
      document.documentElement.classList.remove("compared");
      removeEventListener("message", hear);
    });
    const hear = ({ source, data }) => {
      const other = this.frames.find(({ contentWindow }) => contentWindow !== source);
      if (this.frames.some(({ contentWindow }) => contentWindow === source) && data?.optviz) other.contentWindow.postMessage(data, "*");
    };
    addEventListener("message", hear);
    document.documentElement.classList.add("compared");
    document.getElementById("theme-button").before(close);
    document.body.append(box);
  }
}

// What the two pages of a comparison tell each other: the step that is shown, and the axes; A's are those of both.
export function couple({ page, player, address }) {
  const name = address.beside.get("frame");
  if (name === undefined || window.parent === window) return;
  document.documentElement.classList.add("framed");
  document.querySelector("header h1").prepend(`${name} · `);
  let hearing = false;
  const tell = (data) => { if (!hearing) window.parent.postMessage({ optviz: name, ...data }, "*"); };
  const axes = ({ ranges, spec }) => tell({ figure: spec.name, ...Object.fromEntries(["x", "y"].map((axis) => [axis, [ranges[axis].start, ranges[axis].end]])) });
  player?.watchers.push(({ step }) => tell({ step }));
  for (const figure of Object.values(page.figures)) {
    for (const range of Object.values(figure.ranges)) {
      for (const end of ["start", "end"]) range.properties[end].change.connect(() => axes(figure));
    }
  }
  const hear = ({ step, figure, x, y, ready }) => {
    if (ready && name === "A") Object.values(page.figures).forEach(axes);
    hearing = true;
    if (step !== undefined) player?.seek(step);
    const ranges = page.figures[figure]?.ranges;
    if (ranges) for (const [axis, [start, end]] of Object.entries({ x, y })) ranges[axis].setv({ start, end });
    hearing = false;
  };
  addEventListener("message", ({ source, data }) => { if (source === window.parent && data?.optviz) hear(data); });
  tell({ ready: true });
}
