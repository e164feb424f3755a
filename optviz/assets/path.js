// How far this browser has been taken on each lesson (runtime/lessons.js keeps it).
(() => {
  let taken = {};
  try {
    taken = JSON.parse(localStorage.getItem("optviz-lessons")) ?? {};
  } catch { // a browser that keeps nothing
    return;
  }
  for (const link of document.querySelectorAll(".path a")) {
    const { step, done } = taken[link.dataset.lesson] ?? {};
    if (step) link.classList.add(done ? "done" : "begun");
  }
})();
