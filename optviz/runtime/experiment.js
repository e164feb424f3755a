// What `optviz.experiment.Experiment` is in Python: parameters, results, pictures.
import { ValueError_ } from "./base.js";
import { label_of, prototype } from "./classes.js";
import { shut } from "./members.js";

export class Experiment {
  constructor(parts, state) {
    Object.setPrototypeOf(this, prototype(parts, Experiment.prototype));
    Object.assign(this, state.values, state.attributes);
    this.state = state;
    this.memo = new Map();
    this.message = "";
    this.watchers = [];
    this.coarsest = 1;
    this.framings = 0;
    this.menus = {}; // of menus that other choices narrow, what they offer
  }

  follow() { return {}; }
  typed_surface() { return null; }
  status() { return ""; }
  side() { return {}; }
  shade() { return {}; }
  played() { return []; }
  playhead() { return {}; }
  stands() { return -1; }
  stand() { return {}; }
  idle() { return shut(this.optimizer).map((name) => `optimizer.${name}`); }
  take(owner, values) { for (const [name, value] of Object.entries(values)) owner.assign(name, value); }
  narrow(name, entries) { this.menus[name] = entries; }
  bound(name, low, high) {
    this.page?.bound(name, low, high);
    this.page?.allow(name, low, high);
  }
  chosen(kind, name) {
    const make = this.state.members[kind][name];
    if (!make) throw new ValueError_(`${name} runs through torch and is not among the runs of this page.`);
    return make();
  }

  // What torch has trained in Python, from the runs that the page carries.
  trained() { return this.store.run(this); }

  offered(kind, name, member) { return label_of(member); }

  remember(name, key, make) {
    const kept = this.memo.get(name);
    if (kept && same_key(kept.key, key)) return kept.value;
    const began = performance.now(), value = make();
    this.memo.set(name, { key, value });
    if (value?.found) this.pace(performance.now() - began);
    return value;
  }

  // How coarse the next picture is: of the first stage where the second, four times its work, takes too long.
  pace(took) {
    if (took > 50) this.coarsest = 0;
    else if (took < 10) this.coarsest = 1;
  }

  rough() { return !this.message && Boolean(this.results.picture?.rough()); }

  // A part of the work on a finer picture.
  advance() { if (this.results.picture.advance()) this.refresh(); }

  // Change parameters, let others follow, compute and draw; a refusal leaves all as it was drawn.
  change(values) {
    this.page?.hurry();
    Object.assign(this, values);
    this.settle(new Set(Object.keys(values)));
    this.refresh();
  }

  // Do what sets parameters, and take it back where that is refused; what is said against it, if anything.
  tried(set) {
    const before = Object.keys(this.state.values).map((name) => [name, this[name]]), standing = this.message;
    this.trying = true;
    try {
      set();
    } finally {
      this.trying = false;
    }
    if (this.message === "" || this.message === standing) return "";
    const why = this.message;
    this.change(Object.fromEntries(before.filter(([name, value]) => !same_key(value, this[name]))));
    return why;
  }

  settle(changed) {
    if (changed.has("fit_axes")) this._fit += 1;
    if (this.frames_anew.some((name) => changed.has(name))) this.framings += 1;
    if (changed.size) Object.assign(this, this.follow(changed), this.state.held);
    if (this.replays()) this.store.hold(this);
  }

  // Whether what is shown comes from stored runs.
  replays() { return Boolean(this.store?.shows(this)); }

  // Give a rule or a surface another number.
  set_member(role, name, value) {
    this.page?.hurry();
    this[role].assign(name, value);
    this.settle(new Set());
    this.refresh();
  }

  // What a click does, written in Python as assignments to parameters; false where it does nothing.
  act(method, ...args) {
    if (this.replays() && !this.store.live.includes(method)) return false;
    this.page?.hurry();
    const before = { ...this };
    this[method](...args);
    const changed = Object.keys(this.state.values).filter((name) => this[name] !== before[name]);
    this.settle(new Set(changed));
    this.refresh();
    return true;
  }

  refresh() {
    let results;
    try {
      results = this.compute();
    } catch (refusal) {
      if (!(refusal instanceof ValueError_)) throw refusal;
      this.message = refusal.message;
      if (!this.trying) this.tell();
      return;
    }
    this.results = results;
    this.message = "";
    this.drawings = this.draw();
    this.tell();
  }

  tell() { for (const watcher of this.watchers) watcher(this); }
}

// Equal keys, as in Python: tuples part by part, arrays only if they are the same.
export function same_key(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => same_key(v, b[i]));
  return Object.is(a, b);
}

// Makes the picture of an experiment finer once nothing has changed for a while, part by part between
// other events. As optviz/page/refiner.py.
export class Refiner {
  constructor(experiment) {
    this.experiment = experiment;
    this.timer = null;
    experiment.watchers.push(() => this.wait());
  }

  wait(quiet = 300) {
    clearTimeout(this.timer);
    if (this.experiment.rough()) this.timer = setTimeout(() => this.work(), quiet);
  }

  work() {
    if (!this.experiment.rough()) return;
    this.experiment.advance();
    this.wait(0); // also where the new picture has begun the wait anew
  }
}
