// The field for a formula (optviz/page/formula_field.py): what is typed is taken after a short rest, what is refused
// stays standing, its place marked. Sliders of letters have their ends in fields under the track.
(() => {
  const REST = 250; // ms without a key
  const tagged = (model, name) => model.tags.find((tag) => tag?.[name] !== undefined)?.[name];
  const element = (tag, className, text = "") => Object.assign(document.createElement(tag), { className, textContent: text });

  function offer_formula(view) {
    const { model, input_el: field, group_el: group } = view;
    if (!field || view.formula) return;
    const note = element("div", "formula-note");
    view.formula = { note };
    note.id = "formula-note";
    note.setAttribute("aria-live", "polite");
    group.append(note);
    for (const [name, value] of Object.entries({ autocapitalize: "off", autocomplete: "off", autocorrect: "off", spellcheck: "false", inputmode: "text", enterkeyhint: "done", "aria-describedby": note.id, maxlength: "2000" })) field.setAttribute(name, value);
    let timer;
    const take = () => {
      clearTimeout(timer);
      if (field.value !== model.value) model.value = field.value;
    };
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(take, REST);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") take();
      event.stopPropagation();
    });
    view.connect(model.properties.tags.change, () => show_refusal(view));
    show_refusal(view);
  }

  // The formula once more with what is refused of it marked, and what would be right.
  function show_refusal(view) {
    const refused = tagged(view.model, "refused"), { note } = view.formula, field = view.input_el;
    if (!refused) {
      field.removeAttribute("aria-invalid");
      note.replaceChildren();
      return;
    }
    const { why, at, to, text } = refused, chars = [...text];
    field.setAttribute("aria-invalid", "true");
    const parts = [element("p", "why", why)];
    if (to > at) {
      const line = element("p", "where"), marked = element("mark", "", chars.slice(at, to).join("") || "\u2038");
      const before = chars.slice(Math.max(0, at - 24), at).join(""), after = chars.slice(to, to + 24).join("");
      line.append(at > 24 ? `\u2026${before}` : before, marked, to + 24 < chars.length ? `${after}\u2026` : after);
      line.setAttribute("aria-hidden", "true"); // the sentence says it
      parts.unshift(line);
    }
    note.replaceChildren(...parts);
  }

  const written = (value) => String(Number(value.toPrecision(6))).replace("-", "\u2212");
  const read = (text) => (text.trim() === "" ? NaN : Number(text.trim().replace("\u2212", "-").replace(",", ".")));

  function offer_ends(view) {
    if (view.ends || !view.group_el) return;
    const { model } = view, row = element("div", "letter-ends");
    view.ends = ["from", "to"].map((side) => {
      const field = element("input", "letter-end");
      Object.assign(field, { type: "text", inputMode: "decimal", autocomplete: "off", spellcheck: false });
      field.setAttribute("aria-label", `${model.title} ${side}`);
      field.addEventListener("focus", () => field.select());
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") field.blur();
        event.stopPropagation();
      });
      field.addEventListener("blur", () => take_ends(view));
      row.append(field);
      return field;
    });
    view.group_el.append(row);
    const { start, end } = model.properties;
    for (const each of [start, end]) view.connect(each.change, () => show_ends(view));
    show_ends(view);
  }

  function show_ends(view) { view.ends.forEach((field, i) => { field.value = written(i ? view.model.end : view.model.start); }); }

  function take_ends(view) {
    const { model } = view, ends = view.ends.map((field) => read(field.value));
    if (view.ends.every((field, i) => field.value === written(i ? model.end : model.start))) return;
    model.tags = [...model.tags.filter((tag) => tag?.ends === undefined), { ends: ends.map((end) => (Number.isFinite(end) ? end : null)) }];
    setTimeout(() => show_ends(view), 300); // what was refused goes back
  }

  (window.optviz_tended ??= []).push(function offer(view) {
    if (view.model?.tags?.includes("formula")) offer_formula(view);
    if (view.model?.tags?.includes("letter")) offer_ends(view);
    for (const child of view.child_views || []) offer(child);
  });
})();
