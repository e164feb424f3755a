// The local minima of a surface that is typed into a page, found there: Newton's method from a lattice, and at kinks a
// simplex that walks downhill. optviz/objectives/minima_search.py finds them in Python.
import { Nd } from "./arrays.js";
import { iter } from "./operators.js";

const FINE = 81, COARSE = 13; // points along each side: whose lowest are looked into, and where Newton's method begins
const RING = Array.from({ length: 48 }, (_, k) => [Math.cos((Math.PI * k) / 24), Math.sin((Math.PI * k) / 24)]);
const MOST = 150; // low points without a minimum beside them that are looked into

const sidesOf = (objective) => iter(objective.domain).map((side) => [...iter(side)]);
const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

// A lattice of so many points along each side: the points' places, and their values.
function lattice([[x0, x1], [y0, y1]], size) {
  const points = [];
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) points.push([x0 + ((x1 - x0) * i) / (size - 1), y0 + ((y1 - y0) * j) / (size - 1)]);
  return points;
}

// Where Newton's method comes from a point, the size of its last step, and the flattest and steepest curvature there.
export function newton(objective, point, diagonal) {
  let x = [...point], size = Infinity;
  for (let k = 0; k < 60 && !(size <= 1e-12 * diagonal); k++) {
    const [[a, b], [, d]] = objective.hessianAt(x), g = objective.gradientAt(x);
    const det = a * d - b * b, step = [(d * g[0] - b * g[1]) / det, (a * g[1] - b * g[0]) / det];
    size = Math.hypot(...step);
    if (!(size < Infinity)) break;
    const share = Math.min(1, (0.1 * diagonal) / size);
    x = [x[0] - share * step[0], x[1] - share * step[1]];
  }
  const [[a, b], [, d]] = objective.hessianAt(x), middle = (a + d) / 2, half = Math.hypot((a - d) / 2, b);
  return { x, size, flattest: middle - half, steepest: middle + half };
}

// Where it comes to rest, if that is a minimum that curvature holds.
function settled(objective, point, diagonal) {
  const { x, size, flattest, steepest } = newton(objective, point, diagonal);
  return size <= 1e-8 * diagonal && flattest > 1e-6 * steepest ? x : null;
}

// Downhill by a simplex (Nelder and Mead's), which needs no slope.
function downhill(value, point, size) {
  let corners = [point, [point[0] + size[0], point[1]], [point[0], point[1] + size[1]]].map((p) => [value(p), p]);
  const at = ([a, b], share) => [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
  for (let k = 0; k < 260; k++) {
    corners.sort((p, q) => p[0] - q[0]);
    const [best, second, worst] = corners, middle = at([best[1], second[1]], 0.5);
    if (distance(best[1], worst[1]) + distance(best[1], second[1]) < 1e-15 * (size[0] + size[1])) break;
    const tried = (share) => { const p = at([middle, worst[1]], share); return [value(p), p]; };
    let next = tried(-1);
    if (next[0] < best[0]) {
      const further = tried(-2);
      if (further[0] < next[0]) next = further;
    } else if (!(next[0] < second[0])) {
      next = tried(next[0] < worst[0] ? -0.5 : 0.5);
      if (!(next[0] < worst[0])) {
        corners = corners.map(([, p]) => at([best[1], p], 0.5)).map((p) => [value(p), p]);
        continue;
      }
    }
    corners[2] = next;
  }
  return corners.sort((p, q) => p[0] - q[0])[0][1];
}

const found = new WeakMap(); // by the kind of a surface: the last shape's

// The minima of a surface, and its lowest loss, null where it has none in its window.
export function findMinima(objective) {
  const key = objective.shape.join(" "), known = found.get(objective.kind);
  if (known?.key === key) return known;
  const made = { key, ...search(objective) };
  found.set(objective.kind, made);
  return made;
}

function search(objective) {
  const sides = sidesOf(objective), [[x0, x1], [y0, y1]] = sides, diagonal = Math.hypot(x1 - x0, y1 - y0);
  const cell = [(x1 - x0) / (FINE - 1), (y1 - y0) / (FINE - 1)];
  const value = (p) => { const v = objective.lossAt(p); return v === v ? v : Infinity; };
  const points = lattice(sides, FINE), values = points.map(value);
  const finite = values.filter(Number.isFinite).map(Math.abs).sort((a, b) => a - b);
  const rounding = 1e-12 * (finite[finite.length >> 1] ?? 0);
  const inside = (p) => p[0] > x0 && p[0] < x1 && p[1] > y0 && p[1] < y1 && Number.isFinite(value(p));
  const lowest = (p) => [1e-2, 1e-4].every((size) => RING.every(([i, j]) =>
    !(value([p[0] + size * cell[0] * i, p[1] + size * cell[1] * j]) < value(p) - 1e-3 * rounding - 1e-14 * Math.abs(value(p)))));
  const lows = low(points, values);
  const held = apart([...lattice(sides, COARSE), ...lows].map((p) => settled(objective, p, diagonal)).filter((p) => p && inside(p)), value, 1e-4 * diagonal);
  const left = lows.filter((p) => !held.some((h) => Math.abs(h[0] - p[0]) <= 2 * cell[0] && Math.abs(h[1] - p[1]) <= 2 * cell[1] && value(h) <= value(p)));
  const loose = apart(left.slice(0, MOST).map((p) => downhill(value, downhill(value, p, cell), [cell[0] / 10, cell[1] / 10])).filter((p) => inside(p) && lowest(p)), value, 1e-4 * diagonal);
  const groups = [...held.map((p) => [p]), ...linked(loose.filter((p) => held.every((h) => distance(h, p) > 1e-4 * diagonal)), value, cell, 10 * rounding)];
  groups.forEach((group) => group.forEach((p) => p.forEach((v, i) => { if (Math.abs(v) < 1e-13 * diagonal) p[i] = 0; })));
  return { ...told(groups, value, values, rounding, diagonal), complete: left.length <= MOST };
}

// The lattice's points that lie no higher than their neighbours, but for those of plateaus.
function low(points, values) {
  return points.filter((_, k) => {
    const i = Math.floor(k / FINE), j = k % FINE;
    if (!Number.isFinite(values[k])) return false;
    let higher = false;
    for (let a = Math.max(i - 1, 0); a <= Math.min(i + 1, FINE - 1); a++)
      for (let b = Math.max(j - 1, 0); b <= Math.min(j + 1, FINE - 1); b++) {
        if (values[a * FINE + b] < values[k]) return false;
        higher ||= values[a * FINE + b] > values[k];
      }
    return higher;
  });
}

// One point, the lowest, of those that are no further from each other than this.
function apart(points, value, near) {
  const kept = [];
  for (const p of points.sort((a, b) => value(a) - value(b))) if (!kept.some((q) => distance(p, q) <= near)) kept.push(p);
  return kept;
}

// Points as low as their neighbours are one valley, its middle first.
function linked(points, value, cell, alike) {
  const groups = [];
  const near = (p, q) => Math.hypot((p[0] - q[0]) / cell[0], (p[1] - q[1]) / cell[1]) < 3 && Math.abs(value(p) - value(q)) <= alike;
  for (const p of points) {
    const others = groups.filter((group) => group.some((q) => near(p, q)));
    for (const group of others) groups.splice(groups.indexOf(group), 1);
    groups.push([p, ...others.flat()]);
  }
  return groups.map((group) => {
    const middle = [0, 1].map((i) => group.reduce((sum, p) => sum + p[i], 0) / group.length);
    return group.sort((p, q) => distance(p, middle) - distance(q, middle));
  });
}

function told(groups, value, values, rounding, diagonal) {
  const bottom = Math.min(...groups.map(([p]) => value(p))), unit = 1e-9 * Math.max(1, Math.abs(bottom));
  groups.sort(([p], [q]) => Math.round((value(p) - bottom) / unit) - Math.round((value(q) - bottom) / unit));
  const points = groups.map(([p]) => p), heights = points.map(value);
  let reach = 0.01 * diagonal;
  const all = groups.flatMap((group, k) => group.map((p) => [k, p]));
  if (all.length < MOST) all.forEach(([k, p], i) => all.slice(0, i).forEach(([l, q]) => { if (k !== l) reach = Math.min(reach, distance(p, q) / 3); }));
  const valleys = groups.flatMap((group, k) => (group.length > 2 ? group.flatMap((p) => [k, ...p]) : []));
  const falls = !groups.length || values.some((v) => v < bottom - 1e-12 * Math.abs(bottom) - rounding);
  return {
    points: new Nd(Float64Array.from(points.flat()), [points.length, 2]), values: heights, reach,
    valleys: new Nd(Float64Array.from(valleys), [valleys.length / 3, 3]), lowest: falls ? null : bottom,
    deepest: points.filter((_, k) => heights[k] <= bottom + 1e-7 * Math.max(1, Math.abs(bottom))),
  };
}
