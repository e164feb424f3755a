// Panel's sliders and checkboxes have no accessible name: give each the title beside it.
// Sliders appear later too (another rule's hyperparameters), hence the repetition.
function label(view) {
  const root = view.shadow_el || view.el?.shadowRoot;
  const title = view.model?.title;
  if (root && title) {
    for (const handle of root.querySelectorAll(".noUi-handle")) {
      if (handle.getAttribute("aria-label") !== title) handle.setAttribute("aria-label", title);
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
  if (view.renderer_views) [settle, hold].forEach((mend) => mend(view));
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

// Bokeh 3.9 would let a wheel zoom in until an axis is too narrow for its numbers to differ, and the axis is lost:
// what is narrower than its range allows stays as it was.
function hold(plot) {
  const manager = plot._range_manager;
  if (!manager || Object.hasOwn(manager, "update")) return;
  const update = manager.update;
  manager.update = function (info, options) {
    for (const each of [info.xrs, info.yrs]) {
      for (const [range, ends] of each) {
        const { start, end } = ends, least = 1e-14 * Math.max(Math.abs(start), Math.abs(end));
        if (!(Math.abs(end - start) >= Math.max(range.min_interval ?? 0, least))) {
          [ends.start, ends.end] = [range.start, range.end];
        }
      }
    }
    update.call(this, info, options);
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
