// The field that a formula is typed into, and the sliders of its letters, tied to a page's experiment; what they look
// like is assets/formula.js.

const own_tags = (model, ...names) => model.tags.filter((tag) => !names.some((name) => tag?.[name] !== undefined));

function say(model, refused) {
  const others = own_tags(model, "refused");
  if (refused || others.length < model.tags.length) model.tags = [...others, ...(refused ? [{ refused }] : [])];
}

// What is typed is drawn once it can be read; until then the last good picture stays, and the field says why.
export function type_formula(page, control, model, text) {
  const { experiment, sharing } = page, { why, at, to } = sharing.parsed(text);
  if (why) {
    say(model, { why, at, to, text });
    return;
  }
  control.taken = text;
  if (text === page.value(control)) {
    say(model, null);
    return;
  }
  const refused = experiment.tried(() => experiment.change({ [control.name]: text }));
  say(model, refused ? { why: refused, at: 0, to: 0, text } : null);
}

// Whether the field is to show what the experiment has: not over what somebody types.
export function formula_follows(page, control) {
  const held = page.value(control), model = page.model(control.model);
  if (control.taken === held) return false;
  control.taken = held;
  say(model, null);
  return true;
}

// A letter's slider is there while the formula has the letter, between the ends that were typed.
export function show_letter(page, control) {
  const model = page.model(control.model), visible = page.shown(control);
  if (model.visible !== visible) model.visible = visible;
  if (!visible) return;
  const [start, end] = ["from", "to"].map((side) => page.owner(control).read(`${control.name}_${side}`));
  if (model.start !== start || model.end !== end) model.setv({ start, end });
}

// Ends that are typed under a slider are taken where the one is below the other.
export function hear_ends(page, control, model) {
  const asked = model.tags.find((tag) => tag?.ends !== undefined);
  if (!asked) return;
  const [low, high] = asked.ends, { low: least, high: most } = control.typed;
  const fine = Number.isFinite(low) && Number.isFinite(high) && low < high && low >= least && high <= most;
  model.tags = own_tags(model, "ends", "refused");
  if (!fine) {
    say(model, `A slider runs from one number to a larger one, not from ${low} to ${high}.`);
    return;
  }
  const owner = page.owner(control);
  owner.assign(`${control.name}_from`, low);
  owner.assign(`${control.name}_to`, high);
  page.experiment.set_member(control.member[0], control.name, owner.read(control.name));
}
