// Pictures without a mouse: each can have the focus, arrow keys move what a hand can drag or choose on it, and its
// toolbar shows while the keys are there.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
const [COARSE, FINE] = [1 / 50, 1 / 500]; // of an axis

// What keys move on a plot, as optviz/pictures/gestures.py has tagged it: a point, or where a choice stands.
function movable(plot) {
  for (const { model } of plot.renderer_views.values()) {
    for (const tag of model.tags ?? []) {
      if (tag === "edited") return { how: "edited", source: model.data_source, unit: 0, index: Math.max(plot.chosen ?? 0, 0) };
      if (tag === "dragged") return { how: "dragged", source: model.data_source, unit: 0 };
      if (tag?.moved) return { how: "moved", source: model.data_source, ...tag.moved };
    }
  }
  return null;
}

// Where it is: at the first point of its layer or the one that is chosen, amid its band, or amid the picture while it is out of view.
function stands({ source, index = 0 }, ends) {
  const column = (name) => source.get_column(name)?.[index];
  const [left, right] = [column("left"), column("right")];
  const place = left === undefined ? [column("x"), column("y")] : [(left + right) / 2, undefined];
  return place.map((at, i) => (Number.isFinite(at) ? at : (ends[i].start + ends[i].end) / 2));
}

// How far a key moves it: by cells where its layer has some, by a share of the axis else, by its unit at least.
function stride(plot, { unit, cells }, fine) {
  const ends = [plot.model.x_range, plot.model.y_range].map(({ start, end }) => Math.abs(end - start));
  const grid = [...plot.renderer_views.values()].find(({ model }) => model.name === `glyph ${cells}`);
  if (!grid) return ends.map((length) => Math.max(unit, length * (fine ? FINE : COARSE)));
  const [image, dw, dh] = ["image", "dw", "dh"].map((name) => grid.model.data_source.get_column(name)[0]);
  return [dw / image.shape[1], dh / image.shape[0]];
}

function within(place, { start, end }) {
  return Math.min(Math.max(place, Math.min(start, end)), Math.max(start, end));
}

function move_by_key(plot, event) {
  const way = ARROWS[event.key], what = way && movable(plot);
  if (!what || event.ctrlKey || event.altKey || event.metaKey || (way[0] === 0 && what.source.get_column("left"))) return;
  event.preventDefault();
  event.stopPropagation();
  const ends = [plot.model.x_range, plot.model.y_range], far = stride(plot, what, event.shiftKey);
  const place = stands(what, ends).map((at, i) => within(at + way[i] * far[i], ends[i]));
  const which = what.how === "edited" ? ["move", what.index] : [];
  plot.model.tags = [...which, ...place, event.timeStamp]; // the time, or the same place anew would be no change
}

// The toolbar is one stop of the keys, as toolbars are: arrows lead from button to button.
function walk_toolbar(buttons, event) {
  const at = buttons.findIndex(({ el }) => event.composedPath().includes(el));
  if (at < 0) return;
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (!step && event.key !== " ") return;
  event.preventDefault();
  event.stopPropagation();
  if (!step) buttons[at].tap();
  else buttons[(at + step + buttons.length) % buttons.length].el.focus();
}

// The buttons of a plot's toolbar, named; what has no room stands in a menu behind the last of them.
function name_tools(plot) {
  const { el: bar, tool_button_views: views = [], overflow_el: more } = plot.toolbar_panel?.toolbar_view ?? {};
  if (!bar) return [];
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Tools");
  const shown = views.filter(({ el }) => el.isConnected).map((view) => ({ el: view.el, tool: view.model.tool, tap: () => view.tap() }));
  const buttons = more?.isConnected ? [...shown, { el: more, tap: () => more.click() }] : shown;
  buttons.forEach(({ el, tool }, place) => {
    el.setAttribute("role", "button");
    el.setAttribute("aria-label", el.title || "More tools");
    if (typeof tool?.active === "boolean" && tool.event_types?.length) el.setAttribute("aria-pressed", String(tool.active));
    el.tabIndex = place ? -1 : 0;
  });
  return buttons;
}

// Every plot once, once it is drawn. A click on a plot leaves the focus with its events, inside.
function take_keys(plot) {
  const box = plot.canvas_view.el, { toolbar_view } = plot.toolbar_panel ?? {};
  box.tabIndex = 0;
  plot.canvas_view.events_el.tabIndex = -1;
  let keyed = false;
  if (toolbar_view) {
    const show = toolbar_view.set_visibility;
    toolbar_view.set_visibility = (visible) => show.call(toolbar_view, visible || keyed);
  }
  box.addEventListener("focusin", (event) => {
    keyed = event.composedPath()[0].matches(":focus-visible");
    if (keyed) toolbar_view?.set_visibility(true);
  });
  box.addEventListener("focusout", (event) => {
    if (event.relatedTarget === box) return;
    keyed = false;
    toolbar_view?.set_visibility(false);
  });
  box.addEventListener("keydown", (event) => {
    const tools = name_tools(plot); // a button that was pressed is drawn anew, as a stop of its own
    walk_toolbar(tools, event);
    if (!event.defaultPrevented && !tools.some(({ el }) => event.composedPath().includes(el))) move_by_key(plot, event);
  }, { capture: true }); // before the button's own menu
}
