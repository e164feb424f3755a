// What the page's address said is refused where it must be, a sentence each; from then on the
// address follows the experiment (see app.Link), and a button in the header copies it.
const button = Object.assign(document.createElement("button"), { type: "button", className: "copy-link" });
const PATIENCE = 10_000; // ms that an address may be on its way to a link that was copied
let said = null, note = "", copied = -Infinity, moved = false, owed = false, timer;

// Beside the state the address says what the page's own script does, the stage for one (runtime/remote.js).
function follow([query, unshared] = said ?? [window.optviz.address.query(), ""]) {
  const theme = new URLSearchParams(location.search).get("theme"), beside = window.optviz && new URLSearchParams([...window.optviz.address.beside]).toString();
  const search = [query, beside, theme && `theme=${encodeURIComponent(theme)}`].filter(Boolean).join("&");
  said = [query, unshared];
  history.replaceState(history.state, "", location.pathname + (search && `?${search}`) + location.hash);
  note = unshared;
  moved = false;
  if (owed && performance.now() - copied < PATIENCE) copy(); // what was copied was still on its way
}

function copy() {
  copied = performance.now();
  owed = moved;
  const done = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
  done.then(() => say("Copied"), select);
}

function say(label) {
  button.textContent = label;
  clearTimeout(timer);
  timer = setTimeout(() => (button.textContent = "Copy link"), 1000);
  if (note) show("output", { textContent: note, onclick: (event) => event.target.remove() });
}

// Plain http has no clipboard: the address stands there selected, to be copied by hand.
function select() {
  const box = show("input", { value: location.href, readOnly: true, ariaLabel: "Link", onblur: () => box.remove() });
  box.select();
}

function show(tag, properties) {
  document.querySelectorAll(".link-box").forEach((other) => other.remove());
  const box = Object.assign(document.createElement(tag), properties, { className: "link-box" });
  button.after(box);
  return box;
}

// Any text may stand in an address: it is shown as text, never as HTML.
function refuse(sentences) {
  const notice = Object.assign(document.createElement("div"), { className: "refused", role: "alert" });
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "×", ariaLabel: "Close" });
  close.addEventListener("click", () => notice.remove());
  const lines = sentences.map((text) => Object.assign(document.createElement("p"), { textContent: text }));
  notice.append(close, ...lines);
  document.querySelector("#main > *").prepend(notice);
}

if (refused.length) refuse(refused);
button.textContent = "Copy link";
button.ariaLive = "polite";
button.addEventListener("click", copy);
document.getElementById("header-items").append(button);
Bokeh.documents[0].on_message("address", follow);
Bokeh.documents[0].on_change(({ sync }) => { moved ||= sync !== false; }); // by a hand, where the server has it yet to hear
document.head.append(Object.assign(document.createElement("script"), { src: remote, onload: () => window.optviz_remote({ follow: () => follow(), refuse }) }));

// Without the server nothing here moves: the controls are closed until it is back, and the page opens anew as it was.
const bar = away_bar();
Bokeh.documents[0].on_event("connection_lost", () => {
  for (const model of Bokeh.documents[0]._all_models.values()) if ("disabled" in model.properties) model.disabled = true;
  bar.lose("The server is away. The picture stays; what moves it needs the server, and opens again with it.",
    () => location.reload());
});
