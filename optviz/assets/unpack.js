// Run the scripts that a saved page holds packed (`skeleton.packed_scripts`), in their order.
(async () => {
  const held = document.getElementById("packed");
  if (!window.DecompressionStream) {
    document.getElementById("refused").textContent = "This page needs a browser of 2023 or later; open it in a newer one.";
    return;
  }
  const bytes = Uint8Array.from(atob(held.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const sources = (await new Response(stream).text()).split("\0");
  held.remove();
  for (const source of sources) {
    const script = document.createElement("script");
    script.textContent = source;
    document.body.append(script);
  }
})();
