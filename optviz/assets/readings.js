// What a plot says under the pointer, or under a finger that taps: where it is, the height of a landscape there, and of
// every curve its value at the nearest x. Drawn beside the plot: nothing is painted anew, and a knob is as fast as before.
(() => {
  const NEAR = 16; // pixels from a point or a path that is meant
  const card = document.createElement("div");
  card.className = "optviz-reading";
  card.setAttribute("role", "status");
  Object.assign(card.style, {
    position: "fixed", zIndex: 50, display: "none", pointerEvents: "none", padding: "5px 9px", borderRadius: "4px", maxWidth: "300px",
    font: "12.5px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif", boxShadow: "0 1px 6px rgba(0, 0, 0, 0.35)",
    background: "var(--ground, var(--background-color, white))", color: "var(--ink, var(--panel-on-background-color, #1c2733))",
    border: "1px solid rgba(128, 128, 128, 0.6)", whiteSpace: "nowrap",
  });
  document.body.append(card);

  function said(value, digits = 4) {
    if (!Number.isFinite(value)) return "no number";
    return String(Number(value.toPrecision(digits))).replace("e+", "e").replace(/-/g, "\u2212");
  }

  // A place with the digits that tell a two hundredth of what the axis shows.
  function placed(value, { start, end }) {
    const unit = Math.abs(end - start) / 200, size = Math.abs(value);
    if (!(size > unit / 2)) return "0";
    return said(value, Math.min(Math.max(Math.floor(Math.log10(size)) - Math.floor(Math.log10(unit)) + 1, 1), 12));
  }

  const layer = ({ model }) => (/^glyph (?!moment|playhead)/.test(model.name ?? "") && model.visible && model.glyph.visible !== false ? model.data_source : null);
  const drawn = (plot, ...kinds) =>
    [...plot.renderer_views.values()].filter((each) => each.glyph && kinds.includes(each.glyph.model.type) && layer(each));
  const about = (view) => view.model.data_source.tags.find((tag) => tag?.label !== undefined) ?? { label: "" };
  const column = (view, name) => view.model.data_source.get_column(view.glyph.model[name].field ?? name) ?? [];
  const axis = (plot, name) => plot.model[name === "x" ? "below" : "left"].find((part) => part.ticker);
  const name_of = (plot, name) => (axis(plot, name)?.axis_label || name).replace(/ \(click.*\)/, "");
  const hint = (plot) => axis(plot, "y")?.tags.find((tag) => tag?.hover)?.hover ?? "";

  // What a drawing calls its curves, where that changes: "names first=SGD; second=Adam".
  function names(plot) {
    const given = hint(plot).startsWith("names ") ? hint(plot).slice(6).split("; ") : [];
    return Object.fromEntries(given.map((each) => each.split("=")));
  }

  // What an axis calls a place: the text of a tick that stands there, else this number.
  const tick = (plot, name, place, otherwise) => axis(plot, name)?.major_label_overrides.get(place) ?? said(otherwise, 3);

  // What an image holds in the cell: a height, or its log10.
  function height(plot, x, y) {
    const [view] = drawn(plot, "Image").filter(({ model }) => model.name === "glyph image"), hover = hint(plot);
    if (!view || !hover) return "";
    const data = view.model.data_source, [[image], [x0], [y0], [dw], [dh]] = ["image", "x", "y", "dw", "dh"].map((each) => data.get_column(each));
    const [rows, columns] = image?.shape ?? [0, 0], i = Math.floor(((x - x0) / dw) * columns), j = Math.floor(((y - y0) / dh) * rows);
    if (!(i >= 0 && i < columns && j >= 0 && j < rows)) return "";
    const value = image[j * columns + i], [log, words] = hover.startsWith("log ") ? [true, hover.slice(4)] : [false, hover];
    const least = log && value <= view.glyph.model.color_mapper.low ? "at most " : "";
    return `${words}: ${least}${said(log ? 10 ** value : value, 3)}`;
  }

  // The point of a curve or of marks that is nearest on the screen; along x alone where `across`.
  function nearest(plot, view, sx, sy, across) {
    const [xs, ys] = [column(view, "x"), column(view, "y")], { x_scale, y_scale } = plot.frame;
    let [best, found, begin] = [Infinity, null, 0];
    for (let i = 0; i < xs.length; i += 1) {
      if (Number.isNaN(xs[i])) begin = i + 1;
      if (across && i > begin && sx > x_scale.compute(xs[i - 1]) + 40 && sx < x_scale.compute(xs[i]) - 40) {
        const x = x_scale.invert(sx), share = (x - xs[i - 1]) / (xs[i] - xs[i - 1]); // a straight line has but two points
        return { between: true, x, y: ys[i - 1] + share * (ys[i] - ys[i - 1]) };
      }
      const dx = Math.abs(x_scale.compute(xs[i]) - sx);
      if (!(dx <= best)) continue;
      const dy = Math.abs(y_scale.compute(ys[i]) - sy), far = across ? dx + 1e-3 * dy : Math.hypot(dx, dy);
      if (far < best) [best, found] = [far, { x: xs[i], y: ys[i], step: i - begin }];
    }
    return best <= (across ? 40 : NEAR) ? found : null;
  }

  function reading(plot, sx, sy) {
    const { x_scale, y_scale, x_range, y_range } = plot.frame, [x, y] = [x_scale.invert(sx), y_scale.invert(sy)];
    const [across, up] = [name_of(plot, "x"), name_of(plot, "y")], power = hint(plot) === "powers across";
    const curves = drawn(plot, "Line"), points = drawn(plot, "Scatter");
    const called = names(plot), key = (view) => about(view).label || view.model.name.replace("glyph ", "");
    const labelled = (view) => called[key(view)] ?? key(view);
    if (drawn(plot, "Image").length || !curves.length) {
      const near = [...curves.filter((view) => about(view).steps), ...points].map((view) => [view, nearest(plot, view, sx, sy, false)]).find(([, at]) => at);
      const step = near && (about(near[0]).steps ? `${about(near[0]).label || "path"}: step ${near[1].step}` : about(near[0]).label);
      const at = near ? near[1] : { x, y };
      if (power) return [`${across} ${tick(plot, "x", at.x, 10 ** at.x)}`, near && labelled(near[0])].filter(Boolean);
      return [`${across} ${placed(at.x, x_range)}, ${up} ${placed(at.y, y_range)}`, height(plot, at.x, at.y), step].filter(Boolean);
    }
    const found = curves.filter(labelled).map((view) => [labelled(view), nearest(plot, view, sx, sy, true)]).filter(([, at]) => at);
    if (!found.length) return [`${across} ${power ? said(10 ** x, 3) : placed(x, x_range)}, ${up} ${said(y, 3)}`];
    const off = ([, { x: at, between }]) => (between ? 1e9 : Math.abs(x_scale.compute(at) - sx));
    const [, first] = found.toSorted((a, b) => off(a) - off(b))[0];
    const here = power ? said(10 ** first.x, 3) : said(first.x);
    return [`${across} ${here}`, ...found.slice(0, 8).map(([label, at]) => `${label}: ${said(hint(plot) === "down" ? -at.y : at.y)}`)];
  }

  function hide() { card.style.display = "none"; }

  function show(plot, event) {
    const box = plot.canvas_view.el.getBoundingClientRect(), [sx, sy] = [event.clientX - box.left, event.clientY - box.top];
    const { left, right, top, bottom } = plot.frame.bbox;
    if (plot.model.toolbar.tools.some((tool) => tool.type === "HoverTool")) return; // which says it itself
    if (!(sx >= left && sx <= right && sy >= top && sy <= bottom)) return hide();
    card.replaceChildren(...reading(plot, sx, sy).map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    card.style.display = "block";
    const { width, height: high } = card.getBoundingClientRect(), [x, y] = [event.clientX, event.clientY];
    card.style.left = `${x + 16 + width > innerWidth ? Math.max(x - 16 - width, 4) : x + 16}px`;
    card.style.top = `${Math.max(y - 14 - high, 4)}px`;
  }

  const heard = new WeakSet();
  let waits = null, timer = null;
  function listen(plot) {
    heard.add(plot);
    const ground = plot.canvas_view.events_el;
    ground.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") return;
      cancelAnimationFrame(waits);
      if (event.buttons) hide();
      else waits = requestAnimationFrame(() => show(plot, event));
    });
    ground.addEventListener("pointerleave", (event) => event.pointerType === "touch" || (cancelAnimationFrame(waits), hide()));
    ground.addEventListener("click", (event) => {
      if (event.pointerType !== "touch" && !matchMedia("(hover: none)").matches) return;
      show(plot, event);
      clearTimeout(timer);
      timer = setTimeout(hide, 4000);
    });
  }
  addEventListener("scroll", hide, { passive: true });

  // What Bokeh itself says under the pointer is written on the page's ground.
  function theme(plot) {
    const ground = getComputedStyle(card).backgroundColor, ink = getComputedStyle(card).color;
    for (const tip of plot.shadow_el?.querySelectorAll(".bk-Tooltip") ?? []) Object.assign(tip.style, { backgroundColor: ground, color: ink });
  }

  (window.optviz_tended ??= []).push(function offer_readings(view) {
    if (view.renderer_views && view.frame && view.canvas_view && !heard.has(view)) listen(view);
    if (view.frame) theme(view);
    for (const child of view.child_views || []) offer_readings(child);
  });
})();
