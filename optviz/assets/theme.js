// A page is dark where its address says so, or, where that says nothing, where the visitor's system is;
// and so are the pages that it leads to.
const chosen = new URLSearchParams(location.search).get("theme");
if (!chosen && matchMedia("(prefers-color-scheme: dark)").matches) {
  const address = new URL(location);
  address.searchParams.set("theme", "dark");
  location.replace(address);
}

document.addEventListener("click", (event) => {
  const link = event.composedPath().find((element) => element.href);
  if (!link || !chosen || link.origin !== location.origin) return;
  const address = new URL(link.href);
  address.searchParams.set("theme", chosen);
  link.href = address;
}, { capture: true });

document.getElementById("theme-switch")?.setAttribute("aria-label", "Light page");
