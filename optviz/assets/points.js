// Points of a plot that a hand edits: a click adds one, a drag moves one, a double click or Delete removes it; with a
// finger and with keys alike. What has been done goes to the plot's tags, as optviz/pictures/gestures.py hears it.
const [NEAR_MOUSE, NEAR_FINGER, STILL_PIXELS, TWICE] = [12, 24, 5, 350]; // pixels, and ms between two clicks

const edited_layer = (plot) => [...plot.renderer_views.values()].find(({ model }) => model.tags?.includes("edited"));
const places_of = (layer) => ["x", "y"].map((name) => layer.model.data_source.get_column(name) ?? []);

class Points {
  constructor(plot, layer) {
    Object.assign(this, { plot, layer, held: null, last: { at: -Infinity, index: -1 }, asked: null });
    plot.chosen = -1;
    const box = plot.canvas_view.el, on = (kind, act, options) => box.addEventListener(kind, act, { capture: true, ...options });
    this.ring = Object.assign(document.createElement("div"), { className: "chosen-point" });
    Object.assign(this.ring.style, { position: "absolute", width: "14px", height: "14px", margin: "-9px 0 0 -9px", borderRadius: "50%",
      border: "2px solid #2f6fde", zIndex: 3, pointerEvents: "none", display: "none" });
    box.append(this.ring);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", () => { this.held = this.began = null; });
    on("keydown", (event) => this.key(event));
    // a finger that begins on the chosen point takes it along; any other scrolls the page, and a tap chooses
    on("touchstart", (event) => {
      if (event.touches.length === 1 && this.is_chosen(this.near(event.touches[0], NEAR_FINGER))) event.preventDefault();
    }, { passive: false });
    const { x_range, y_range } = plot.model;
    for (const signal of [layer.model.data_source.properties.data.change, x_range.change, y_range.change]) signal.connect(() => this.mark());
  }

  // Where on the plot the pointer is, in pixels and in numbers; null outside of the frame.
  place({ clientX, clientY }, clamped = false) {
    const box = this.plot.canvas_view.el.getBoundingClientRect(), { bbox, x_scale, y_scale } = this.plot.frame;
    let [sx, sy] = [clientX - box.left, clientY - box.top];
    const { left, right, top, bottom } = bbox;
    if (clamped) [sx, sy] = [Math.min(Math.max(sx, left), right), Math.min(Math.max(sy, top), bottom)];
    return sx >= left && sx <= right && sy >= top && sy <= bottom ? { sx, sy, x: x_scale.invert(sx), y: y_scale.invert(sy) } : null;
  }

  // The index of the point that is meant, -1 for none.
  near(pointer, reach) {
    const here = this.place(pointer);
    if (!here) return -1;
    const [xs, ys] = places_of(this.layer), { x_scale, y_scale } = this.plot.frame;
    let [best, found] = [reach, -1];
    for (let i = 0; i < xs.length; i += 1) {
      const far = Math.hypot(x_scale.compute(xs[i]) - here.sx, y_scale.compute(ys[i]) - here.sy);
      if (i === this.plot.chosen && far <= NEAR_MOUSE) return i;
      if (far <= best) [best, found] = [far, i];
    }
    return found;
  }

  down(event) {
    const { plot } = this;
    this.began = null;
    if (event.button !== 0 || !event.isPrimary || event.ctrlKey || !event.composedPath().includes(plot.canvas_view.events_el)) return;
    const mouse = event.pointerType === "mouse", index = this.near(event, mouse ? NEAR_MOUSE : NEAR_FINGER);
    this.began = { x: event.clientX, y: event.clientY, at: event.timeStamp, index };
    if (mouse ? index < 0 : !this.is_chosen(index)) return;
    event.stopPropagation(); // or the plot would be panned
    plot.canvas_view.el.setPointerCapture(event.pointerId);
    if (mouse) event.preventDefault();
    plot.canvas_view.el.focus({ preventScroll: true, focusVisible: false });
    const [xs, ys] = places_of(this.layer), here = this.place(event), { x_scale, y_scale } = plot.frame;
    this.held = { index, moved: false, off: [x_scale.compute(xs[index]) - here.sx, y_scale.compute(ys[index]) - here.sy] };
    this.choose(index);
  }

  is_chosen(index) { return index >= 0 && index === this.plot.chosen; }

  moved(event) { return Math.hypot(event.clientX - this.began.x, event.clientY - this.began.y) > STILL_PIXELS; }

  move(event) {
    if (!this.held) {
      if (event.pointerType === "mouse") this.plot.canvas_view.events_el.classList.toggle("over-point", this.near(event, NEAR_MOUSE) >= 0);
      return;
    }
    event.stopPropagation();
    this.held.moved ||= this.moved(event);
    if (!this.held.moved) return;
    const { index, off: [dx, dy] } = this.held;
    const here = this.place({ clientX: event.clientX + dx, clientY: event.clientY + dy }, true);
    if (this.asked === null) requestAnimationFrame(() => {
      const [at, x, y] = this.asked;
      this.asked = null;
      this.tell("move", at, x, y);
    });
    this.asked = [index, here.x, here.y];
  }

  up(event) {
    const { held, began } = this;
    this.held = this.began = null;
    if (held) {
      event.stopPropagation();
      if (held.moved) return;
      const twice = held.index === this.last.index && event.timeStamp - this.last.at < TWICE;
      this.last = twice ? { at: -Infinity, index: -1 } : { at: event.timeStamp, index: held.index };
      if (twice) this.remove(held.index);
      return;
    }
    if (!began || Math.hypot(event.clientX - began.x, event.clientY - began.y) > STILL_PIXELS || event.timeStamp - began.at > 600) return;
    const here = this.place(event);
    if (began.index >= 0) {
      this.last = { at: event.timeStamp, index: began.index };
      this.choose(began.index);
    } else if (here) this.add(here.x, here.y, event.timeStamp);
  }

  add(x, y, at = -Infinity) {
    const index = places_of(this.layer)[0].length;
    this.tell("add", index, x, y);
    this.choose(index);
    this.last = { at, index }; // a double click on nothing leaves nothing
  }

  remove(index) {
    this.choose(-1);
    this.tell("remove", index, 0, 0);
  }

  // The count tells what is done twice from what is done once.
  tell(what, index, x, y) { this.plot.model.tags = [what, index, x, y, (this.count = (this.count ?? 0) + 1)]; }

  choose(index) {
    this.plot.chosen = index;
    this.mark();
  }

  mark() {
    const [xs, ys] = places_of(this.layer), { chosen, frame } = this.plot;
    const shown = chosen >= 0 && chosen < xs.length && this.plot.canvas_view.el.isConnected;
    this.ring.style.display = shown ? "" : "none";
    if (!shown) return;
    this.ring.style.left = `${frame.x_scale.compute(xs[chosen])}px`;
    this.ring.style.top = `${frame.y_scale.compute(ys[chosen])}px`;
  }

  // Arrow keys move what is chosen (keys.js); others choose, add and remove.
  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [xs, ys] = places_of(this.layer), { plot } = this, { chosen } = plot;
    const order = Array.from(xs, (_, i) => i).sort((a, b) => xs[a] - xs[b] || ys[a] - ys[b]), at = order.indexOf(chosen);
    const ends = [plot.model.x_range, plot.model.y_range];
    const acts = {
      PageDown: () => this.choose(order[(at + 1) % order.length]),
      PageUp: () => this.choose(order[(at < 0 ? 0 : at - 1 + order.length) % order.length]),
      Insert: () => this.add(...ends.map(({ start, end }) => (start + end) / 2)),
      Delete: () => chosen >= 0 && this.remove(chosen),
      Backspace: () => chosen >= 0 && this.remove(chosen),
      Escape: () => this.choose(-1),
    };
    if (!acts[event.key]) {
      if (event.key.startsWith("Arrow") && chosen < 0 && order.length) this.choose(order[0]);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }
}

const with_points = new WeakMap();
(window.optviz_tended ??= []).push(function offer_points(view) {
  if (view.renderer_views && view.frame && !with_points.has(view)) {
    const layer = edited_layer(view);
    with_points.set(view, layer && new Points(view, layer));
  }
  for (const child of view.child_views ?? []) offer_points(child);
});
