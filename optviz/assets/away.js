// A bar says when the server is away. Every two seconds it is looked for; `back` is told what it answers, and says
// whether that will do. One that has just begun may take its time: to ask it again would have it begin anew.
function away_bar() {
  const PATIENCE = 20_000; // ms

  const bar = Object.assign(document.createElement("p"), { id: "away", className: "away" });
  bar.setAttribute("role", "status");
  document.querySelector("header").after(bar);

  const seek = async (back) => {
    try {
      const answer = await fetch(location.href.split("#")[0], { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) throw new Error(answer.statusText);
      await back(await answer.text());
      bar.textContent = "";
    } catch {
      setTimeout(seek, 2000, back);
    }
  };

  return {
    say: (text) => { bar.textContent = text; },
    lose: (text, back) => {
      if (bar.textContent === text) return;
      bar.textContent = text;
      setTimeout(seek, 2000, back);
    },
  };
}
