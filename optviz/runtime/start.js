// The page of an experiment: Bokeh's models, what moves them, the state in the address.
import { Address, copy_button } from "./address.js";
import { Refiner } from "./experiment.js";
import { follow_theme, inked } from "./inks.js";
import { Teacher } from "./lessons.js";
import { LivePage } from "./live.js";
import { Loader } from "./loader.js";
import { Pinned } from "./pinned.js";
import { Player } from "./player.js";
import { Stage, couple } from "./stage.js";
import { States, history_buttons } from "./states.js";

// Gives the page's parts once it is there.
export function start(experiment, spec, sharing, item, inks) {
  return Bokeh.embed.embed_item(inked(item, inks), "page").then(() => {
    const models = Bokeh.documents.at(-1), page = new LivePage(experiment, spec, models, sharing);
    experiment.refiner = new Refiner(experiment);
    experiment.settle(new Set());
    experiment.refresh();
    follow_theme(models, inks);
    window.optviz = { experiment, page };
    if (document.documentElement.dataset.served !== "index") {
      const address = new Address(page, sharing);
      address.read_address();
      copy_button(address);
      const states = new States(address);
      history_buttons(states);
      Object.assign(window.optviz, { address, states });
      if (spec.player) window.optviz.player = new Player(address, page, spec.player, document.getElementById("player"));
      if (spec.lessons.length) window.optviz.teacher = new Teacher({ page, address, states, lessons: spec.lessons });
      if (spec.loading) window.optviz.loader = new Loader({ experiment, page, spec: spec.loading });
      window.optviz.pinned = new Pinned({ page, address, states });
      window.optviz.stage = new Stage(window.optviz);
      couple(window.optviz);
    }
    document.dispatchEvent(new Event("optviz-drawn"));
    return window.optviz;
  });
}
