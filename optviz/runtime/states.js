// The states that a page has been in, by what its address says of them: back to them, on again, or to the beginning.

import { button, element } from "./elements.js";

const QUIET = 350; // ms without a change, after which a state is one to come back to
const GLIDE = 550; // ms that a move between two states takes, where it can be followed
const KEPT = 12; // states, the latest, of which what was computed is kept: their maps are as fine as they were
const SLOW = 25; // ms of a computation that a move waits for, not runs through

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden;

export class States {
  constructor(address) {
    Object.assign(this, { address, experiment: address.experiment, back: [], ahead: [], heard: [], kept: new Map() });
    this.now = address.query();
    this.keep(this.now);
    this.experiment.watchers.push(() => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.settle(), QUIET);
    });
  }

  // Take note of the state, if it is another one than before.
  settle() {
    clearTimeout(this.timer);
    const query = this.address.query();
    if (this.experiment.message || this.gliding) return;
    this.keep(query);
    if (query === this.now) return;
    this.back.push(this.now);
    this.ahead = [];
    this.now = query;
    this.tell();
  }

  keep(query) {
    this.kept.delete(query);
    this.kept.set(query, new Map(this.experiment.memo));
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }

  tell() { for (const listener of this.heard) listener(); }

  undo() { this.move(this.back, this.ahead); }

  redo() { this.move(this.ahead, this.back); }

  move(from, to) {
    this.settle();
    if (!from.length) return;
    to.push(this.now);
    this.now = from.pop();
    this.go(this.now, false);
    this.tell();
  }

  // As the page began; that can be undone too.
  reset() {
    this.settle();
    this.go(this.address.opening());
    this.settle();
  }

  // Take a state, said as an address says it. `afresh` with axes as it would begin with; else what is zoomed stays so.
  go(query, afresh = true) {
    clearTimeout(this.gliding);
    this.gliding = null;
    if (!afresh && this.kept.has(query)) this.experiment.memo = new Map(this.kept.get(query));
    this.address.go(query, afresh);
  }

  // The same by a move that an eye can follow, where only numbers differ and none takes long to compute.
  glide(query) {
    this.settle();
    const before = this.numbers(), choices = this.choices();
    const began = performance.now();
    this.go(query);
    const took = performance.now() - began, after = this.numbers();
    const moved = [...after].filter(([name, { value }]) => before.has(name) && before.get(name).value !== value);
    const whole = moved.length && choices === this.choices() && before.size === after.size;
    if (still() || !whole || took > SLOW || moved.length > 3) return this.settle();
    const start = performance.now();
    const frame = () => {
      const part = Math.min((performance.now() - start) / GLIDE, 1), eased = part * part * (3 - 2 * part);
      if (part === 1) {
        this.go(query);
        return this.settle();
      }
      for (const [name, place] of moved) this.put(place, between(before.get(name).value, place.value, eased, place));
      this.experiment.refresh();
      this.gliding = setTimeout(() => requestAnimationFrame(frame));
    };
    frame();
  }

  put({ spec, role }, value) {
    if (role) this.experiment[role].assign(spec.parameter, value);
    else {
      this.experiment[spec.parameter] = value;
      this.experiment.settle(new Set([spec.parameter]));
    }
  }

  numbers() { return new Map([...this.address.places()].filter(([, { value }]) => typeof value === "number")); }

  choices() {
    return JSON.stringify([...this.address.places()].filter(([, { value }]) => typeof value !== "number").map(([, place]) => this.address.held(place)));
  }
}

// By factors where both ends are above 0 and far apart.
function between(a, b, part, { spec }) {
  const value = a > 0 && b > 0 && Math.max(a / b, b / a) > 3 ? a * (b / a) ** part : a + (b - a) * part;
  return spec.kind === "integer" ? Math.round(value) : value;
}

const BUTTONS = [
  ["undo", "↶", "Undo", "Undo the last change (Ctrl+Z)", (states) => states.undo()],
  ["redo", "↷", "Redo", "Redo (Ctrl+Shift+Z)", (states) => states.redo()],
  ["reset", "Reset", "Reset", "All controls as the page began", (states) => states.reset()],
];

// Buttons in the header, and the keys that everybody tries.
export function history_buttons(states, before = document.getElementById("theme-button"), keys = window) {
  const group = states.group = element("div", { className: "history" });
  const made = BUTTONS.map(([name, text, label, title, act]) => {
    const each = button(text, () => act(states), { id: `${name}-button`, ariaLabel: label, title });
    group.append(each);
    return each;
  });
  const follow = () => {
    made[0].disabled = !states.back.length;
    made[1].disabled = !states.ahead.length;
  };
  states.heard.push(follow);
  follow();
  before.before(group);
  keys.addEventListener("keydown", (event) => {
    const field = event.composedPath()[0], typing = field.matches?.("input:not([type=checkbox]):not([type=range]), textarea");
    if (typing || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) states.redo();
    else states.undo();
  });
}
