// Elements of a page that the runtime makes itself.

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function button(text, act, properties = {}) {
  const made = element("button", { type: "button", textContent: text, ...properties });
  made.addEventListener("click", act);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
export function drawn(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const SHAPES = {
  play: "M5 3l11 7-11 7z", pause: "M5 3h4v14H5zM11 3h4v14h-4z", back: "M13 3v14L5 10zM3 3h2v14H3z", on: "M7 3v14l8-7zM15 3h2v14h-2z",
  parts: "M2 4h4v3H2zM8 4h10v3H8zM2 9h4v3H2zM8 9h10v3H8zM2 14h4v3H2zM8 14h10v3H8z",
  first: "M17 3v14l-7-7zM10 3v14l-7-7zM1 3h2v14H1z", close: "M5 4l5 5 5-5 1 1-5 5 5 5-1 1-5-5-5 5-1-1 5-5-5-5z",
};
export function icon(name) {
  return drawn("svg", { viewBox: "0 0 20 20", width: 16, height: 16, fill: "currentColor", "aria-hidden": "true" }, drawn("path", { d: SHAPES[name] }));
}

// What stands in the markup of a formula or a symbol.
export function parsed(markup) {
  const box = document.createElement("template");
  box.innerHTML = markup;
  return box.content;
}

// Bokeh's view of a model, wherever on the page it is.
export function view_of(model) {
  const front = Object.values(Bokeh.index);
  for (const view of front) {
    if (view.model === model) return view;
    front.push(...(view.child_views ?? []));
  }
  return null;
}
