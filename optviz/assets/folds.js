// Controls that are not asked for at first stand in a column that a button opens (optviz/page/controls.py). Those of
// one kind, a rule's or the experiment's own, are open together while the visit lasts, whichever rule is chosen; and at
// first where the address gives one of them a value.
(() => {
  const described = (model) => model?.tags?.find((tag) => tag?.fold !== undefined);
  const folds = () => Bokeh.documents.flatMap((each) => [...each._all_models.values()]).filter(described);
  const key = (kind) => `optviz-open ${location.pathname} ${kind}`;

  function kept(kind, open) {
    try {
      if (open === undefined) return sessionStorage.getItem(key(kind)) === "true";
      sessionStorage.setItem(key(kind), open);
    } catch {
      // a browser that keeps nothing
    }
    return false;
  }

  function asked({ names }) {
    const said = new URLSearchParams(location.search);
    for (const name of new URLSearchParams(location.hash.slice(1)).keys()) said.set(name, "");
    return names.some((name) => said.has(name));
  }

  const known = new WeakSet();
  function tend(model) {
    if (known.has(model)) return;
    known.add(model);
    const about = described(model);
    if (asked(about) || kept(about.fold)) model.active = true;
    model.properties.active.change.connect(() => {
      kept(about.fold, model.active);
      for (const other of folds()) if (described(other).fold === about.fold) other.active = model.active;
    });
  }

  function tell(view) {
    if (described(view.model)) {
      const button = view.shadow_el?.querySelector("button"), open = String(view.model.active);
      if (button && button.getAttribute("aria-expanded") !== open) {
        button.setAttribute("aria-expanded", open);
        button.removeAttribute("aria-pressed");
      }
      if (!view.told) {
        view.told = true;
        view.connect(view.model.properties.active.change, () => tell(view));
      }
    }
    (view.child_views || []).forEach(tell);
  }

  let read = 0;
  (window.optviz_tended ??= []).push((root) => {
    const count = Bokeh.documents.reduce((sum, each) => sum + each._all_models.size, 0);
    if (count !== read) folds().forEach(tend);
    read = count;
    tell(root);
  });
})();
