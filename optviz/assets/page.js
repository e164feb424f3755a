// Panel's sliders, checkboxes, arrows of number fields and players have no accessible name: give each the
// title beside it. Sliders appear later too (another rule's hyperparameters), hence the repetition.
const PARTS = {
  ".bk-spin-btn-up": "*, up", ".bk-spin-btn-down": "*, down", "input[type=range]": "*",
  "button.slower": "Slower", "button.first": "First", "button.previous": "Back", "button.reverse": "Play backwards",
  "button.pause": "Pause", "button.play": "Play", "button.next": "On", "button.last": "Last", "button.faster": "Faster",
  "input.once": "Play once", "input.loop": "Play again and again", "input.reflect": "Play to and fro",
};

// A slider tells the value that it shows: of itself it says two digits, whatever the step.
function speak(handle) {
  const slider = handle.closest(".noUi-target")?.noUiSlider;
  if (!slider || handle.spoken) return;
  handle.spoken = true;
  slider.on("update.spoken", () => handle.setAttribute("aria-valuetext", handle.textContent.trim()));
}

function label(view) {
  const root = view.shadow_el || view.el?.shadowRoot;
  const title = view.model?.title;
  if (root && title) {
    for (const handle of root.querySelectorAll(".noUi-handle")) {
      if (handle.getAttribute("aria-label") !== title) handle.setAttribute("aria-label", title);
      speak(handle);
    }
  }
  for (const [part, name] of root ? Object.entries(PARTS) : []) {
    for (const element of root.querySelectorAll(part)) {
      const said = name.replace("*", title || view.model?.name || "");
      if (element.getAttribute("aria-label") !== said) element.setAttribute("aria-label", said);
    }
  }
  const box = view.model?.label && root?.querySelector("input[type=checkbox]");
  if (box && !box.hasAttribute("aria-label")) box.setAttribute("aria-label", view.model.label);
  for (const child of view.child_views || []) label(child);
}

// Bokeh 3.9 writes the style sheet of every axis anew at every paint, changed or not, and
// each time the browser works out the styles of the page again: a third of a knob's time.
// Let a sheet be written only where its text changes.
function spare(view) {
  let sheet = view.position;
  while (sheet && !Object.hasOwn(sheet, "_update")) sheet = Object.getPrototypeOf(sheet);
  if (sheet) {
    if (!sheet._update.spared) {
      const write = sheet._update;
      sheet._update = function (css) {
        if (this.el.textContent !== css) write.call(this, css);
      };
      sheet._update.spared = true;
    }
    return true;
  }
  return (view.child_views || []).some(spare) || [...(view.renderer_views?.values() || [])].some(spare);
}

// What moves with a knob goes to Bokeh's overlay canvas: axes, grids and landscapes, which take
// most of a paint's time, are then not painted again. Bokeh clips no glyph there: let it.
const STILL = new Set(["Image", "MultiLine"]);
function lift(view) {
  if (view.renderer_views) settle(view);
  for (const renderer of view.renderer_views?.values() || []) {
    const { model, glyph } = renderer;
    if (!glyph || STILL.has(glyph.model.type) || model.level === "overlay") continue;
    Object.defineProperty(renderer, "needs_clip", { value: true });
    model.setv({ level: "overlay" }, { sync: false });
    view.request_paint();
  }
  for (const child of view.child_views || []) lift(child);
}

// Nor is a layout to be looked for (Bokeh measures the text of every axis, twice a paint) where
// nothing but the overlay changes.
function settle(plot) {
  if (Object.hasOwn(plot, "_invalidate_layout_if_needed")) return;
  const look = plot._invalidate_layout_if_needed;
  plot._invalidate_layout_if_needed = function () {
    const light = !this._needs_layout && !this._invalidate_all && this._invalidated_painters.size > 0;
    if (light && [...this._invalidated_painters].every((painter) => painter.model.level === "overlay")) return;
    look.call(this);
  };
}

// Bokeh asks for a CSS variable for every colour and width that it paints; pages set none of them.
function unstyle(view) {
  for (const renderer of view.renderer_views?.values() || []) {
    for (let visual of renderer.visuals || []) {
      while (visual && !Object.hasOwn(visual, "_get_css_value")) visual = Object.getPrototypeOf(visual);
      if (!visual) continue;
      visual._get_css_value = () => "";
      return true;
    }
  }
  return (view.child_views || []).some(unstyle);
}

let spared = false, unstyled = false;
function tend() {
  const roots = Object.values(Bokeh.index);
  roots.forEach(label);
  roots.forEach(lift);
  spared ||= roots.some(spare);
  unstyled ||= roots.some(unstyle);
}
tend();
setInterval(tend, 1000);
