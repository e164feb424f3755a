// Basins of attraction: where the run from each cell of a box ends. As optviz/maps/basins.py.
import { Nd } from "./arrays.js";
import { filled, numbersOf, rowsOf } from "./descent.js";
import { findMinima, newton } from "./minima.js";
import { iter } from "./operators.js";
import { Runs } from "./runs.js";

// A surface's minima, which travel with the page; where its shape was changed, Newton's method brings them along.
export function localMinima(objective) {
  if (objective.kind.typed) return findMinima(objective);
  const { points, values, reach, valleys } = objective.kind.local;
  if (objective.shape.every((value, i) => value === objective.kind.shapeDefaults[i]))
    return {
      points: new Nd(Float64Array.from(points.flat()), [points.length, 2]), values: [...values], reach,
      valleys: new Nd(Float64Array.from(valleys.flat()), [valleys.length, 3]), complete: true,
    };
  const [[x0, x1], [y0, y1]] = rowsOf(iter(objective.domain).flatMap(iter), 2);
  const diagonal = Math.hypot(x1 - x0, y1 - y0), near = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) <= 1e-4 * diagonal;
  const found = iter(objective.minima).map((point) => [...iter(point)]); // those declared come first
  for (const point of points) {
    const end = settled(objective, point, diagonal);
    if (!end || end[0] < x0 || end[0] > x1 || end[1] < y0 || end[1] > y1) continue;
    if (!found.some((other) => near(end, other))) found.push(end.map((v) => (Math.abs(v) < 1e-13 * diagonal ? 0 : v)));
  }
  const low = Math.min(...found.map((point) => objective.lossAt(point))), rounding = 1e-9 * Math.max(1, Math.abs(low));
  const height = (point) => Math.round((objective.lossAt(point) - low) / rounding);
  found.sort((a, b) => height(a) - height(b));
  let room = 0.01 * diagonal;
  found.forEach((a, i) => found.slice(0, i).forEach((b) => { room = Math.min(room, Math.hypot(a[0] - b[0], a[1] - b[1]) / 3); }));
  return {
    points: new Nd(Float64Array.from(found.flat()), [found.length, 2]),
    values: found.map((point) => objective.lossAt(point)), reach: room,
    valleys: new Nd(new Float64Array(0), [0, 3]), complete: true,
  };
}

// Where Newton's method comes to rest from a point, if that is a minimum.
function settled(objective, point, diagonal) {
  const { x, size, flattest } = newton(objective, point, diagonal);
  if (!(size <= 1e-8 * diagonal)) return settlesAtKink(objective, point) ? [...point] : null;
  return flattest > 0 ? x : null;
}

// A minimum without a gradient, as Ackley's: no neighbour is lower.
function settlesAtKink(objective, [x, y]) {
  const here = objective.lossAt([x, y]);
  return [[1, 0], [-1, 0], [0, 1], [0, -1]].every(([i, j]) => objective.lossAt([x + 1e-6 * i, y + 1e-6 * j]) >= here);
}

// As optviz/objectives/minima.py: declared, or found when the page was written, or that of the minima of a changed shape.
export function lowestLoss(objective) {
  if (objective.kind?.typed) return findMinima(objective).lowest;
  const { kind, lowest } = objective, known = lowest ?? kind?.bottom ?? null;
  if (!kind || known === lowest || objective.shape.every((value, i) => value === kind.shapeDefaults[i])) return known;
  const { values } = localMinima(objective);
  if (values.length === 0) return null;
  const [[x0, x1], [y0, y1]] = rowsOf(iter(objective.domain).flatMap(iter), 2);
  const around = [];
  for (let i = 0; i < 40; i++) for (let j = 0; j < 40; j++) {
    around.push(objective.lossAt([x0 + ((x1 - x0) * i) / 39, y0 + ((y1 - y0) * j) / 39]));
  }
  const sizes = around.map(Math.abs).filter((size) => size === size).sort((a, b) => a - b);
  const rounding = 1e-12 * (Math.abs(values[0]) + sizes[sizes.length >> 1]);
  return around.some((value) => value < values[0] - rounding) ? null : values[0];
}

export function basinMap(objective, rule, local, across, up, steps, tolerance, clip, schedule = null) {
  const [xs, ys, points, values, valleys] = [across, up, local.points, local.values, local.valleys].map(numbersOf);
  const shape = [ys.length, xs.length];
  const found = { minimum: filled(shape, -1), arrived: filled(shape), diverged: filled(shape, 0) };
  const runs = new Runs(objective, rule, steps, clip, schedule);
  for (let place = 0; place < xs.length * ys.length; place++) {
    runs.values[0] = xs[place % xs.length];
    runs.values[1] = ys[Math.floor(place / xs.length)];
    const lost = runs.run();
    if (lost) found.diverged.data[place] = lost;
    else {
      const k = within(runs.end, points, local.reach, valleys);
      found.minimum.data[place] = k;
      if (k >= 0) {
        const at = runs.losses.findIndex((loss) => loss <= values[k] + tolerance);
        if (at >= 0) found.arrived.data[place] = at;
      }
    }
  }
  return found;
}

// The last of the minima within reach of a point, or whose valley is; -1 for none.
function within(x, points, reach, valleys) {
  for (let k = 0; k < valleys.length; k += 3) {
    if ((x[0] - valleys[k + 1]) ** 2 + (x[1] - valleys[k + 2]) ** 2 <= reach * reach) return valleys[k];
  }
  for (let k = points.length / 2 - 1; k >= 0; k--) {
    const [dx, dy] = [x[0] - points[2 * k], x[1] - points[2 * k + 1]];
    if (dx * dx + dy * dy <= reach * reach) return k;
  }
  return -1;
}
