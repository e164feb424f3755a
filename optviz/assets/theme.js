// Light or dark, before anything is drawn: as an address says, as chosen last, as whoever saved the page asked,
// or as the system has it. Where a browser keeps nothing, or keeps it for each file alone, links say it.
const optviz_theme = (() => {
  const KEY = "optviz-theme", root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  const followers = [];
  const known = (name) => (["default", "dark"].includes(name) ? name : null);
  const remembered = () => {
    try { return known(localStorage.getItem(KEY)); } catch { return null; }
  };
  const remember = (name) => {
    try { localStorage.setItem(KEY, name); } catch { /* for this page alone, then */ }
  };

  // An address says a theme once: it is a choice from then on, which the button may change.
  const asked = () => {
    const address = new URL(location.href), theme = known(address.searchParams.get("theme"));
    if (!theme) return null;
    remember(theme);
    address.searchParams.delete("theme");
    try { history.replaceState(history.state, "", address); } catch { /* a page in a frame has no address of its own */ }
    return theme;
  };

  let chosen = asked() ?? remembered() ?? known(root.dataset.theme);
  const dark = () => (chosen ? chosen === "dark" : system.matches);
  const show = () => {
    root.classList.toggle("dark", dark());
    for (const follow of followers) follow(dark());
  };
  show();
  system.addEventListener("change", show);

  addEventListener("click", (event) => {
    const link = event.composedPath().find((part) => part.localName === "a");
    if (!chosen || !link?.hasAttribute("href") || link.protocol !== location.protocol || link.host !== location.host) return;
    const address = new URL(link.href);
    address.searchParams.set("theme", chosen);
    link.href = address;
  }, { capture: true });

  return {
    dark,
    follow: (follower) => followers.push(follower),
    offer: (button) => {
      const name = () => (button.textContent = dark() ? "Light" : "Dark"); // what pressing it gives
      name();
      followers.push(name);
      button.addEventListener("click", () => {
        remember(chosen = dark() ? "default" : "dark");
        show();
      });
    },
  };
})();
