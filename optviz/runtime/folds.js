// What is behind the buttons "More" (optviz/page/controls.py).

const described = (model) => model.tags?.find((tag) => tag?.fold !== undefined);

// The buttons of a page, those open that have one of these controls behind them.
export function opened_folds(page, names) {
  const folds = page.models().filter(described);
  for (const fold of folds) if (described(fold).names.some((name) => names.includes(name))) fold.active = true;
  return folds;
}
