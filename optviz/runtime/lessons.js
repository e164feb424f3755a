// The lessons of a page: a step's words beside the pictures, the state that shows it, a prediction, something to reach.
import { ValueError_ } from "./base.js";
import { button, element, view_of } from "./elements.js";
import { opened_folds } from "./folds.js";

const KEPT = "optviz-lessons"; // in the browser's storage: how far each lesson was taken

const marked = (tag, html, values = {}) => element(tag, { innerHTML: html, ...values });

// Note how far a lesson was taken; what was done stays done.
function keep(name, step, done) {
  try {
    const taken = JSON.parse(localStorage.getItem(KEPT)) ?? {};
    localStorage.setItem(KEPT, JSON.stringify({ ...taken, [name]: { step, done: done || Boolean(taken[name]?.done) } }));
  } catch {
    // a browser that keeps nothing
  }
}

export class Teacher {
  constructor({ page, address, states, lessons }) {
    Object.assign(this, { page, address, states, lessons, experiment: page.experiment });
    this.box = document.getElementById("lesson");
    this.lesson = null;
    this.place = 0;
    this.answers = new Map(); // by step of this lesson, what was answered
    this.reached = new Set();
    this.lit = []; // elements that are pointed at
    this.opener = this.header_button();
    this.experiment.watchers.push(() => this.look());
    addEventListener("keydown", (event) => this.key(event), true); // before the player's
    this.open_as_said();
  }

  header_button() {
    const text = this.lessons.length > 1 ? "Lessons" : "Lesson";
    const opener = button(text, () => (this.lesson ? this.go(this.place) : this.offer()), { id: "lesson-button" });
    document.querySelector("header .history").before(opener);
    return opener;
  }

  // What the address says: "ravines" begins a lesson, "ravines.3" goes on in it, in a state of one's own where it has one.
  open_as_said() {
    const said = this.address.beside.get("lesson");
    if (!said) return;
    const [name, number] = said.split("."), lesson = this.lessons.find((each) => each.name === name);
    const place = Number(number ?? 1) - 1;
    if (!lesson || !(place in lesson.steps)) {
      this.address.beside.delete("lesson");
      const offered = this.lessons.map((each) => each.name).join(", ");
      this.address.refuse([lesson ? `The lesson ${name} has steps 1 to ${lesson.steps.length}, not ${number}.`
        : `There is no lesson ${name.slice(0, 60)} here; choose from ${offered}.`]);
      return;
    }
    this.begin(lesson, place, this.address.query() !== "");
  }

  // Choose among the lessons of this page.
  offer() {
    if (this.lessons.length === 1) return this.begin(this.lessons[0]);
    const list = element("ul", { className: "lesson-list" }, ...this.lessons.map((lesson) =>
      element("li", {}, button(lesson.title, () => this.begin(lesson)), marked("p", lesson.sentence))));
    this.show(this.bar("Lessons of this page"), list);
    this.box.querySelector("li button").focus();
  }

  begin(lesson, place = 0, own = false) {
    this.lesson = lesson;
    this.answers.clear();
    this.reached.clear();
    this.go(place, own);
  }

  leave() {
    this.box.hidden = true;
    document.documentElement.classList.remove("taught");
    this.point([], []);
    this.address.beside.delete("lesson");
    this.address.changed();
    this.opener.hidden = false;
    this.opener.textContent = this.lesson ? "Back to the lesson" : this.lessons.length > 1 ? "Lessons" : "Lesson";
    this.opener.focus();
  }

  get step() { return this.lesson.steps[this.place]; }

  // Show a step; the state is the step's, or one's `own` as it stands.
  go(place, own = false) {
    this.place = place;
    this.reached.delete(this.step);
    this.address.beside.set("lesson", `${this.lesson.name}.${place + 1}`);
    keep(this.lesson.name, place + 1, place === this.lesson.steps.length - 1);
    this.write();
    if (!own) this.return_();
    else this.arrive();
    this.box.querySelector("h2").focus({ preventScroll: document.documentElement.scrollTop < 50 });
  }

  // The state of this step, as its question left it.
  return_() {
    const { step } = this;
    this.states.glide(this.answers.has(step) && step.question.then ? step.question.then : step.state);
    this.arrive();
  }

  arrive() {
    this.home = null;
    opened_folds(this.page, this.step.turn);
    clearTimeout(this.arriving);
    this.arriving = setTimeout(() => { // once it has glided there
      this.home = this.address.query();
      this.stray();
      this.look();
      this.point(this.step.turn, this.step.look);
    }, 700);
    this.address.changed();
  }

  // Words

  bar(title, place = "") {
    return element("div", { className: "lesson-bar" }, marked("b", title), element("span", { textContent: place }),
      button("×", () => this.leave(), { className: "leave", ariaLabel: "Leave the lesson", title: "Leave the lesson" }));
  }

  show(...parts) {
    this.box.hidden = false;
    document.documentElement.classList.add("taught");
    this.box.replaceChildren(...parts.filter(Boolean));
    this.opener.hidden = true;
  }

  write() {
    const { step, lesson, place } = this, last = place === lesson.steps.length - 1;
    const progress = element("progress", { max: lesson.steps.length, value: place + 1, ariaLabel: "Steps of the lesson" });
    this.again = button("Back to the lesson", () => this.return_(), { className: "again", hidden: true });
    this.show(
      this.bar(lesson.title, `${place + 1} of ${lesson.steps.length}`), progress,
      marked("h2", step.title, { tabIndex: -1 }), marked("div", step.text, { className: "words" }),
      step.question && this.question(step), this.goal(step),
      element("nav", { ariaLabel: "Steps of the lesson" }, this.again,
        button("Back", () => this.go(place - 1), { disabled: place === 0 }),
        last ? this.onward() : button("Next", () => this.go(place + 1), { className: "next" })),
    );
  }

  // After the last step: the next lesson of the path, or all of them.
  onward() {
    const path = JSON.parse(this.box.dataset.path || "[]"), at = path.findIndex(([name]) => name === this.lesson.name);
    const [name, address, title] = path[at + 1] ?? [];
    const here = this.lessons.find((lesson) => lesson.name === name);
    if (here) return button(`Next: ${title}`, () => this.begin(here), { className: "next" });
    if (name) return element("a", { className: "next", href: address, textContent: `Next: ${title}` });
    return button("Done", () => this.leave(), { className: "next" });
  }

  // Predictions

  question(step) {
    const { question } = step, given = this.answers.get(step);
    const box = element("fieldset", { className: "question" }, marked("legend", question.ask));
    if (question.guess) box.append(...this.guess(step, given));
    for (const answer of question.answers) {
      const choice = marked("button", answer.text, { type: "button", ariaPressed: String(given === answer) });
      choice.addEventListener("click", () => this.answer(step, answer));
      if (given) choice.classList.add(answer.right ? "right" : given === answer ? "wrong" : "other");
      box.append(choice);
    }
    const why = element("div", { className: "why", role: "status" });
    box.append(why);
    if (given) this.judge(step, given, why);
    return box;
  }

  guess({ question: { guess } }, given) {
    const { low, high, step, unit } = guess, id = "lesson-guess";
    const slider = element("input", { type: "range", id, min: low, max: high, step, value: given?.value ?? (low + high) / 2, ariaLabel: "Your guess" });
    const shown = element("output", { textContent: `${slider.value}${unit}`, htmlFor: id });
    slider.addEventListener("input", () => { shown.textContent = `${slider.value}${unit}`; });
    return [element("div", { className: "guess" }, slider, shown), button("That is my guess", () => this.answer(this.step, { value: slider.value }))];
  }

  answer(step, answer) {
    this.answers.set(step, answer);
    this.write();
    this.box.querySelector(".why").scrollIntoView({ block: "nearest" });
    const chosen = this.box.querySelector("button[aria-pressed=true]") ?? this.box.querySelector(".question > button");
    chosen.focus({ preventScroll: true });
    if (step.question.then) this.states.glide(step.question.then);
    this.arrive();
  }

  judge(step, given, why) {
    const { guess, revealed } = step.question;
    const say = (right, text) => why.replaceChildren(marked("p", `<b>${right ? "Yes." : "Not quite."}</b> ${text}`), marked("p", revealed));
    if (!guess) return say(given.right, given.why);
    setTimeout(() => { // once the state is there that answers
      const truth = guess.truth(this.experiment), value = Number(given.value);
      const right = Math.abs(value - truth) <= guess.within || Math.max(value / truth, truth / value) <= guess.near;
      say(right, `It is ${Number(truth.toPrecision(3))}${guess.unit}. ${guess.why}`);
    }, 800);
  }

  // Things to reach

  goal(step) {
    this.target = null;
    if (!step.goal || (step.question && !this.answers.has(step))) return null;
    this.target = element("div", { className: "goal", role: "status" });
    const help = button("Show me", () => this.states.glide(step.goal.solution));
    this.tell();
    return element("div", { className: "target" }, this.target, help);
  }

  tell() {
    const { goal } = this.step, done = this.reached.has(this.step);
    this.target.classList.toggle("reached", done);
    this.target.replaceChildren(marked("p", `<b>${done ? "✓ Done." : "Your turn."}</b> ${done ? goal.done : goal.text}`));
  }

  // Whether what is shown now is what was asked for.
  look() {
    if (!this.lesson || this.box.hidden || this.home === null) return;
    this.stray();
    if (!this.target || this.experiment.message || this.reached.has(this.step)) return;
    try {
      if (!this.step.goal.reached(this.experiment)) return;
    } catch (trouble) {
      if (trouble instanceof ValueError_) return;
      throw trouble;
    }
    this.reached.add(this.step);
    this.tell();
  }

  stray() { this.again.hidden = this.home === null || this.address.query() === this.home; }

  // Pointers

  // Underline what to turn and frame what to look at.
  point(controls, figures) {
    for (const { target, name } of this.lit.splice(0)) target.style[name] = "";
    const light = (model, name, look) => {
      const target = view_of(model)?.el;
      if (!target) return;
      target.style[name] = look;
      this.lit.push({ target, name });
    };
    for (const name of controls) {
      const control = this.page.spec.controls.find((each) => each.name === name && this.page.shown(each));
      if (control) light(this.page.model(control.model), "boxShadow", "-6px 0 0 0 var(--ground, white), -9px 0 0 0 #e8590c");
    }
    for (const name of figures) light(this.page.model(this.page.figures[name].spec.model), "outline", "2px solid #e8590c");
  }

  key(event) {
    if (!this.lesson || this.box.hidden || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const within = event.composedPath()[0];
    const free = within === document.body || this.box.contains(within);
    if (!free || within.matches("input")) return;
    const next = { ArrowRight: this.place + 1, ArrowLeft: this.place - 1 }[event.key];
    if (next === undefined || !(next in this.lesson.steps)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.go(next);
  }
}
