// Level lines of values (rows from the bottom) by marching squares: contourpy's lines, in the browser.
import { iter } from "./operators.js";

export function level_lines(xs, ys, values, levels) {
  const found = { xs: [], ys: [] };
  for (const level of iter(levels)) {
    for (const line of lines_at(xs.data, ys.data, values.data, level)) {
      found.xs.push(Float64Array.from(line, (p) => p[0]));
      found.ys.push(Float64Array.from(line, (p) => p[1]));
    }
  }
  return found;
}

// Where the level crosses the edges of each cell, pair by pair, joined end to end.
function lines_at(xs, ys, z, level) {
  const [nx, ny] = [xs.length, ys.length];
  const points = new Map(); // edge -> the point, and the edges that its lines lead to
  const point = (edge) => {
    if (!points.has(edge)) {
      const [k, across] = [edge >> 1, edge & 1];
      const [i, j] = [k % nx, Math.floor(k / nx)];
      const other = across ? k + nx : k + 1;
      const share = (level - z[k]) / (z[other] - z[k]);
      const at = across ? [xs[i], ys[j] + share * (ys[j + 1] - ys[j])] : [xs[i] + share * (xs[i + 1] - xs[i]), ys[j]];
      points.set(edge, { at, ends: [] });
    }
    return points.get(edge);
  };
  const join = (a, b) => { point(a).ends.push(b); point(b).ends.push(a); };
  for (let j = 0; j < ny - 1; j += 1) {
    for (let i = 0; i < nx - 1; i += 1) {
      const k = j * nx + i;
      const corners = [z[k], z[k + 1], z[k + nx + 1], z[k + nx]];
      const above = corners.map((value) => value > level);
      if (above.every((a) => a === above[0]) || corners.some(Number.isNaN)) continue;
      const edges = [2 * k, 2 * (k + 1) + 1, 2 * (k + nx), 2 * k + 1];
      const cut = edges.filter((_, e) => above[e] !== above[(e + 1) % 4]);
      if (cut.length === 2) join(cut[0], cut[1]);
      else {
        const middle = (corners[0] + corners[1] + corners[2] + corners[3]) / 4 > level;
        const [a, b] = middle === above[0] ? [[0, 1], [2, 3]] : [[3, 0], [1, 2]];
        join(edges[a[0]], edges[a[1]]);
        join(edges[b[0]], edges[b[1]]);
      }
    }
  }
  return traced(points);
}

function traced(points) {
  const lines = [];
  const walk = (edge) => {
    const line = [points.get(edge).at];
    for (let here = edge; ;) {
      const next = points.get(here).ends.pop();
      if (next === undefined) break;
      const back = points.get(next).ends;
      back.splice(back.indexOf(here), 1);
      line.push(points.get(next).at);
      here = next;
    }
    if (line.length > 1) lines.push(line);
  };
  for (const [edge, { ends }] of points) if (ends.length === 1) walk(edge);
  for (const [edge, { ends }] of points) if (ends.length) walk(edge);
  return lines;
}
