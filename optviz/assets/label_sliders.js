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
function label_all() {
  for (const view of Object.values(Bokeh.index)) label(view);
}
label_all();
setInterval(label_all, 1000);
