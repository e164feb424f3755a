// What a served page has beside a saved one. It computes where it is; the server hears what its parameters are, hands
// out the page to keep, and may go and come back: the page goes on with what it has.
function serve_wire({ page, address, experiment }) {
  const PAUSE = 100; // ms between two words to the server
  const AWAY = "The server is away. This page goes on by itself; downloading it needs the server.";
  const bar = away_bar(), keep = page.model(page.spec.keep);
  const told = (name, within = document) => within.querySelector(`meta[name=optviz-${name}]`).content;
  let wire = null, said = null, waits = false;

  // Between frames: no picture waits for a word.
  const at_rest = (act) => (window.requestIdleCallback ? requestIdleCallback(act, { timeout: 3 * PAUSE }) : setTimeout(act, PAUSE));

  // The state in words, as often as the server needs to hear it, the last one always.
  const tell = () => {
    waits = false;
    if (wire === null) return;
    const text = address.query(true);
    if (text === said) return;
    wire.text = said = text;
    waits = true;
    setTimeout(at_rest, PAUSE, tell);
  };
  experiment.watchers.push(() => {
    if (!waits) at_rest(tell);
    waits = true;
  });

  const connect = async (token) => {
    const socket = location.href.split(/[?#]/)[0].replace(/^http/, "ws").replace(/\/$/, "") + "/ws";
    const { document: heard } = await Bokeh.require("client/connection").pull_session(socket, token, null);
    Bokeh.documents.splice(Bokeh.documents.indexOf(heard), 1); // it shows nothing
    [wire] = heard.roots();
    heard.on_event("connection_lost", () => { if (wire?.document === heard) lose(); });
    said = null;
    tell();
    keep.disabled = false;
  };

  const lose = () => {
    wire = null;
    keep.disabled = true;
    bar.lose(AWAY, (text) => connect(told("visit", new DOMParser().parseFromString(text, "text/html"))));
  };
  addEventListener("offline", lose);

  // The saved page, which begins with the state and the theme of this one.
  const opened = (text) => {
    const root = document.createElement("html");
    Object.assign(root.dataset, { opens: address.query(), theme: optviz_theme.dark() ? "dark" : "default" });
    root.lang = "en";
    return text.replace(/<html [^>]*>/, () => root.outerHTML.match(/^<html [^>]*>/)[0]);
  };

  keep.on_event("button_click", async () => {
    const { label } = keep;
    keep.setv({ label: "Writing the page…", disabled: true });
    try {
      const answer = await fetch(told("saved"));
      if (!answer.ok) throw new Error(answer.statusText);
      save(told("saved").split("/").at(-1), opened(await answer.text()));
      bar.say("");
    } catch {
      bar.say("The server did not hand out the page. Try again.");
    }
    keep.setv({ label, disabled: wire === null });
  });

  connect(told("visit")).catch(lose);
}

function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
