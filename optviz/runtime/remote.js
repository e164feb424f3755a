// A page that Python computes has the buttons, the stage and the player of one that computes here: what stands for its
// experiment, over a hidden field whose text asks Python and whose tags tell what Python has (optviz/export/remote.py).
import { Nd } from "./arrays.js";
import { element } from "./elements.js";
import { LiveFigure } from "./live.js";
import { Pinned } from "./pinned.js";
import { Player } from "./player.js";
import { Stage, couple } from "./stage.js";
import { States, history_buttons } from "./states.js";

const HERE = "optviz remote"; // tags the field

class Experiment {
  constructor(channel) {
    Object.assign(this, { channel, watchers: [], asked: {}, goes: 0, kinds: new Map(), memo: new Map() });
    this.hear();
    channel.properties.tags.change.connect(() => {
      const before = this.told;
      this.hear();
      if (before && this.told) for (const watcher of this.watchers) watcher(this);
    });
  }

  hear() {
    const [, told, walk] = this.channel.tags;
    if (!told) return;
    const old = this.told && told.went < this.goes; // said before what was asked for last
    Object.assign(this, { told, message: told.message, walk: walk ?? null, stood: told.stands, query: old ? this.query : told.query });
    this.drawings = Object.fromEntries(Object.entries(told.frames).map(([name, [xlim, ylim]]) => [name, { xlim, ylim }]));
    this.runs = told.runs.map((run, i) => this.run(run, walk?.run?.place === i ? walk.run : null));
  }

  ask(words) {
    Object.assign(this.asked, words);
    this.channel.value = JSON.stringify(this.asked);
  }

  go(query, afresh) {
    this.goes += 1;
    this.query = query;
    this.ask({ go: [this.goes, query, afresh] });
  }

  // A run as the player and the inspector read it; what it is made of is there once it was asked for.
  run(said, whole) {
    const x = whole ? new Nd(whole.x, [whole.loss.length, 1, whole.x.length / whole.loss.length]) : new Nd([], [1, 1, said.names.length]);
    const parts = Object.fromEntries(Object.entries(whole?.parts ?? {}).map(([name, { data, shape }]) => [name, new Nd(data, shape)]));
    return { ...said, lane: 0, whole, parts, objective: { names: said.names }, run: { x, loss: whole?.loss, diverged: { data: [said.gone] } },
      rule: { kind: this.kind(whole?.letters ?? {}), formula: () => whole?.formula ?? "" } };
  }

  kind(letters) {
    const key = JSON.stringify(letters);
    if (!this.kinds.has(key)) this.kinds.set(key, { letters });
    return this.kinds.get(key);
  }

  played() { return this.runs; }

  playhead(step) {
    if (!this.walk) this.want();
    return this.walk?.marks[step] ?? {};
  }

  // Have Python say what each step looks like, and what one run is made of.
  want(run = this.asked.walk ?? 0) { if (this.asked.walk !== run) this.ask({ walk: run }); }

  stands() { return this.stood; }

  // Parameters that say the step are Python's: here they are one, the step.
  stand(step) { return this.stood < 0 ? {} : { stood: step }; }

  change({ stood }) {
    this.stood = stood;
    this.ask({ stand: stood });
  }
}

// What the inspector asks of a run, out of what Python said of it.
const parts_with = (experiment, drawing) => ({
  ...drawing,
  last_step: ({ last }) => last,
  parts_of: (run) => {
    if (!run.whole) experiment.want(experiment.runs.indexOf(run));
    return run.parts;
  },
  letters_at: ({ whole }, t) => (whole?.sides ?? []).map((side) => Object.fromEntries(Object.entries(side).map(([name, each]) => [name, each[t - 1]]))),
});

// The page's models, as Python names them.
class Page {
  constructor(experiment, models) {
    Object.assign(this, { experiment, figures: {} });
    this.model = (id) => models.get_model_by_id(id);
    this.models = () => [...models._all_models.values()];
    this.follow();
  }

  get spec() { return this.experiment.told; }

  follow() {
    const stays = (spec) => this.figures[spec.name]?.spec.model === spec.model;
    this.figures = Object.fromEntries(this.spec.figures.map((spec) => [spec.name, stays(spec) ? this.figures[spec.name] : new LiveFigure(spec, this.model, null, false)]));
  }

  shown() { return true; }

  view() { return Object.values(Bokeh.index).find(({ model }) => model.id === this.spec.root); }
}

class Address {
  constructor(experiment, page, share) {
    Object.assign(this, { experiment, page, share, mark: "?", beside: new Map() });
    for (const [name, value] of new URLSearchParams(share ? location.search : "")) if (experiment.told.reserved.includes(name)) this.beside.set(name, value);
  }

  query() { return this.experiment.query; }

  opening() { return this.experiment.told.began; }

  go(query, afresh) { this.experiment.go(query, afresh); }

  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.share?.follow(), 300);
  }

  refuse(sentences) { if (sentences.length) this.share?.refuse(sentences); }
}

function open(channel, drawing, place) {
  const experiment = new Experiment(channel), { document: models } = channel;
  if (experiment.told) return begin(experiment, models, drawing, place);
  experiment.ask({ open: true });
  const wait = () => {
    if (!experiment.told) return;
    channel.properties.tags.change.disconnect(wait);
    begin(experiment, models, drawing, place);
  };
  return channel.properties.tags.change.connect(wait);
}

function begin(experiment, models, drawing, { share, player: box, keys, ...places }) {
  const page = new Page(experiment, models), address = new Address(experiment, page, share);
  const states = new States(address);
  history_buttons(states, places.buttons, keys);
  const made = { experiment, page, address, states };
  if (experiment.runs.length) {
    for (const event of ["pointerenter", "focusin"]) box.addEventListener(event, () => experiment.want());
    made.player = new Player(address, page, parts_with(experiment, drawing), box, keys);
  }
  made.pinned = new Pinned({ page, address, states, ...places });
  experiment.watchers.push(() => page.follow());
  if (share) {
    made.stage = new Stage(made);
    couple(made);
    let controls = JSON.stringify(page.spec.controls);
    experiment.watchers.push(() => {
      const now = JSON.stringify(page.spec.controls);
      if (now !== controls && made.stage.on) made.stage.arrange();
      controls = now;
    });
    window.optviz = made;
  }
}

// A place in a notebook's output for what a page has in its header and at its foot.
function notebook_place(channel) {
  const find = (view) => (view.model.tags?.includes(`${HERE} place`) ? view : (view.child_views ?? []).map(find).find(Boolean));
  const view = Object.values(Bokeh.index).filter(({ model }) => model.document === channel.document).map(find).find(Boolean);
  const box = view?.shadow_el?.querySelector(".remote");
  if (!box) return null;
  const end = element("span", { hidden: true }), ground = element("div");
  const player = element("section", { className: "player", ariaLabel: "Playback", hidden: true });
  return { box, parts: [element("div", { className: "buttons" }, end), ground, player], buttons: end, ground, player, keys: box };
}

const opened = new WeakMap(); // the places of fields

// Find the fields that are there, and open what belongs to them; whether one has no place yet.
function open_all(drawing, share) {
  let waits = false;
  for (const models of Bokeh.documents) {
    for (const channel of [...models._all_models.values()].filter(({ tags }) => tags?.includes(HERE))) {
      const by_id = (id) => document.getElementById(id);
      const place = share ? { share, buttons: by_id("theme-button"), ground: by_id("page"), player: by_id("player"), keys: window } : notebook_place(channel);
      const known = opened.get(channel);
      waits ||= !place;
      if (place?.box && !place.box.firstChild) place.box.append(...(known ?? place).parts); // a place may be drawn anew
      if (!place || known) continue;
      opened.set(channel, place);
      open(channel, drawing, place);
    }
  }
  return waits;
}

export function open_remotes(drawing, share, patience = 50) {
  if (open_all(drawing, share) && patience > 0) setTimeout(open_remotes, 200, drawing, share, patience - 1);
}
