// The plots' colours on a light and on a dark page: `inks` gives the model's properties two values each.

// A document's JSON with the colours of the theme that the page opens in.
export function inked(json, inks, dark = optviz_theme.dark()) {
  for (const part of json && typeof json === "object" ? Object.values(json) : []) inked(part, inks, dark);
  if (json?.id in inks && json.attributes) Object.assign(json.attributes, colours(inks[json.id], dark));
  return json;
}

function colours(pairs, dark) {
  return Object.fromEntries(Object.entries(pairs).map(([name, pair]) => [name, pair[Number(dark)]]));
}

// A document that is drawn takes the theme that the page has now, and will have.
export function follow_theme(document, inks) {
  const ink = () => {
    for (const [id, pairs] of Object.entries(inks)) document.get_model_by_id(id).setv(colours(pairs, optviz_theme.dark()));
  };
  ink();
  optviz_theme.follow(ink);
}
