// The page of an experiment: Bokeh's models, what moves them, the state in the address.
import { Address, copy_button } from "./address.js";
import { Refiner } from "./experiment.js";
import { follow_theme, inked } from "./inks.js";
import { LivePage } from "./live.js";

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
      window.optviz.address = new Address(page, sharing);
      window.optviz.address.read_address();
      copy_button(window.optviz.address);
    }
    document.dispatchEvent(new Event("optviz-drawn"));
    return window.optviz;
  });
}
