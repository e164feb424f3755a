// The index's picture moves by itself until a hand takes over: the learning rate goes up and down between slow and wild.
function breathe({ experiment }) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  if (calm.matches) return;
  const [slow, wild] = [0.004, 0.85].map(Math.log), PERIOD = 16_000, PAUSE = 80; // ms
  let stands = false, last = 0;
  const stand = () => { stands = true; };
  for (const name of ["pointerdown", "keydown", "focusin"])
    document.getElementById("page").addEventListener(name, stand, { capture: true, once: true });
  calm.addEventListener("change", stand);

  const move = (now) => {
    if (stands) return;
    if (now - last > PAUSE) {
      last = now;
      const rate = Math.exp((slow + wild) / 2 - ((wild - slow) / 2) * Math.cos((2 * Math.PI * now) / PERIOD));
      experiment.set_member("optimizer", "lr", Number(rate.toPrecision(2)));
    }
    requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
}
