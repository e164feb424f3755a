// A run that stays as thin lines while knobs move, to be compared with; the address keeps it.
import { button, element } from "./elements.js";

const LOOK = { line_width: 1.7, line_alpha: 0.85, line_dash: [6, 3] };

export class Pinned {
  constructor({ page, address, states, ground = document.getElementById("page") }) {
    Object.assign(this, { page, address, states, query: null, ghosts: [] });
    this.note = element("div", { className: "pinned", hidden: true });
    ground.before(this.note);
    const title = "Keep this run as dashed lines while knobs move";
    this.opener = button("Pin", () => this.pin(), { id: "pin-button", title });
    states.group.append(this.opener);
    const query = address.beside.get("pin");
    if (query === undefined) return;
    const own = address.query();
    states.go(query);
    this.pin();
    states.go(own);
  }

  // Keep what is drawn now.
  pin() {
    this.unpin();
    this.query = this.address.query();
    for (const figure of Object.values(this.page.figures)) this.keep(figure);
    this.say();
  }

  keep({ layers, spec }) {
    const plot = this.page.model(spec.model);
    const lines = layers.filter(({ glyph }) => glyph.glyph.type === "Line" && glyph.visible);
    const ghosts = lines.map(({ glyph, source }) => new glyph.constructor({
      name: "pinned", data_source: new source.constructor({ data: { ...source.data } }), level: glyph.level, glyph: glyph.glyph.clone(),
    }));
    for (const ghost of ghosts) ghost.glyph.setv(LOOK);
    if (!ghosts.length) return;
    plot.setv({ renderers: [...plot.renderers, ...ghosts] }, { sync: false });
    this.ghosts.push({ plot, ghosts });
  }

  unpin() {
    for (const { plot, ghosts } of this.ghosts.splice(0)) plot.setv({ renderers: plot.renderers.filter((each) => !ghosts.includes(each)) }, { sync: false });
    this.query = null;
    this.say();
  }

  // The pinned run becomes the one that knobs move, and the other way round.
  swap() {
    const query = this.query;
    this.pin();
    this.states.settle();
    this.states.go(query);
    this.states.settle();
  }

  say() {
    const { query, address, note } = this;
    if (query === null) address.beside.delete("pin");
    else address.beside.set("pin", query);
    address.changed();
    note.hidden = query === null;
    if (note.hidden) return note.replaceChildren();
    const said = [...new URLSearchParams(query)].map(([name, value]) => `${name} ${value}`).join(", ") || "as the page began";
    note.replaceChildren(element("span", { textContent: `Pinned, dashed: ${said}` }),
      button("Swap", () => this.swap()), button("Unpin", () => this.unpin()));
  }
}
