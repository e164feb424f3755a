// Panel's sliders have no accessible name: give each handle its slider's title.
// Sliders appear later too (another rule's hyperparameters), hence the repetition.
function label(view) {
  const root = view.shadow_el || view.el?.shadowRoot;
  const title = view.model?.title;
  if (root && title) {
    for (const handle of root.querySelectorAll(".noUi-handle")) {
      if (handle.getAttribute("aria-label") !== title) handle.setAttribute("aria-label", title);
    }
  }
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

let spared = false;
function tend() {
  const roots = Object.values(Bokeh.index);
  roots.forEach(label);
  spared ||= roots.some(spare);
}
tend();
setInterval(tend, 1000);
