// Walks through the steps of a run that is there: marks on the pictures, and what a step is made of. Nothing is computed
// anew: Python's `played` and `playhead` say what there is, and only the layers that drawings leave empty are pushed.
import { Inspector } from "./inspector.js";
import { element, icon } from "./elements.js";

const SPEEDS = [4, 10, 20, 60, 240]; // steps a second
// what keeps its keys to itself
const FIELDS = "input, select, textarea, [contenteditable], [role=slider], [role=listbox], [role=menu]";
const PRESSED = "button, a, summary, label"; // the space bar presses these

export class Player {
  // Whoever wants to hear of every step puts a function of the player into `watchers`.
  constructor(address, page, parts, box, keys = window) {
    const { experiment } = page;
    Object.assign(this, { address, experiment, page, parts, box, watchers: [], shown: false, rate: 10, beginning: null });
    this.runs = experiment.played();
    this.stood = experiment.stands();
    this.step = this.stood < 0 ? this.last : Math.min(this.stood, this.last);
    this.make();
    this.inspector = new Inspector(this);
    box.prepend(this.inspector.sheet);
    box.hidden = false;
    experiment.watchers.push(() => this.follow());
    keys.addEventListener("keydown", (event) => this.key(event));
    const said = address.beside.get("at");
    if (/^\d+$/.test(said)) this.stand(Number(said));
    else this.say();
  }

  make() {
    const button = (name, shape, act) => {
      const made = element("button", { type: "button", className: name, title: TITLES[name], ariaLabel: TITLES[name] }, icon(shape));
      made.addEventListener("click", act);
      return made;
    };
    this.buttons = {
      first: button("first", "first", () => this.seek(0)),
      back: button("back", "back", () => this.seek(this.step - 1)),
      play: button("play", "play", () => this.toggle()),
      on: button("on", "on", () => this.seek(this.step + 1)),
    };
    this.range = element("input", { type: "range", min: 0, step: 1, ariaLabel: "Step" });
    this.range.addEventListener("input", () => this.seek(Number(this.range.value)));
    this.told = element("output", { ariaLive: "off" });
    const options = SPEEDS.map((rate) => element("option", { value: rate, selected: rate === this.rate, textContent: `${rate} steps/s` }));
    this.speed = element("select", { ariaLabel: "Speed" }, ...options);
    this.speed.addEventListener("change", () => this.at_rate(Number(this.speed.value)));
    this.opener = element("button", { type: "button", className: "opener", ariaLabel: "Inspect", ariaExpanded: "false", title: "What this step is made of" },
      icon("parts"), element("span", { textContent: "Inspect" }));
    this.opener.addEventListener("click", () => this.inspector.toggle());
    this.bar = element("div", { className: "transport" }, ...Object.values(this.buttons), this.range, this.told, this.speed, this.opener);
    this.box.append(this.bar);
  }

  // Until where the longest run goes.
  get last() { return Math.max(0, ...this.runs.map((played) => this.parts.last_step(played))); }

  get playing() { return this.beginning !== null; }

  // Stand after so many steps.
  seek(step) {
    if (this.playing) this.rebase(step);
    this.stand(step);
  }

  stand(step) {
    if (this.late) this.renew();
    this.step = Math.min(Math.max(Math.round(step), 0), this.last);
    this.shown = true;
    this.set(this.experiment.stand(this.step));
    this.show();
    if (this.playing && this.step === this.last) this.pause();
  }

  // Parameters that say the step, where an experiment has such.
  set(said) {
    const changed = Object.entries(said).filter(([name, value]) => this.experiment[name] !== value);
    if (!changed.length) return;
    this.setting = true;
    this.experiment.change(Object.fromEntries(changed));
    this.setting = false;
    this.stood = this.experiment.stands();
  }

  toggle() { if (this.playing) this.pause(); else this.play(); }

  play() {
    if (this.step >= this.last) this.stand(0);
    this.rebase(this.step);
    this.next = requestAnimationFrame((now) => this.frame(now));
    this.say();
  }

  pause() {
    cancelAnimationFrame(this.next);
    this.beginning = null;
    this.say();
    this.note();
  }

  at_rate(rate) {
    this.rate = rate;
    if (this.playing) this.rebase(this.step);
  }

  rebase(step) { this.beginning = { time: performance.now(), step: Math.max(step, 0) }; }

  frame(now) {
    const { time, step } = this.beginning, reached = step + Math.floor(Math.max(now - time, 0) * this.rate / 1000);
    if (reached !== this.step) this.stand(reached);
    if (this.playing) this.next = requestAnimationFrame((later) => this.frame(later));
  }

  // The runs have changed. As long as nothing is shown of them, that can wait for a hand to rest.
  follow() {
    clearTimeout(this.late);
    this.late = null;
    if (this.experiment.message) return;
    if (this.shown || this.inspector.open) this.renew();
    else this.late = setTimeout(() => this.renew(), 80);
  }

  // Who stood at the end stands at the new one.
  renew() {
    const ended = this.step >= this.last;
    clearTimeout(this.late);
    this.late = null;
    this.runs = this.experiment.played();
    this.inspector.renew();
    if (this.setting) return;
    const stands = this.experiment.stands(), moved = stands !== this.stood;
    this.stood = stands;
    this.step = Math.min(moved ? stands : ended && !this.playing && stands < 0 ? this.last : this.step, this.last);
    if (this.shown) this.show();
    else this.say();
  }

  show() {
    const { figures } = this.page, shown = this.experiment.playhead(this.step);
    const arrows = this.inspector.arrows();
    for (const [name, columns] of Object.entries(arrows)) shown[name] = { ...shown[name], ...columns };
    for (const [name, columns] of Object.entries(shown)) figures[name].over(columns);
    this.say();
    this.note();
    for (const watcher of this.watchers) watcher(this);
  }

  // The address says the step, where no parameter does.
  note() {
    const { beside } = this.address, { step, last } = this;
    if (this.experiment.stands() >= 0) return;
    if (step < last) beside.set("at", step);
    else beside.delete("at");
    if (!this.playing) this.address.changed();
  }

  say() {
    const { step, last } = this, gone = step === last && this.diverged();
    this.range.max = last;
    this.range.value = step;
    this.told.textContent = gone ? `diverged at ${step}` : `${step} / ${last}`;
    this.told.title = gone ? `Step ${step} is no longer finite.` : `After ${step} of ${last} steps`;
    this.range.setAttribute("aria-valuetext", gone ? `step ${step}, no longer finite` : `step ${step} of ${last}`);
    this.box.classList.toggle("gone", Boolean(gone));
    const { play } = this.buttons, title = this.playing ? "Pause (space)" : TITLES.play;
    if (play.title !== title) {
      Object.assign(play, { title, ariaLabel: title });
      play.replaceChildren(icon(this.playing ? "pause" : "play"));
    }
    this.inspector.say();
  }

  // Whether the run that is dissected is no longer finite at the last step.
  diverged() {
    const { run, lane, steps } = this.inspector?.run ?? this.runs[0], gone = run.diverged.data[lane];
    return gone > 0 && gone <= steps;
  }

  key(event) {
    const [focus] = event.composedPath(), inside = this.box.contains(focus), own = focus === this.range;
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const field = focus.matches?.(FIELDS) && !own;
    const acts = {
      " ": () => this.toggle(), ArrowLeft: () => this.seek(this.step - 1), ArrowRight: () => this.seek(this.step + 1),
      Home: () => this.seek(0), End: () => this.seek(this.last),
    };
    const act = acts[event.key];
    if (!act || field || (event.key === " " ? focus.matches?.(PRESSED) : own)) return;
    if ((event.key === "Home" || event.key === "End") && !inside) return; // they scroll the page
    event.preventDefault();
    act();
  }
}

const TITLES = { first: "To the start (Home)", back: "One step back (←)", play: "Play (space)", on: "One step on (→)" };
