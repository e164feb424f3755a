// Tends what Bokeh drew, on every page; optviz/page/layout.py puts keys.js and speech.js before it.
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

// What a block of text that is too wide scrolls in (text.css).
const SCROLLED = ".formula, .objective, .places, .table, .outlook";
function reach(wide) {
  if (wide.tabIndex === 0) return;
  wide.tabIndex = 0;
  wide.setAttribute("role", "group");
  wide.setAttribute("aria-label", wide.querySelector("h2, caption")?.textContent ?? "Table");
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
  const box = root?.querySelector("input[type=checkbox]"), words = root?.querySelector(".bk-label");
  if (box && words) box.setAttribute("aria-labelledby", words.id ||= "words");
  for (const wide of root?.querySelectorAll(SCROLLED) ?? []) if (wide.scrollWidth > wide.clientWidth) reach(wide);
  for (const button of root?.querySelectorAll(".bk-spin-btn") ?? []) button.tabIndex = -1; // the field has arrow keys
  const { "no choice": state } = view.model?.tags?.find((tag) => tag?.["no choice"]) ?? {};
  for (const option of (state && root?.querySelectorAll("option")) || []) option.disabled = option.textContent === state;
  const field = view.model?.type === "Spinner" && view.input_el;
  if (field && !field.aria_tended) {
    field.aria_tended = true;
    // Bokeh leaves what is no number, as "-" or "1e", standing in the field without a word
    field.addEventListener("change", () => {
      if (field.value !== "" && Number.isNaN(Number(field.value))) view.model.value = NaN;
      field.value = view.format_value;
    });
  }
  const children = view.child_views || [];
  children.forEach((child, place) => {
    if (child.model?.type === "Figure") name_picture(child, children[place - 1]);
    label(child);
  });
}

// A plot is named by the caption above it.
function name_picture(plot, caption) {
  const parts = [...(caption?.shadow_el?.querySelectorAll(".caption > *") ?? [])].map((part) => part.textContent.trim());
  const words = parts.filter(Boolean).join(", ") || plot.model.name || "plot";
  const box = plot.canvas_view?.el, role = movable(plot) ? "application" : "figure"; // the one gets all keys
  name_tools(plot);
  if (!box || (box.getAttribute("aria-label") === words && box.role === role)) return;
  box.setAttribute("role", role);
  box.setAttribute("aria-roledescription", "picture");
  box.setAttribute("aria-label", words);
}

// Bokeh's checkboxes are not met by a click on their words.
document.addEventListener("click", (event) => {
  const words = event.composedPath().find((part) => part.classList?.contains("bk-label"));
  [...(words?.parentNode.children ?? [])].find((part) => part.matches("input[type=checkbox]"))?.click();
});

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

// A slider counts its steps in binary fractions: let it say 0.79, not 0.7900000000000001.
function tidy(view) {
  let slider = view.model?.step !== undefined && view._calc_from ? view : null;
  while (slider && !Object.hasOwn(slider, "_calc_from")) slider = Object.getPrototypeOf(slider);
  if (slider) {
    const plain = slider._calc_from;
    slider._calc_from = function (values) {
      const value = plain.call(this, values), { start, end, step } = this.model;
      return typeof value === "number" ? Number(value.toFixed(Math.max(...[start, end, step].map(places)))) : value;
    };
    return true;
  }
  return (view.child_views || []).some(tidy);
}

function places(number) {
  const [digits, exponent = 0] = String(number).split("e");
  return Math.min(Math.max((digits.split(".")[1] || "").length - exponent, 0), 100);
}

// What moves with a knob goes to Bokeh's overlay canvas: axes, grids and landscapes, which take
// most of a paint's time, are then not painted again. Bokeh clips no glyph there: let it.
const STILL = new Set(["Image", "MultiLine"]);
function lift(view) {
  if (view.renderer_views) [settle, hold].forEach((mend) => mend(view));
  for (const renderer of view.renderer_views?.values() || []) {
    const { model, glyph } = renderer;
    if (glyph && !Object.hasOwn(renderer, "update_position")) renderer.update_position = () => {}; // a style sheet a paint, of an element that is empty
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

// Bokeh 3.9 paints 16.7 ms after the last paint by the clock, and of a screen's frames, which come as often, misses every
// other: let it paint in the next one.
function prompt_paint(plot) {
  let asked = null;
  const paint = (done, fail) => requestAnimationFrame(() => {
    asked = null;
    try {
      if (!plot.is_destroyed) plot.repaint();
      done();
    } catch (trouble) {
      fail(trouble);
    }
  });
  plot.throttled_paint = () => (asked ??= new Promise(paint));
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

// Bokeh says how to zoom at every wheel over a plot: once a visit is enough for a page that scrolls.
let told = false;
function hush(plot) {
  const say = plot.notify_about;
  plot.notify_about = function (message) {
    if (!told) say.call(this, message.replace("ctrl", "Ctrl").replace("use", "Use").replace(" to zoom", " to zoom, or click the plot first"));
    told = true;
  };
}

// One finger scrolls the page, two zoom the plot; pan may be chosen in the toolbar.
const coarse = matchMedia("(pointer: coarse)").matches;
function free(plot) {
  if (coarse) plot.model.toolbar.setv({ active_drag: null }, { sync: false });
}

// A finger that begins on a point to be dragged takes the point along, not the page.
function follow(plot) {
  const rings = [...plot.renderer_views.values()].filter(({ model }) => model.tags?.includes("dragged"));
  if (!rings.length) return;
  plot.canvas_view.events_el.addEventListener("touchstart", (event) => {
    const box = plot.canvas_view.el.getBoundingClientRect(), { x_scale, y_scale } = plot.frame;
    const near = ({ clientX, clientY }, { x, y }) =>
      Math.hypot(clientX - box.left - x_scale.compute(x[0]), clientY - box.top - y_scale.compute(y[0])) < 26;
    const columns = ({ model }) => Object.fromEntries(["x", "y"].map((name) => [name, model.data_source.get_column(name)]));
    if (event.touches.length === 1 && rings.some((ring) => near(event.touches[0], columns(ring)))) event.preventDefault();
  }, { passive: false });
}

// Every plot once, once it is drawn.
const handled = new WeakSet();
function handle(view) {
  if (view.renderer_views && view.frame && !handled.has(view)) {
    handled.add(view);
    hush(view);
    prompt_paint(view);
    free(view);
    follow(view);
    take_keys(view);
  }
  for (const child of view.child_views || []) handle(child);
}

// A finger on a slider: a tap or a move along it is the slider's, a move across it the page's. The slider
// takes a touch as soon as it begins, so it hears of it only once it is known which of them it is.
const STEADY = 7; // pixels that a finger may tremble
let touch = null; // the touch that waits: where it began
function begin(event) {
  if (!event.isTrusted) return; // one that has waited
  touch = null;
  const on = event.composedPath().some((part) => part.classList?.contains("noUi-target"));
  if (!on || event.touches.length !== 1) return;
  event.stopImmediatePropagation();
  const { identifier, clientX, clientY, pageX, pageY } = event.touches[0];
  touch = { identifier, target: event.composedPath()[0], clientX, clientY, pageX, pageY };
}

function decide(event) {
  if (!touch) return;
  const { clientX, clientY } = event.touches[0];
  const [along, across] = [Math.abs(clientX - touch.clientX), Math.abs(clientY - touch.clientY)];
  if (Math.max(along, across) < STEADY) return;
  if (along > across) {
    const touches = [new Touch(touch)];
    const options = { touches, targetTouches: touches, changedTouches: touches, bubbles: true, composed: true, cancelable: true };
    touch.target.dispatchEvent(new TouchEvent("touchstart", options));
  }
  touch = null;
}
addEventListener("touchstart", begin, { capture: true, passive: true });
addEventListener("touchmove", decide, { capture: true, passive: true });
addEventListener("touchend", () => (touch = null), { capture: true, passive: true });
addEventListener("touchcancel", () => (touch = null), { capture: true, passive: true });

// An address says the state: the link to the first picture leaves it alone.
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  const first = (view) => (view.canvas_view && view.model.type === "Figure" ? view : (view.child_views ?? []).map(first).find(Boolean));
  Object.values(Bokeh.index).map(first).find(Boolean)?.canvas_view.el.focus();
});

let spared = false, unstyled = false, tidied = false;
function tend() {
  const roots = Object.values(Bokeh.index);
  for (const each of window.optviz_tended) roots.forEach(each); // of scripts beside this one
  roots.forEach(label);
  roots.forEach(lift);
  roots.forEach(handle);
  listen_to_pages();
  tidied ||= roots.some(tidy);
  spared ||= roots.some(spare);
  unstyled ||= roots.some(unstyle);
}
tend();
document.addEventListener("optviz-drawn", tend);
setInterval(tend, 1000);
