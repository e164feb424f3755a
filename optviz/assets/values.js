// The value above a slider is a field: type a number and press Enter, or leave the field; Escape gives up.
// What is typed goes to the model's tags, from where the page takes it (optviz/page/fields.py, runtime/live.js)
// and where it says what it refused.
const IN_PLACES = ["log", "power"]; // sliders whose model holds log10 of what they say
const tagged = (model, name) => model.tags.find((tag) => tag?.[name] !== undefined)?.[name];

// What a slider's field says: the value as the slider writes it, all of its digits where that would be another number.
function written_value(view, digits = 6) {
  const { model } = view, pretty = view.pretty(model.value);
  if (!IN_PLACES.includes(model.tags[0])) {
    const plain = Number(pretty.replaceAll(",", ""));
    return plain === model.value || !Number.isFinite(model.value) ? pretty : String(Number(model.value.toPrecision(digits)));
  }
  const value = 10 ** model.value, near = Math.abs(Number(pretty) / value - 1);
  const as_written = Number(pretty) === 0 || near < 1e-9 || on_grid(model.value);
  return as_written ? pretty : String(Number(value.toPrecision(digits)));
}
const on_grid = (place) => Math.abs(100 * place - Math.round(100 * place)) < 1e-6;

function show_value(view) {
  const { field } = view;
  if (!field || field.typing) return;
  const text = written_value(view);
  if (field.value === text) return;
  field.value = text;
  field.style.width = `${text.length + 1}ch`;
}

// What was refused stays said until the slider has another value.
function show_refusal(view) {
  const why = tagged(view.model, "refused") ?? "";
  if (!view.refusal && why) {
    view.refusal = document.createElement("p");
    view.refusal.setAttribute("role", "alert");
    view.refusal.className = "refused";
  }
  if (!view.refusal) return;
  view.refusal.textContent = why.replace(/(\d)e-0*(\d)/g, "$1e\u2212$2"); // as `typeset` in optviz/page/layout.py
  view.field.ariaInvalid = why ? "true" : null;
  if (why) view.group_el.append(view.refusal);
  else view.refusal.remove();
}

const own_tags = (model) => model.tags.filter((tag) => tag?.typed === undefined && tag?.refused === undefined);
function type_value(view, text) {
  const plain = text.trim().replace("\u2212", "-").replace(/^(-?\d*),(\d+)$/, "$1.$2");
  view.model.tags = [...own_tags(view.model), { typed: plain === "" ? null : Number(plain), at: performance.now() }];
}

function make_field(view) {
  const field = document.createElement("input");
  Object.assign(field, { type: "text", inputMode: "decimal", autocomplete: "off", className: "bk-slider-value", spellcheck: false });
  const leave = () => {
    field.typing = false;
    show_value(view);
  };
  field.addEventListener("focus", () => {
    field.value = written_value(view, 12);
    field.select();
  });
  field.addEventListener("click", () => field.typing || field.select());
  field.addEventListener("input", () => {
    field.typing = true;
    field.style.width = `${Math.max(field.value.length, 3) + 1}ch`;
  });
  const take = () => {
    const { typing, value } = field;
    leave();
    if (typing && value !== written_value(view, 12)) type_value(view, value);
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      take();
      field.select();
    }
    if (event.key === "Escape") {
      leave();
      field.blur();
    }
    event.stopPropagation();
  });
  field.addEventListener("blur", take);
  return field;
}

// Every slider once: Bokeh writes title and value anew at every change, here the field takes the value's place.
function offer_field(view) {
  if (!view.title_el || !view._calc_to || view.field || !view.model.show_value) return;
  view.field = make_field(view);
  const { value, tags, disabled } = view.model.properties;
  const put = () => {
    const name = view.model.title;
    if (view.field.parentNode !== view.title_el || view.field.named !== name) {
      view.field.named = name;
      view.field.setAttribute("aria-label", `${name}, value`);
      view.title_el.replaceChildren(`${name}: `, view.field);
    }
    show_value(view);
  };
  view._update_title = put;
  put();
  view.connect(value.change, () => {
    if (tagged(view.model, "refused")) view.model.tags = own_tags(view.model);
  });
  view.connect(tags.change, () => show_refusal(view));
  const shut = () => (view.field.disabled = view.model.disabled);
  view.connect(disabled.change, shut);
  shut();
}

(window.optviz_tended ??= []).push(function offer_fields(view) {
  offer_field(view);
  for (const child of view.child_views || []) offer_fields(child);
});
