// numpy's functions.

const { np, TYPE_NAMES } = (() => {
  const { product, sameShape, isIndex, shapeOf, room, mismatch, toArray, broadcast, strides, offsets } = arrays;
  const { gathered, stretched, operand, plain } = arrays;
  const { choose, deal, simple, eachPair, eachElement, paired } = elements;
  const { reduction, scan, totalOf, meanOf, varianceOf, highest, lowest, maxOf, minOf, quantileOf } = reductions;
  const { medianOf, known, ofKnown, orderOf, cumulative, quantiles } = reductions;

  const isFloat = (a, type) => type === py.float && !a.bool && a.data instanceof Float64Array;
  const typed = (x, type) => {
    const a = toArray(x), same = (type ?? null) === null || isFloat(a, type);
    return same ? plain(a) : a.astype(type);
  };
  const filled = (shape, value, type) => {
    const lengths = shapeOf(shape), { data, bool } = Nd.scalar(value);
    return typed(new Nd(room(data, product(lengths)).fill(data[0]), lengths, bool), type);
  };
  const constant = (value) => def(["shape", "dtype"], (shape, type) => filled(shape, value, type));
  const like = (value) => def(["a", "dtype"], (x, type = null) => {
    const { bool, shape } = toArray(x);
    return filled(shape, value, type ?? (bool ? "bool" : null));
  });
  const permuted = (a, axes) => {
    const steps = strides(a.shape), ways = axes.map((axis) => offsets(a.shape[axis], steps[axis]));
    return plain(new Nd(gathered(a.data, ways), axes.map((axis) => a.shape[axis]), a.bool));
  };
  const range = (n) => Array.from({ length: n }, (_, i) => i);
  const bisected = (data, value, after) => {
    let low = 0, high = data.length;
    while (low < high) {
      const middle = (low + high) >> 1, x = data[middle];
      // nan comes last
      if (x < value || (after && x === value) || (value !== value && (after || x === x))) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const along = (a, axis, key) => a.getitem([...Array(axis).fill(new Slice()), key]);
  const binary = (name) => (a, b) => arrayOp(name, a, b);
  const rint = (x) => {
    const up = Math.round(x);
    return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
  };
  const sign = (x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : NaN);
  const converter = (name) => (x) => typed(x, name);
  const FINFO = { float32: { max: 3.4028234663852886e38, eps: 2 ** -23, tiny: 2 ** -126 },
    float64: { max: Number.MAX_VALUE, eps: Number.EPSILON, tiny: 2 ** -1022 } };

  const np = {
    pi: Math.PI, e: Math.E, inf: Infinity, nan: NaN, newaxis: null,
    float32: converter("float32"), float64: converter("float64"), int64: converter("int64"),
    finfo: (type) => FINFO[TYPE_NAMES.get(type)] ?? FINFO.float64,

    array: def(["object", "dtype", "copy"], (x, type) => typed(x instanceof Nd ? x.copy() : x, type)),
    asarray: def(["a", "dtype"], typed),
    zeros: constant(0), ones: constant(1), empty: constant(0),
    full: def(["shape", "fill_value", "dtype"], filled),
    zeros_like: like(0), ones_like: like(1), empty_like: like(0),
    full_like: def(["a", "fill_value", "dtype"], (a, value, type) => like(value)(a, type)),
    arange: def(["start", "stop", "step", "dtype"], (first, last, step = 1, type = null) => {
      const [start, stop] = (last ?? null) === null ? [0, first] : [first, last];
      const delta = start + step - start; // rounded as numpy's
      const out = new Float64Array(Math.max(0, Math.ceil((stop - start) / step)));
      for (let i = 0; i < out.length; i++) out[i] = i === 1 ? start + step : start + i * delta;
      return typed(new Nd(out, [out.length]), type);
    }),
    linspace: def(["start", "stop", "num", "endpoint"], (start, stop, num = 50, endpoint = true) => {
      const step = (stop - start) / Math.max(1, endpoint ? num - 1 : num), out = new Float64Array(num);
      for (let i = 0; i < num; i++) out[i] = i * step + start;
      if (endpoint && num > 1) out[num - 1] = stop;
      return new Nd(out, [num]);
    }),
    logspace: def(["start", "stop", "num", "endpoint", "base"], (start, stop, num, endpoint, base = 10) =>
      op.pow(base, np.linspace(start, stop, num, endpoint))),
    geomspace: def(["start", "stop", "num", "endpoint"], (start, stop, num, endpoint = true) => {
      const side = Math.sign(start), [a, b] = [start * side, stop * side];
      const { data, shape } = np.logspace(Math.log10(a), Math.log10(b), num, endpoint);
      if (data.length > 0) data[0] = a;
      if (data.length > 1 && endpoint) data[data.length - 1] = b;
      return new Nd(data.map((x) => x * side), shape);
    }),
    eye: (n, m = n) => {
      const out = np.zeros([n, m]);
      for (let i = 0; i < Math.min(n, m); i++) out.data[i * (m + 1)] = 1;
      return out;
    },

    ...Object.fromEntries(
      ["exp", "log", "log10", "log2", "log1p", "expm1", "sin", "cos", "tan", "tanh", "sinh", "cosh"].map(
        (name) => [name, eachElement(Math[name], false, simple[name])],
      ),
    ),
    arctan: eachElement(Math.atan), arcsin: eachElement(Math.asin), arccos: eachElement(Math.acos),
    sqrt: eachElement(Math.sqrt, false, simple.sqrt), abs: eachElement(Math.abs, false, simple.abs),
    floor: eachElement(Math.floor), ceil: eachElement(Math.ceil), rint: eachElement(rint),
    square: eachElement((x) => x * x), sign: eachElement(sign),
    isfinite: eachElement(Number.isFinite, true, simple.isfinite),
    isnan: eachElement(Number.isNaN, true, simple.isnan),
    isinf: eachElement((x) => x === Infinity || x === -Infinity, true),
    logical_not: eachElement((x) => x === 0, true),
    maximum: binary("max"), minimum: binary("min"), fmax: binary("fmax"), fmin: binary("fmin"),
    hypot: binary("hypot"), arctan2: binary("arctan2"), power: binary("pow"), mod: binary("mod"),
    add: binary("add"), subtract: binary("sub"), multiply: binary("mul"), divide: binary("div"),
    logical_and: binary("logical_and"), logical_or: binary("logical_or"),
    round: def(["a", "decimals"], (x, decimals = 0) => {
      const scale = 10 ** Math.abs(decimals);
      if (decimals === 0) return np.rint(x);
      return eachElement(decimals > 0 ? (v) => rint(v * scale) / scale : (v) => rint(v / scale) * scale)(x);
    }),
    clip: def(["a", "a_min", "a_max", "min", "max"], (x, a, b, min = null, max = null) => {
      const low = a ?? min, high = b ?? max, above = low === null ? x : np.maximum(x, low);
      return high === null ? above : np.minimum(above, high);
    }),
    where: (condition, x, y) => {
      if (x === undefined) return np.nonzero(condition);
      const parts = [condition, x, y].map(toArray), shape = broadcast(...parts.map((part) => part.shape));
      const [[m, s], [a, p], [b, q]] = parts.map((part) => operand(part, shape));
      const out = room(Array.isArray(a) ? a : b, product(shape));
      choose(out, m, s, a, p, b, q);
      return plain(new Nd(out, shape, parts[1].bool && parts[2].bool));
    },
    isclose: def(["a", "b", "rtol", "atol", "equal_nan"], (a, b, rtol = 1e-5, atol = 1e-8, nans = false) => {
      const room = (y) => (Number.isFinite(y) ? atol + rtol * Math.abs(y) : -1);
      const close = (x, y) => x === y || Math.abs(x - y) <= room(y) || (nans && x !== x && y !== y);
      return paired(toArray(a), toArray(b), eachPair(close), true);
    }),
    allclose: (...args) => truth(np.all(np.isclose(...args))),
    array_equal: (a, b) => sameShape(np.shape(a), np.shape(b)) && truth(np.all(arrayOp("eq", a, b))),

    sum: reduction(totalOf), mean: reduction(meanOf),
    var: reduction(varianceOf, undefined, ["ddof"]),
    std: reduction((...args) => Math.sqrt(varianceOf(...args)), undefined, ["ddof"]),
    prod: reduction((lane) => lane.reduce((a, b) => a * b, 1)),
    min: reduction(minOf, (a) => a.bool), max: reduction(maxOf, (a) => a.bool),
    ptp: reduction((lane) => maxOf(lane) - minOf(lane)),
    any: reduction((lane) => lane.some((x) => x !== 0), () => true),
    all: reduction((lane) => lane.every((x) => x !== 0), () => true),
    argmin: reduction(lowest), argmax: reduction(highest),
    nanargmin: reduction((lane) => lane.indexOf(minOf(known(lane)))),
    nanargmax: reduction((lane) => lane.indexOf(maxOf(known(lane)))),
    nanmin: reduction(ofKnown(minOf)), nanmax: reduction(ofKnown(maxOf)),
    nanmean: reduction((lane, contiguous) => {
      return totalOf(lane.map((x) => (x === x ? x : 0)), contiguous) / known(lane).length;
    }),
    median: reduction(medianOf), nanmedian: reduction(ofKnown(medianOf)),
    count_nonzero: reduction((lane) => lane.filter((x) => x !== 0).length),
    quantile: quantiles(quantileOf, 1), percentile: quantiles(quantileOf, 100),
    nanquantile: quantiles(ofKnown(quantileOf), 1),
    cumsum: scan(cumulative((a, b) => a + b), null), cumprod: scan(cumulative((a, b) => a * b), null),
    sort: scan((lane) => lane.slice().sort(), -1, true),
    argsort: scan(orderOf, -1),

    ndim: (x) => toArray(x).ndim, shape: (x) => toArray(x).shape, size: (x) => toArray(x).size,
    ravel: (x) => toArray(x).reshape(-1),
    reshape: def(["a", "shape"], (x, shape) => toArray(x).reshape(shape)),
    transpose: def(["a", "axes"], (x, axes = null) =>
      permuted(toArray(x), axes ?? range(np.ndim(x)).reverse())),
    swapaxes: (x, a, b) => {
      const axes = range(x.ndim), [i, j] = [a, b].map((axis) => Slice.place(axis, x.ndim));
      [axes[i], axes[j]] = [j, i];
      return permuted(x, axes);
    },
    moveaxis: (x, from, to) => {
      const axes = range(x.ndim), [axis] = axes.splice(Slice.place(from, x.ndim), 1);
      axes.splice(Slice.place(to, x.ndim), 0, axis);
      return permuted(x, axes);
    },
    expand_dims: def(["a", "axis"], (x, axis) => {
      const a = toArray(x), place = Slice.place(axis, a.ndim + 1);
      return a.reshape(a.shape.slice(0, place).concat(1, a.shape.slice(place)));
    }),
    atleast_1d: (x) => (np.ndim(x) === 0 ? np.ravel(x) : toArray(x)),
    atleast_2d: (x) => (np.ndim(x) < 2 ? toArray(x).reshape(1, -1) : toArray(x)),
    broadcast_to: def(["array", "shape"], (x, shape) => {
      const a = toArray(x), full = shapeOf(shape);
      if (!sameShape(broadcast(a.shape, full), full)) throw mismatch(a.shape, full);
      return new Nd(stretched(a, full).slice(), full, a.bool);
    }),
    concatenate: def(["arrays", "axis"], (given, axis = 0) => {
      const arrays = iter(given).map((x) => (axis === null ? np.ravel(x) : toArray(x)));
      const place = Slice.place(axis ?? 0, arrays[0].ndim), shape = [...arrays[0].shape];
      const bare = arrays.map((a) => a.shape.map((n, i) => (i === place ? 1 : n)));
      if (!bare.every((other) => sameShape(other, bare[0]))) throw mismatch(...arrays.map((a) => a.shape));
      shape[place] = arrays.reduce((sum, a) => sum + a.shape[place], 0);
      const out = room(arrays.find((a) => Array.isArray(a.data))?.data ?? arrays[0].data, product(shape));
      const step = product(shape.slice(place));
      let start = 0;
      for (const { data, shape } of arrays) {
        const size = product(shape.slice(place));
        deal(out, start, step, data, size);
        start += size;
      }
      return new Nd(out, shape, arrays.every((a) => a.bool));
    }),
    stack: def(["arrays", "axis"], (arrays, axis = 0) =>
      np.concatenate(iter(arrays).map((x) => np.expand_dims(x, axis)), axis)),
    vstack: (arrays) => np.concatenate(iter(arrays).map(np.atleast_2d), 0),
    hstack: (arrays) => {
      const parts = iter(arrays).map(np.atleast_1d);
      return np.concatenate(parts, parts[0].ndim === 1 ? 0 : 1);
    },
    column_stack: (arrays) =>
      np.concatenate(iter(arrays).map((x) => (np.ndim(x) < 2 ? toArray(x).reshape(-1, 1) : toArray(x))), 1),
    r_: (...parts) => np.concatenate(parts.map((part) =>
      part instanceof Slice ? np.arange(part.start ?? 0, part.stop, part.step ?? 1) : np.atleast_1d(part))),
    tile: (x, reps) => {
      const a = toArray(x), ndim = Math.max(a.ndim, shapeOf(reps).length);
      const widen = (lengths) => [...Array(ndim - lengths.length).fill(1), ...lengths];
      const [shape, counts] = [widen(a.shape), widen(shapeOf(reps))];
      const apart = a.reshape(shape.flatMap((n) => [1, n]));
      const spread = np.broadcast_to(apart, shape.flatMap((n, i) => [counts[i], n]));
      return spread.reshape(shape.map((n, i) => n * counts[i]));
    },
    repeat: def(["a", "repeats", "axis"], (x, repeats, axis = null) => {
      const a = axis === null ? np.ravel(x) : toArray(x), place = Slice.place(axis ?? 0, a.ndim);
      const counts = isIndex(repeats) ? iter(repeats) : Array(a.shape[place]).fill(repeats);
      return along(a, place, toArray(counts.flatMap((count, i) => Array(count).fill(i))));
    }),
    roll: def(["a", "shift", "axis"], (x, shift, axis = null) => {
      const a = axis === null ? np.ravel(x) : toArray(x), place = Slice.place(axis ?? 0, a.ndim);
      const n = a.shape[place], places = toArray(range(n).map((i) => op.mod(i - shift, n)));
      return along(a, place, places).reshape(np.shape(x));
    }),
    flip: def(["m", "axis"], (x, axis = null) => {
      const a = toArray(x), back = new Slice(null, null, -1);
      return axis === null ? a.getitem(Array(a.ndim).fill(back)) : along(a, Slice.place(axis, a.ndim), back);
    }),
    diff: def(["a", "n", "axis"], (x, n = 1, axis = -1) => {
      const a = toArray(x), place = Slice.place(axis, a.ndim);
      const [later, earlier] = [new Slice(1), new Slice(null, -1)].map((key) => along(a, place, key));
      return n === 0 ? a : np.diff(arrayOp("sub", later, earlier), n - 1, axis);
    }),
    meshgrid: (...args) => {
      const [given, { indexing = "xy" }] = Kw.split(args), parts = given.map(np.ravel);
      const swap = (i) => (indexing === "xy" && i < 2 && parts.length > 1 ? 1 - i : i);
      const shape = parts.map((_, i) => parts[swap(i)].size);
      const upright = (part, axis) => part.reshape(shape.map((_, j) => (j === axis ? -1 : 1)));
      return parts.map((part, i) => np.broadcast_to(upright(part, swap(i)), shape));
    },
    ix_: (...parts) => parts.map((part, i) => {
      const index = toArray(part).bool ? np.flatnonzero(part) : toArray(part);
      return index.reshape(parts.map((_, j) => (j === i ? -1 : 1)));
    }),
    nonzero: (x) => {
      const { shape } = toArray(x), { data, size } = np.flatnonzero(x);
      const places = (step, n) => data.map((k) => Math.floor(k / step) % n);
      return strides(shape).map((step, i) => new Nd(places(step, shape[i]), [size]));
    },
    flatnonzero: (x) => {
      const { data } = toArray(x), places = new Float64Array(data.length);
      let count = 0;
      for (let i = 0; i < data.length; i++) if (data[i] !== 0) places[count++] = i;
      return new Nd(places.slice(0, count), [count]);
    },
    unique: (x) => {
      const { data } = np.sort(np.ravel(x)), differ = (a, b) => a !== b && (a === a || b === b);
      const kept = data.filter((value, i) => i === 0 || differ(value, data[i - 1]));
      return new Nd(kept, [kept.length], toArray(x).bool);
    },
    searchsorted: def(["a", "v", "side"], (x, v, side = "left") => {
      const { data } = toArray(x), after = side === "right";
      const all = (out, values) => { for (let i = 0; i < out.length; i++) out[i] = bisected(data, values[i], after); };
      return eachElement((value) => bisected(data, value, after), false, all)(v);
    }),
    interp: def(["x", "xp", "fp", "left", "right"], (x, xp, fp, left = null, right = null) => {
      const xs = toArray(xp).data, ys = toArray(fp).data, last = xs.length - 1;
      return eachElement((v) => {
        if (v !== v) return v;
        if (v < xs[0]) return left ?? ys[0];
        if (v > xs[last]) return right ?? ys[last];
        const i = bisected(xs, v, true) - 1;
        if (xs[i] === v) return ys[i];
        return ((ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i])) * (v - xs[i]) + ys[i];
      })(x);
    }),
    outer: (x, y) => arrayOp("mul", np.ravel(x).reshape(-1, 1), np.ravel(y)),
    dot: (x, y) => {
      const a = toArray(x), b = toArray(y), n = a.shape[a.ndim - 1], columns = b.ndim === 2 ? b.shape[1] : 1;
      if (a.ndim === 0 || b.ndim === 0) return arrayOp("mul", a, b);
      if (a.ndim > 2 || b.ndim > 2 || n !== b.shape[0]) throw mismatch(a.shape, b.shape);
      const shape = [...a.shape.slice(0, -1), ...b.shape.slice(1)], out = new Float64Array(product(shape));
      for (let k = 0; k < out.length; k++) {
        const row = Math.floor(k / columns) * n, column = k % columns;
        for (let i = 0; i < n; i++) out[k] += a.data[row + i] * b.data[i * columns + column];
      }
      return plain(new Nd(out, shape));
    },
  };
  Object.assign(np, { absolute: np.abs, matmul: np.dot, amin: np.min, amax: np.max });

  const TYPE_NAMES = new Map([
    [py.int, "int"], [py.float, "float"], [py.bool, "bool"], [np.float32, "float32"], [np.int64, "int64"],
    [np.float64, "float64"],
  ]);
  const METHODS = ["sum", "mean", "std", "var", "prod", "min", "max", "any", "all", "argmin", "argmax",
    "argsort", "cumsum", "cumprod", "ravel", "clip", "swapaxes", "nonzero", "round", "repeat", "dot"];
  for (const name of METHODS) {
    Nd.prototype[name] = function (...args) {
      return np[name](this, ...args);
    };
  }

  return { np, TYPE_NAMES };
})();
