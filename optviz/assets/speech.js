// What a page says of its pictures, for who does not see it: it is the description of each of them and, once a hand
// is at work, is put into one region that is read out, at most twice a second, the last word always.
const BETWEEN = 500; // ms
const MOVES = {
  dragged: "Arrow keys move the start, with Shift in small steps.", moved: "Arrow keys choose.",
  edited: "Page Up and Page Down choose a point, arrow keys move it, Delete removes it, Insert adds one.",
};
const voice = { region: null, heard: new WeakSet(), parts: [], said: new Map(), at: -Infinity, timer: null, hand: false };

function make_region() {
  const region = document.createElement("div");
  region.setAttribute("role", "status");
  region.className = "spoken";
  Object.assign(region.style, { position: "absolute", top: 0, width: "1px", height: "1px", margin: 0, overflow: "hidden",
    clipPath: "inset(50%)", whiteSpace: "nowrap" });
  document.body.append(region);
  for (const kind of ["pointerdown", "keydown", "input"]) addEventListener(kind, lend_a_hand, { capture: true });
  return region;
}

// A picture that moves by itself, as on the index, says nothing.
function lend_a_hand(event) {
  const path = event.composedPath();
  voice.hand ||= Object.values(Bokeh.index).some(({ el }) => path.includes(el));
}

// The status of a page and the refusal over it, which are two blocks of text.
function hear(view) {
  const { model, shadow_el: root } = view;
  const refuses = model?.css_classes?.includes("alert");
  if (root && !voice.heard.has(view) && (refuses || root.querySelector(".status"))) {
    voice.heard.add(view);
    voice.parts = [...voice.parts.filter((part) => part.root.isConnected), { root, refuses }];
    new MutationObserver(read_out_soon).observe(root, { childList: true, characterData: true, subtree: true });
    read_out_soon();
  }
  for (const child of view.child_views ?? []) hear(child);
}

function words_of({ root, refuses }) {
  const blocks = [...root.querySelectorAll(refuses ? "p" : ".status")];
  return blocks.map(({ textContent }) => textContent.trim().replace(/\s+/g, " ")).join(" ").trim();
}

function read_out_soon() {
  voice.timer ??= setTimeout(read_out, Math.max(voice.at + BETWEEN - performance.now(), 60));
}

function read_out() {
  voice.timer = null;
  voice.at = performance.now();
  const anew = voice.parts.filter((part) => words_of(part) !== voice.said.get(part));
  for (const part of anew) voice.said.set(part, words_of(part));
  const text = anew.map(words_of).filter(Boolean).join(" ");
  if (voice.hand && text) voice.region.textContent = text;
  Object.values(Bokeh.index).forEach(describe);
}

// Each picture's description is the status as it stands.
function describe(view) {
  const box = view.model?.type === "Figure" && view.canvas_view?.el;
  if (box) {
    const status = voice.parts.filter(({ refuses }) => !refuses).map(words_of).join(" ");
    const text = [status, MOVES[movable(view)?.how]].filter(Boolean).join(" ");
    if (box.getAttribute("aria-description") !== text) box.setAttribute("aria-description", text);
  }
  for (const child of view.child_views ?? []) describe(child);
}

function listen_to_pages() {
  voice.region ??= make_region();
  Object.values(Bokeh.index).forEach(hear);
}
