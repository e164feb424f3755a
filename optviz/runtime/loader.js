// One's own points: from a file that is chosen or dropped on the page, or from columns that are pasted. What reads them
// is printed from optviz/objectives/delimited.py.
import { button, element } from "./elements.js";

const LABEL = 2; // the place of the class among three columns

export class Loader {
  constructor({ experiment, page, spec }) {
    Object.assign(this, { experiment, spec, table: null });
    this.make();
    for (const model of page.models()) if (model.tags?.includes("own-points")) model.on_event("button_click", () => this.open());
    const has_files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    addEventListener("dragover", (event) => { if (has_files(event)) event.preventDefault(); });
    addEventListener("drop", (event) => {
      if (!has_files(event)) return;
      event.preventDefault();
      this.open();
      this.take(event.dataTransfer.files);
    });
  }

  make() {
    const { most, longest, example } = this.spec, megabytes = longest / 1e6;
    this.file = element("input", { type: "file", accept: ".csv,.tsv,.txt,.dat,text/*" });
    this.text = element("textarea", { rows: 6, spellcheck: false, placeholder: example });
    this.said = element("p", { className: "said" });
    this.said.setAttribute("role", "status");
    this.choices = element("div", { className: "choices" });
    this.leave = element("input", { type: "checkbox" });
    this.leaves = element("label", { className: "leaves" }, this.leave, " Leave out what is bad");
    this.show = button("Show these points", () => this.apply(), { className: "main" });
    const head = element("h2", { textContent: "Your own points", id: "loader-title" });
    this.dialog = element("dialog", { className: "loader" }, head,
      element("p", { textContent: `A row for each point, from a file of up to ${megabytes} MB or a spreadsheet; up to ${most.toLocaleString("en")} points are shown. Nothing leaves this page.` }),
      element("label", { className: "drop" }, element("b", { textContent: "A CSV file" }), " chosen here or dropped on the page", this.file),
      element("label", {}, element("b", { textContent: "Or columns" }), " pasted here", this.text),
      this.said, this.leaves, this.choices,
      element("nav", {}, this.show, button("Cancel", () => this.dialog.close()), button("Save the points as CSV", () => this.save(), { className: "save" })));
    this.dialog.setAttribute("aria-labelledby", "loader-title");
    this.file.addEventListener("change", () => this.take(this.file.files));
    this.text.addEventListener("input", () => this.read(this.text.value));
    this.leave.addEventListener("change", () => this.judge());
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); }); // beside it
    document.body.append(this.dialog);
  }

  open() {
    if (this.dialog.open) return;
    this.file.value = this.text.value = "";
    this.table = null;
    this.tell("");
    this.dialog.showModal();
  }

  async take(files) {
    const [file] = files;
    if (!file) return;
    if (files.length > 1) return this.tell(`One file at a time, not ${files.length}.`, true);
    if (file.size > 4 * this.spec.longest) return this.tell(`${file.name} has ${Math.round(file.size / 1e6)} MB; at most ${this.spec.longest / 1e6} MB are read.`, true);
    this.text.value = "";
    this.read(decoded(await file.arrayBuffer()));
  }

  // Look at a text: what it holds, and which columns it is to be shown by.
  read(text) {
    this.table = null;
    if (text.trim() === "") return this.tell("");
    const table = this.spec.read_table(text);
    if (table.problem) return this.tell(table.problem, true);
    this.table = table;
    this.leave.checked = false;
    this.offer();
    this.judge();
  }

  // Menus of columns; those of numbers are chosen at first, and what is no number, or the last, for a class.
  offer() {
    const { spec, table } = this, numbers = spec.numeric(table), last = table.names.length - 1;
    const words = spec.width > LABEL ? ["x", "y", "Class"] : ["x", "y"];
    const others = [...Array(last).keys()].filter((k) => !numbers.includes(k));
    const label = others.find((k) => spec.classes_in(table, k).length <= 20) ?? last - 1;
    const free = spec.width > LABEL ? numbers.filter((k) => k !== label) : numbers;
    const first = free.length > 1 ? [free[0], free[1]] : [last, free[0] ?? last];
    this.menus = words.map((word, i) => {
      const names = i < LABEL ? table.names : table.names.slice(0, last);
      const menu = element("select", {}, ...names.map((name, k) => element("option", { value: k, textContent: spec.label_of(name) })));
      menu.value = i < LABEL ? first[i] : label;
      menu.addEventListener("change", () => {
        if (i === LABEL) this.classify();
        this.judge();
      });
      return menu;
    });
    this.one = element("select");
    this.one.addEventListener("change", () => this.judge());
    const labelled = (word, menu) => element("label", {}, `${word} `, Object.assign(menu, { ariaLabel: word }));
    this.choices.replaceChildren(...words.map((word, i) => labelled(word, this.menus[i])), ...(spec.width > LABEL ? [labelled("is", this.one)] : []));
    if (spec.width > LABEL) this.classify();
  }

  classify() {
    const found = this.spec.classes_in(this.table, Number(this.menus[LABEL].value));
    this.one.replaceChildren(...found.map((each) => element("option", { value: each, textContent: this.spec.label_of(each) })));
    this.one.value = found[1] ?? found[0];
  }

  chosen() {
    const places = this.menus.map(({ value }) => Number(value));
    return { columns: places.slice(0, LABEL), label: places[LABEL] ?? -1 };
  }

  judge() {
    const { spec, table } = this, { columns, label } = this.chosen();
    const bad = spec.bad_rows(table, columns, label), left = table.rows.length - bad.length;
    const problem = spec.problem_of(table, columns, label);
    const few = left < 2 ? `Only ${left} rows have numbers in both columns; at least two are needed.` : "";
    const blocked = problem !== "" && !this.leave.checked;
    this.tell([table.said, few || problem].filter(Boolean).join(" "), Boolean(few || blocked), problem !== "" && !few);
    this.leaves.lastChild.textContent = ` Leave out ${bad.length === 1 ? "that row" : `those ${bad.length.toLocaleString("en")} rows`}`;
    this.show.textContent = this.show.disabled ? "Show these points" : `Show ${left.toLocaleString("en")} points`;
  }

  tell(text, wrong = false, leaves = false) {
    this.said.textContent = text;
    this.said.classList.toggle("wrong", wrong);
    this.leaves.hidden = !leaves;
    this.choices.hidden = this.table === null;
    this.show.disabled = wrong || this.table === null;
    if (this.show.disabled) this.show.textContent = "Show these points";
  }

  apply() {
    const { spec, table } = this, { columns, label } = this.chosen(), bad = spec.bad_rows(table, columns, label);
    const values = spec.values_of(table, columns, bad), names = columns.map((k) => spec.label_of(table.names[k]));
    if (label >= 0) {
      values.push(spec.marks_of(table, label, this.one.value, bad));
      names.push(spec.label_of(this.one.value));
    }
    this.dialog.close();
    this.experiment.change({ data: spec.text_of(values, names) });
  }

  save() {
    const { experiment, spec } = this, text = spec.delimited(experiment.points(), experiment.labels());
    const link = element("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: "points.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

// The text of a file, by the mark that it begins with, or as old spreadsheets write it where it is no UTF-8.
function decoded(buffer) {
  const [a, b] = new Uint8Array(buffer), marked = a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : null;
  if (marked) return new TextDecoder(marked).decode(buffer);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer);
  } catch {
    return new TextDecoder("windows-1252").decode(buffer);
  }
}
