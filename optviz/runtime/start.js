// The page of an experiment: Bokeh's models, what moves them, the state in the address.
import { Address, copy_button } from "./address.js";
import { Refiner } from "./experiment.js";
import { follow_theme, inked } from "./inks.js";
import { LivePage } from "./live.js";

// Gives the page's parts once it is there.
export function start(experiment, spec, sharing, item, inks) {
  return Bokeh.embed.embed_item(inked(item, inks), "page").then(() => {
    const document = Bokeh.documents.at(-1), page = new LivePage(experiment, spec, document, sharing);
    experiment.refiner = new Refiner(experiment);
    experiment.settle(new Set());
    experiment.refresh();
    const address = new Address(page, sharing);
    address.read_address();
    copy_button(address);
    follow_theme(document, inks);
    window.optviz = { experiment, page, address };
    return window.optviz;
  });
}
