// Maps of many runs, no trajectory kept: how the run of each cell of a grid ends. As optviz/maps.py.

// Final loss (NaN where the run was lost before its last step), loss at the start, first step within the
// tolerance (NaN if never), step of divergence (0 if never), each (up, across).
function laneMap(objective, rule, start, steps, [first, second], across, up, tolerance, lowest) {
  const [xs, ys] = [numbersOf(across), numbersOf(up)];
  const shape = [ys.length, xs.length];
  const found = { loss: filled(shape), first: filled(shape), arrived: filled(shape), diverged: filled(shape, 0) };
  if (rule.stored || objective.stored) return found; // no run but the stored ones: nothing to show on a map
  const h = rule.at(0);
  const lane = Object.assign(Object.create(Object.getPrototypeOf(objective)), objective);
  lane.shape = [...objective.shape];
  const own = numbersOf(start), x = [0, 0];
  const giving = [first, second].map((name) => giver(name, objective, h, lane.shape, x));
  const memories = rule.memories(h, 2), begin = beginner(rule, h, memories);
  for (let j = 0; j < ys.length; j++) {
    for (let i = 0; i < xs.length; i++) {
      [x[0], x[1]] = own;
      giving[0](xs[i]);
      giving[1](ys[j]);
      begin();
      endOf(lane, rule, h, memories, x, steps, lowest + tolerance, found, j * xs.length + i);
    }
  }
  return found;
}

// A function that gives a run its value on an axis: of the start, of the surface's shape, of the rule.
function giver(name, objective, h, shape, x) {
  const [place, part] = [["start x", "start y"].indexOf(name), objective.kind.shape.indexOf(name)];
  if (place >= 0) return (value) => { x[place] = value; };
  return part >= 0 ? (value) => { shape[part] = value; } : (value) => { h[name] = value; };
}

// A function that sets memories back to how a run finds them: to make them anew takes longer than a few steps.
function beginner(rule, h, memories) {
  const carried = Object.entries(rule.kind.memory).flatMap((entry) => [...new Set(memories)].map((m) => [m, ...entry]));
  return () => {
    for (const [memory, name, first] of carried) memory[name] = isNumber(first) ? first : h[first];
  };
}

// One run from x, which is changed, into one place of the arrays of `laneMap`.
function endOf(objective, rule, h, memories, x, steps, level, found, place) {
  let loss = objective.lossAt(x);
  let arrived = loss <= level ? 0 : NaN;
  found.first.data[place] = loss;
  for (let t = 1; t <= steps; t++) {
    const before = Number.isFinite(loss);
    move(objective, rule, h, memories, x, t);
    loss = objective.lossAt(x);
    if (!before || !Number.isFinite(loss) || !Number.isFinite(x[0]) || !Number.isFinite(x[1])) {
      found.diverged.data[place] = t;
      if (t < steps) loss = NaN;
      break;
    }
    if (arrived !== arrived && loss <= level) arrived = t;
  }
  found.arrived.data[place] = arrived;
  found.loss.data[place] = loss;
}

// One step of a run on a surface, x changed in place. Not `Rule.step`: millions of these are a picture's.
function move(objective, rule, h, memories, x, t) {
  const g = objective.gradientAt(x);
  if (rule.kind.coupled) {
    const step = rule.step(h, memories, x, g, t, objective);
    x[0] += step[0];
    x[1] += step[1];
  } else {
    x[0] += rule.update(h, memories[0], x[0], g[0], t);
    x[1] += rule.update(h, memories[1], x[1], g[1], t);
  }
}

$.lane_map = laneMap;
