// The state of a page in its address, as optviz/state/sharing.py has it: after the # of a file, after the ? where it
// is served.

export class Address {
  constructor(page, spec) {
    Object.assign(this, { page, experiment: page.experiment }, spec);
    const { opens, served } = document.documentElement.dataset;
    this.mark = served === undefined ? "#" : "?";
    this.beside = new Map(); // what the address says besides the state, by the names in `reserved`
    if (opens) this.open(opens); // what it was downloaded with
    this.saved = new Map([...this.places()].map(([name, place]) => [name, this.held(place)]));
    this.experiment.watchers.push(() => this.changed());
    if (this.mark === "#") window.addEventListener("hashchange", () => location.reload());
  }

  // Every shareable name now: its description, what it holds, what it holds by default.
  places() {
    const { experiment } = this;
    const found = new Map();
    const choices = Object.values(this.base).filter((spec) => this.bringing.includes(spec.kind)).map((spec) => spec.parameter);
    const brought = choices.length ? experiment.follow(new Set(choices)) : {};
    for (const [name, whole] of Object.entries(this.base)) {
      const spec = this.now(name, whole);
      if (spec.kind === "formula" && !experiment.typed_surface()) { // it shows nothing
        found.set(name, { spec, value: spec.default, usual: spec.default });
        continue;
      }
      const usual = choices.includes(spec.parameter) || spec.kind === "formula" ? undefined : brought[spec.parameter];
      found.set(name, { spec, value: experiment[spec.parameter], usual: usual ?? spec.default, choice: this.bringing.includes(spec.kind) });
      for (const [knob, described] of Object.entries(this.members[name]?.[experiment[spec.parameter]] ?? {})) {
        found.set(knob, { spec: described, value: experiment[name].read(knob), usual: brought[name]?.read?.(knob) ?? described.default, role: name });
      }
    }
    const surface = experiment.typed_surface(), { role, specs } = this.letters;
    for (const [name, spec] of surface ? Object.entries(specs) : []) {
      if (surface.holds(name)) found.set(name, { spec, value: surface.read(name), usual: brought[role]?.read?.(name) ?? spec.default, role });
    }
    return found;
  }

  // The description of a choice among what its menu offers now.
  now(name, spec) {
    const entries = this.experiment.menus[name] && Object.values(this.experiment.menus[name]);
    if (!entries) return spec;
    return this.offering(spec, Object.fromEntries(Object.entries(spec.options).filter(([, value]) => entries.includes(value))));
  }

  held({ spec, value }) { return this.text(this.plain(spec, value)); }

  // What differs from the defaults, or from what the page was saved with: an address is read on top of that.
  // `brief` leaves out samples that no address holds.
  query(brief = false) {
    const said = new URLSearchParams();
    const places = this.places(), chosen = [...places].filter(([name, place]) => place.choice && this.held(place) !== this.saved.get(name));
    const roles = chosen.map(([name]) => name);
    const brought = chosen.length ? this.experiment.follow(new Set(chosen.map(([, place]) => place.spec.parameter))) : {};
    for (const [name, place] of places) {
      const { spec, usual, choice, role } = place, now = this.held(place);
      if (brief && this.too_long(place)) continue;
      const before = this.text(choice ? spec.default : this.plain(spec, usual));
      const comes = role ? roles.includes(role) : !choice && spec.kind !== "formula" && spec.parameter in brought; // with another choice
      if (now !== "" && (now !== before || (!comes && now !== (this.saved.get(name) ?? now)))) said.set(name, now);
    }
    return said.toString();
  }

  too_long(place) { return place.spec.kind === "samples" && place.value.length > this.short; }

  // Whether there is something that an address cannot hold.
  lacks() { return [...this.places().values()].some((place) => this.too_long(place)); }

  // Set what an address says, a choice before what it brings, without a computation; gives a sentence for each refusal.
  apply(values) {
    const refused = {};
    for (const stage of [0, 1, 2]) {
      const places = this.places();
      const changes = {};
      for (const [name, value] of Object.entries(values)) {
        const place = places.get(name);
        if (!place) {
          if (stage > 1) refused[name] = this.sentence("unknown", { who: this.who, fix: this.choices([...places.keys()]) }, this.said(name));
        } else if (this.stage_of(place.spec, this.experiment.narrowed) === stage) {
          if (!this.take(place, value, changes)) refused[name] = this.refusal(place.spec, value);
        }
      }
      Object.assign(this.experiment, changes);
      this.experiment.settle(new Set(Object.keys(changes)));
    }
    return Object.keys(values).filter((name) => name in refused).map((name) => refused[name]);
  }

  // What the page began with.
  opening() { return ""; }

  // Take a state, on top of what the page began with; `afresh` with nothing kept from before, wherever axes were zoomed to.
  go(query, afresh) {
    const { experiment, saved } = this, said = Object.fromEntries(new URLSearchParams(query));
    this.page.hurry();
    const choices = [...this.places()].filter(([, { choice, spec }]) => choice || spec.kind === "formula"); // which brings letters
    if (choices.every(([name, place]) => this.held(place) === (said[name] ?? saved.get(name)))) this.apply(this.differing(said, choices));
    else {
      this.apply(Object.fromEntries([...saved].filter(([, text]) => text !== "")));
      this.apply(said);
    }
    if (afresh) {
      experiment.memo.clear();
      experiment.framings += 1;
    }
    experiment.refresh();
  }

  // What else such a state has than the present one, where the choices are the same: to choose anew makes all anew.
  differing(said, choices) {
    const { experiment, saved } = this, begun = (name) => said[name] === undefined || said[name] === saved.get(name);
    const others = choices.filter(([name]) => !begun(name)).map(([, { spec }]) => spec.parameter);
    const brought = others.length ? experiment.follow(new Set(others)) : {}, found = {};
    for (const [name, place] of this.places()) {
      const { spec, usual, role, choice } = place, comes = role ? !begun(role) || role in brought : spec.parameter in brought;
      const text = said[name] ?? (comes ? this.text(this.plain(spec, usual)) : saved.get(name) ?? this.text(this.plain(spec, usual)));
      if (!choice && text !== "" && text !== this.held(place)) found[name] = text;
    }
    return found;
  }

  // Whether a value can be set.
  take({ spec, role }, value, changes) {
    const known = this.read(spec, value);
    if (known === null) return false;
    if (role) this.experiment[role].assign(spec.parameter, known);
    else if (!this.experiment.narrowed.includes(spec.parameter) || known !== this.experiment[spec.parameter]) changes[spec.parameter] = known;
    return true;
  }

  // Follow the state once things are quiet.
  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const link = this.link();
      if (link === location.href) return;
      try {
        history.replaceState(null, "", link);
      } catch {
        // a page in a frame has no address of its own
      }
    }, 300);
  }

  // The address of the state as it is now; one of what is refused helps nobody, and the last good one stays.
  link() {
    if (this.experiment.message) return location.href;
    const beside = new URLSearchParams([...this.beside]).toString();
    const query = [this.query(true), beside].filter(Boolean).join("&"), before = location.href.split(this.mark === "#" ? "#" : /[?#]/)[0];
    return before + (query && this.mark + query);
  }

  // What the address says when the page opens.
  read_address() { this.open(this.mark === "#" ? location.hash.slice(1) : location.search.slice(1)); }

  open(text) {
    const values = {};
    for (const [name, value] of new URLSearchParams(text)) {
      if (this.mark === "?" && (name === "theme" || name.startsWith("bokeh-"))) continue;
      if (this.reserved.includes(name)) this.beside.set(name, value);
      else values[name] = name in values ? [values[name], value].flat() : value;
    }
    if (!Object.keys(values).length) return;
    const refused = this.apply(values);
    this.experiment.memo.clear(); // as if it had begun so: axes are those of this state
    this.experiment.refresh();
    this.refuse(refused);
  }

  // Say what of the address is refused.
  refuse(refused) {
    const box = document.getElementById("refused");
    for (const sentence of refused.slice(0, 10)) box.append(Object.assign(document.createElement("p"), { textContent: sentence }));
    if (refused.length > 10) box.append(`${refused.length - 10} more values are refused.`);
    const close = Object.assign(document.createElement("button"), { textContent: "×", ariaLabel: "Close" });
    close.addEventListener("click", () => box.replaceChildren());
    if (refused.length) box.prepend(close);
  }
}

// A button in the header copies the address.
export function copy_button(address) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy-link", textContent: "Copy link", ariaLive: "polite" });
  const say = (text) => {
    button.textContent = text;
    setTimeout(() => { button.textContent = "Copy link"; }, 1000);
  };
  const select = (link) => {
    const box = Object.assign(document.createElement("input"), { value: link, readOnly: true, ariaLabel: "Link" });
    box.addEventListener("blur", () => box.remove());
    button.after(box);
    box.select();
  };
  button.addEventListener("click", () => {
    const link = address.link();
    (navigator.clipboard?.writeText(link) ?? Promise.reject()).then(() => say("Copied"), () => select(link));
  });
  document.getElementById("theme-button").before(button);
}
