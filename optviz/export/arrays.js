// A small numpy: arrays of Float64Array in C order, or of a plain Array where they hold other things.
// Python's part is in python.js.

const { Nd, np, arrayOp, arrayUnary } = (() => {
  const product = (shape) => shape.reduce((a, b) => a * b, 1);
  const sameShape = (a, b) => a.length === b.length && a.every((n, i) => n === b[i]);
  const isIndex = (key) => key instanceof Nd || Array.isArray(key);
  const shapeOf = (given) => (given instanceof Nd ? given.tolist() : [].concat(given));
  const room = (like, size) => (Array.isArray(like) ? Array(size) : new Float64Array(size));
  const cut = (data, from, to) => (Array.isArray(data) ? data.slice(from, to) : data.subarray(from, to));
  // A 0-d array is a number outside this file.
  const plain = (a) => (a.shape.length ? a : a.value(0));

  class Nd {
    constructor(data, shape, bool = false) {
      this.data = data;
      this.shape = shape;
      this.bool = bool;
    }

    static scalar(x) {
      return new Nd(numeric(x) ? Float64Array.of(x) : [x], [], typeof x === "boolean");
    }

    get size() { return this.data.length; }
    get ndim() { return this.shape.length; }
    get length() { return this.shape[0]; }
    get T() { return np.transpose(this); }
    value(i) { return this.bool ? this.data[i] !== 0 : this.data[i]; }
    copy() { return plain(new Nd(this.data.slice(), this.shape, this.bool)); }
    flatten() { return new Nd(this.data.slice(), [this.size], this.bool); }
    transpose(...axes) { return np.transpose(this, axes.length === 0 ? null : axes.flat()); }
    tolist() { return this.rows().map((row) => (row instanceof Nd ? row.tolist() : row)); }
    [Symbol.iterator]() { return this.rows()[Symbol.iterator](); }

    item(i = 0) {
      if (arguments.length === 0 && this.size !== 1) throw new ValueError_("item() needs an array of size 1");
      return this.value(i);
    }

    truth() {
      if (this.size > 1) throw new ValueError_("the truth of an array of more than one element is ambiguous");
      return this.size === 1 && truth(this.value(0));
    }

    // Rows share memory with their array, as numpy's do.
    part(from, count) {
      const shape = this.shape.slice(1), step = product(shape), [i, j] = [from * step, (from + count) * step];
      return new Nd(cut(this.data, i, j), [count, ...shape], this.bool);
    }

    row(i) {
      return this.ndim === 1 ? this.value(i) : new Nd(this.part(i, 1).data, this.shape.slice(1), this.bool);
    }

    rows() {
      if (this.ndim === 1) return Array.from(this.data, this.bool ? Boolean : undefined);
      return Array.from({ length: this.length }, (_, i) => this.row(i));
    }

    getitem(key) {
      if (typeof key === "number") return this.row(Slice.place(key, this.length));
      const place = placeOf(this, key);
      if (place >= 0) return this.value(place);
      if (key instanceof Slice && (key.step ?? 1) === 1) return this.part(...key.bounds(this.length));
      if (Array.isArray(key) && typeof key[0] === "number" && key.length > 1 && this.ndim > 1) {
        if (!key.some(isIndex)) return this.getitem(key[0]).getitem(key.slice(1));
      }
      const { axes, shape, start } = located(this, key);
      return plain(new Nd(gathered(this.data, axes, start), shape, this.bool));
    }

    setitem(key, value) {
      const place = typeof value === "number" ? placeOf(this, key) : -1;
      if (place >= 0) {
        this.data[place] = value;
        return;
      }
      const { axes, shape, start } = located(this, key), { data } = this;
      const given = toArray(this.bool ? toArray(value).astype("bool") : value);
      if (product(broadcast(given.shape, shape)) !== product(shape)) throw mismatch(given.shape, shape);
      let [from, step] = operand(given, shape);
      if (from.buffer && from.buffer === data.buffer) from = from.slice();
      runs(axes, start, (base, offsets, done) => {
        for (let i = 0; i < offsets.length; i++) data[base + offsets[i]] = from[(done + i) * step];
      });
    }

    fill(value) {
      this.data.fill(value);
      return null;
    }

    reshape(...lengths) {
      const [given] = Kw.split(lengths), shape = given.length === 1 ? shapeOf(given[0]) : given;
      const known = product(shape.filter((n) => n !== -1));
      const full = shape.map((n) => (n === -1 ? this.size / known : n));
      if (product(full) !== this.size) throw mismatch(this.shape, shape);
      return new Nd(this.data, full, this.bool);
    }

    astype(type) {
      const name = typeof type === "function" ? TYPE_NAMES.get(type) : String(type);
      if (name === undefined || name === "object") return this.copy();
      if (name === "float32" && !Array.isArray(this.data)) {
        return plain(new Nd(new Float64Array(new Float32Array(this.data)), this.shape));
      }
      const numbers = Float64Array.from(this.data, (x) => (typeof x === "string" ? py.float(x) : x ?? NaN));
      if (name.startsWith("int")) numbers.forEach((x, i) => (numbers[i] = Math.trunc(x)));
      if (name.startsWith("bool")) numbers.forEach((x, i) => (numbers[i] = x !== 0));
      if (name === "float32") numbers.forEach((x, i) => (numbers[i] = Math.fround(x)));
      return plain(new Nd(numbers, this.shape, name.startsWith("bool")));
    }

    sort(...keywords) {
      np.sort(this, ...keywords).data.forEach((x, i) => (this.data[i] = x));
      return null;
    }
  }

  const numeric = (x) => typeof x === "number" || typeof x === "boolean";
  const mismatch = (...shapes) => new ValueError_(`shapes do not match: ${shapes.map(py.repr).join(", ")}`);

  // Arrays of numbers, of arrays, of words; what is none of these is an array of itself, without axes.
  function toArray(x) {
    if (x instanceof Nd) return x;
    if (ArrayBuffer.isView(x)) return new Nd(Float64Array.from(x), [x.length]);
    if (!Array.isArray(x)) return Nd.scalar(x);
    const flat = [], shape = [];
    for (let part = x; isIndex(part); [part] = part) shape.push(part.length);
    const fill = (part, axis) => {
      const nested = isIndex(part), n = nested ? part.length : undefined;
      if (n !== shape[axis]) throw new ValueError_("the parts of an array differ in shape");
      if (nested) for (const inner of part) fill(inner, axis + 1);
      else flat.push(part);
    };
    fill(x, 0);
    const bool = flat.length > 0 && flat.every((v) => typeof v === "boolean");
    return new Nd(flat.every(numeric) ? Float64Array.from(flat) : flat, shape, bool);
  }

  function broadcast(...shapes) {
    const out = Array(Math.max(...shapes.map((s) => s.length))).fill(1);
    for (const shape of shapes) {
      shape.forEach((n, i) => {
        const axis = out.length - shape.length + i;
        if (n !== 1 && out[axis] !== 1 && out[axis] !== n) throw mismatch(...shapes);
        if (n !== 1) out[axis] = n;
      });
    }
    return out;
  }

  function strides(shape) {
    const out = Array(shape.length).fill(1);
    for (let i = shape.length - 2; i >= 0; i--) out[i] = out[i + 1] * shape[i + 1];
    return out;
  }

  function offsets(count, stride, start = 0) {
    const out = new Int32Array(count);
    for (let i = 0; i < count; i++) out[i] = start + i * stride;
    return out;
  }

  // Visit what axes of offsets select, by runs along the last: visit(base, offsets, places before).
  function runs(axes, start, visit) {
    const last = axes.length - 1;
    let done = 0;
    const walk = (axis, base) => {
      if (axis < last) for (const offset of axes[axis]) walk(axis + 1, base + offset);
      else {
        const along = last < 0 ? [0] : axes[last];
        visit(base, along, done);
        done += along.length;
      }
    };
    walk(0, start);
  }

  function gathered(data, axes, start = 0) {
    const out = room(data, product(axes.map((axis) => axis.length)));
    runs(axes, start, (base, along, done) => {
      for (let i = 0; i < along.length; i++) out[done + i] = data[base + along[i]];
    });
    return out;
  }

  // The data of an array stretched to a shape.
  function stretched(a, shape) {
    if (a.size === product(shape)) return a.data;
    const steps = strides(a.shape), added = shape.length - a.ndim;
    const step = (axis) => (axis < 0 || a.shape[axis] === 1 ? 0 : steps[axis]);
    return gathered(a.data, shape.map((n, i) => offsets(n, step(i - added))));
  }

  // [data, step] of an operand of that shape; one element alone is read again and again.
  const operand = (a, shape) => (a.size === 1 ? [a.data, 0] : [stretched(a, shape), 1]);

  // A key with its ellipsis spelled out, and masks as the places of what they keep.
  function spelled(a, key) {
    const parts = Array.isArray(key) ? key : [key];
    const keys = parts.map((part) => (Array.isArray(part) ? toArray(part) : part));
    const width = (part) => (part === null || part === ELLIPSIS ? 0 : part.bool ? part.ndim : 1);
    const missing = keys.reduce((rest, part) => rest - width(part), a.ndim);
    if (missing < 0) throw new IndexError_("too many indices for the array");
    const full = Array(missing).fill(new Slice()), dots = keys.indexOf(ELLIPSIS);
    keys.splice(dots < 0 ? keys.length : dots, 0, ...full);
    let axis = 0;
    return keys.flatMap((part) => {
      const masked = a.shape.slice(axis, (axis += width(part)));
      if (!part?.bool) return [part];
      if (!sameShape(part.shape, masked)) throw new IndexError_("a mask has another shape than its array");
      return np.nonzero(part);
    });
  }

  // The place in data of the one element that a key of numbers names, or -1 for other keys.
  function placeOf(a, key) {
    if (typeof key === "number" && a.ndim === 1) return Slice.place(key, a.shape[0]);
    if (!Array.isArray(key) || key.length !== a.ndim) return -1;
    let place = 0;
    for (let i = 0; i < key.length; i++) {
      if (typeof key[i] !== "number") return -1;
      place = place * a.shape[i] + Slice.place(key[i], a.shape[i]);
    }
    return place;
  }

  // Where a key leads: the offsets of each axis of the result, its shape, and the place of its start.
  function located(a, key) {
    if (key instanceof Nd && key.bool && sameShape(key.shape, a.shape)) {
      const kept = Int32Array.from(np.flatnonzero(key).data);
      return { axes: [kept], shape: [kept.length], start: 0 };
    }
    const keys = spelled(a, key), steps = strides(a.shape), fancy = keys.some((part) => part instanceof Nd);
    const axes = [], lengths = [], indices = [];
    let start = 0, axis = 0, place = -1, latest = -1;
    keys.forEach((part, i) => {
      if (part === ELLIPSIS) return; // spelled out, but it parts what stands beside it
      const n = part === null ? 1 : a.shape[axis], step = part === null ? 0 : steps[axis++];
      if (part === null || part instanceof Slice) {
        const [from, count, by] = part === null ? [0, 1, 1] : part.bounds(n);
        axes.push(offsets(count, by * step, from * step));
        lengths.push([count]);
      } else if (fancy) {
        indices.push([toArray(part), n, step]);
        place = place < 0 ? axes.length : latest === i - 1 ? place : 0; // apart, they come first
        latest = i;
      } else start += Slice.place(part, n) * step;
    });
    if (fancy) {
      const shape = broadcast(...indices.map(([index]) => index.shape));
      const sums = new Int32Array(product(shape));
      for (const [index, n, step] of indices) {
        const [data, by] = operand(index, shape);
        for (let i = 0; i < sums.length; i++) sums[i] += Slice.place(data[i * by], n) * step;
      }
      axes.splice(place, 0, sums);
      lengths.splice(place, 0, shape);
    }
    return { axes, shape: lengths.flat(), start };
  }

  // Operators on data of any length: operands of step 0 are one number.
  const loops = {
    add(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] + b[i * q]; },
    sub(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] - b[i * q]; },
    mul(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] * b[i * q]; },
    div(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] / b[i * q]; },
    and_(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] & b[i * q]; },
    or_(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] | b[i * q]; },
    xor(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] ^ b[i * q]; },
    lt(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] < b[i * q] ? 1 : 0; },
    le(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] <= b[i * q] ? 1 : 0; },
    gt(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] > b[i * q] ? 1 : 0; },
    ge(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] >= b[i * q] ? 1 : 0; },
    eq(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] === b[i * q] ? 1 : 0; },
    ne(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = a[i * p] !== b[i * q] ? 1 : 0; },
    max(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = Math.max(a[i * p], b[i * q]); },
    min(out, a, p, b, q) { for (let i = 0; i < out.length; i++) out[i] = Math.min(a[i * p], b[i * q]); },
    // Math.hypot is many times slower, and needed only where squares overflow or vanish
    hypot(out, a, p, b, q) {
      for (let i = 0; i < out.length; i++) {
        const square = a[i * p] * a[i * p] + b[i * q] * b[i * q];
        out[i] = square > 1e-290 && square < 1e290 ? Math.sqrt(square) : Math.hypot(a[i * p], b[i * q]);
      }
    },
  };
  function choose(out, m, s, a, p, b, q) {
    for (let i = 0; i < out.length; i++) out[i] = m[i * s] !== 0 ? a[i * p] : b[i * q];
  }
  function deal(out, start, step, data, size) {
    for (let i = 0, to = start; i < data.length; to += step - size) {
      for (const end = i + size; i < end; ) out[to++] = data[i++];
    }
  }
  const simple = {
    sqrt(out, a) { for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(a[i]); },
    abs(out, a) { for (let i = 0; i < out.length; i++) out[i] = Math.abs(a[i]); },
    neg(out, a) { for (let i = 0; i < out.length; i++) out[i] = -a[i]; },
    isfinite(out, a) { for (let i = 0; i < out.length; i++) out[i] = a[i] - a[i] === 0 ? 1 : 0; },
    isnan(out, a) { for (let i = 0; i < out.length; i++) out[i] = a[i] !== a[i] ? 1 : 0; },
  };
  const eachPair = (f) => (out, a, p, b, q) => {
    for (let i = 0; i < out.length; i++) out[i] = f(a[i * p], b[i * q]);
  };
  const eachElement = (f, bool = false, loop = null) => (x) => {
    if (typeof x === "number") return f(x);
    const { data, shape } = toArray(x), out = new Float64Array(data.length);
    if (loop) loop(out, data);
    else for (let i = 0; i < out.length; i++) out[i] = f(data[i]);
    return plain(new Nd(out, shape, bool));
  };
  Object.assign(loops, {
    floordiv: eachPair(op.floordiv),
    mod: eachPair(op.mod),
    pow: eachPair(op.pow),
    fmax: eachPair((a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b))),
    fmin: eachPair((a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b))),
    arctan2: eachPair(Math.atan2),
    logical_and: eachPair((a, b) => a !== 0 && b !== 0),
    logical_or: eachPair((a, b) => a !== 0 || b !== 0),
  });
  const BOOLEAN = new Set(["lt", "le", "gt", "ge", "eq", "ne", "logical_and", "logical_or"]);
  const OF_MASKS = { and_: "and_", or_: "or_", xor: "xor", add: "or_", mul: "and_", max: "or_", min: "and_" };
  const FAST_POWERS = new Map([
    [2, (x) => arrayOp("mul", x, x)],
    [0.5, (x) => np.sqrt(x)],
    [-1, (x) => arrayOp("div", 1, x)],
  ]);

  function paired(a, b, loop, bool) {
    const shape = broadcast(a.shape, b.shape), out = new Float64Array(product(shape));
    const [p, s] = operand(a, shape), [q, t] = operand(b, shape);
    loop(out, p, s, q, t);
    return plain(new Nd(out, shape, bool));
  }

  function arrayOp(name, left, right) {
    const a = toArray(left), b = toArray(right), masks = a.bool && b.bool && name in OF_MASKS;
    if (Array.isArray(a.data) || Array.isArray(b.data)) return objectOp(name, a, b);
    if (name === "pow" && b.ndim === 0 && FAST_POWERS.has(b.data[0])) return FAST_POWERS.get(b.data[0])(a);
    return paired(a, b, loops[masks ? OF_MASKS[name] : name], masks || BOOLEAN.has(name));
  }

  function objectOp(name, a, b) {
    const shape = broadcast(a.shape, b.shape), [p, s] = operand(a, shape), [q, t] = operand(b, shape);
    const found = Array.from({ length: product(shape) }, (_, i) => op[name](p[i * s], q[i * t]));
    const bool = BOOLEAN.has(name);
    return plain(new Nd(bool ? Float64Array.from(found) : found, shape, bool));
  }

  function arrayUnary(name, a) {
    if (name === "invert" && a.bool) return arrayOp("xor", a, true);
    return name === "pos" ? a.copy() : eachElement(op[name], false, simple[name])(a);
  }

  // Numpy's order of additions, which decides the last digits of a sum.
  function pairwise(x, from, n) {
    let sum = -0;
    if (n < 8) for (let i = 0; i < n; i++) sum += x[from + i];
    if (n < 8) return sum;
    if (n > 128) {
      const half = (n >> 1) - ((n >> 1) % 8);
      return pairwise(x, from, half) + pairwise(x, from + half, n - half);
    }
    let [a, b, c, d, e, f, g, h] = x.subarray(from, from + 8);
    const even = n - (n % 8);
    for (let i = from + 8; i < from + even; i += 8) {
      a += x[i]; b += x[i + 1]; c += x[i + 2]; d += x[i + 3];
      e += x[i + 4]; f += x[i + 5]; g += x[i + 6]; h += x[i + 7];
    }
    sum = a + b + (c + d) + (e + f + (g + h));
    for (let i = even; i < n; i++) sum += x[from + i];
    return sum;
  }

  // Calls visit(lane, place of its first element, step to the next) for each lane along an axis.
  function lanes(a, axis, visit) {
    const n = a.shape[axis], step = product(a.shape.slice(axis + 1));
    const all = product(a.shape.slice(0, axis)) * step;
    for (let k = 0; k < all; k++) {
      const first = (k - (k % step)) * n + (k % step);
      const lane = step === 1 ? cut(a.data, first, first + n) : room(a.data, n);
      if (step !== 1) for (let i = 0; i < n; i++) lane[i] = a.data[first + i * step];
      visit(lane, first, step);
    }
  }

  // f(lane, contiguous, ...more) is the value of a lane.
  const reduction = (f, isBool = () => false, more = []) =>
    def(["a", "axis", "keepdims", ...more], (x, axis = null, keepdims = false, ...rest) => {
      const given = toArray(x), a = axis === null ? np.ravel(given) : given;
      const place = Slice.place(axis ?? 0, a.ndim), values = [];
      lanes(a, place, (lane, first, step) => values.push(f(lane, step === 1, ...rest)));
      const shape = given.shape.map((n, i) => (axis === null || i === place ? 1 : n));
      const kept = keepdims ? shape : axis === null ? [] : shape.filter((_, i) => i !== place);
      return plain(new Nd(Float64Array.from(values), kept, isBool(given)));
    });
  // f(lane) is the lane that stands in its stead.
  const scan = (f, usual, keepsBool = false) =>
    def(["a", "axis", "kind"], (x, axis = usual) => {
      const a = axis === null ? np.ravel(x) : toArray(x), out = room(a.data, a.size);
      lanes(a, Slice.place(axis ?? 0, a.ndim), (lane, first, step) => {
        f(lane).forEach((value, i) => (out[first + i * step] = value));
      });
      return new Nd(out, a.shape, keepsBool && a.bool);
    });

  const totalOf = (lane, contiguous) => {
    if (lane.length === 0) return 0;
    return contiguous ? pairwise(lane, 0, lane.length) : lane.reduce((a, b) => a + b);
  };
  const meanOf = (lane, contiguous) => totalOf(lane, contiguous) / lane.length;
  const varianceOf = (lane, contiguous, ddof = 0) => {
    const mean = meanOf(lane, contiguous);
    return totalOf(lane.map((x) => (x - mean) * (x - mean)), contiguous) / Math.max(0, lane.length - ddof);
  };
  const peakPlace = (ahead) => (lane) => {
    if (lane.length === 0) throw new ValueError_("an empty array has no largest or smallest element");
    let best = 0;
    for (let i = 1; i < lane.length && !Number.isNaN(lane[best]); i++) {
      if (ahead(lane[i], lane[best]) || Number.isNaN(lane[i])) best = i;
    }
    return best;
  };
  const [highest, lowest] = [peakPlace((a, b) => a > b), peakPlace((a, b) => a < b)];
  const maxOf = (lane) => lane[highest(lane)], minOf = (lane) => lane[lowest(lane)];
  // Linear between the neighbours, from the nearer one, as numpy does it.
  const quantileOf = (lane, share) => {
    const sorted = lane.slice().sort(), at = (lane.length - 1) * share, low = Math.floor(at), t = at - low;
    if (lane.length === 0 || Number.isNaN(sorted[lane.length - 1])) return NaN;
    const a = sorted[low], b = sorted[Math.min(low + 1, lane.length - 1)], step = b - a;
    return t >= 0.5 ? b - step * (1 - t) : a + step * t;
  };
  const medianOf = (lane) => {
    const sorted = lane.slice().sort(), n = lane.length, half = n >> 1;
    if (n === 0 || Number.isNaN(sorted[n - 1])) return NaN;
    return n % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  };
  const known = (lane) => lane.filter((x) => !Number.isNaN(x));
  const ofKnown = (f) => (lane, ...more) => (known(lane).length ? f(known(lane), ...more) : NaN);
  const orderOf = (lane) => {
    const order = (x, y) => Number.isNaN(x) - Number.isNaN(y) || (x > y) - (x < y);
    return Array.from(lane, (_, i) => i).sort((i, j) => order(lane[i], lane[j]));
  };
  const cumulative = (f) => (lane) => {
    const out = lane.slice();
    for (let i = 1; i < out.length; i++) out[i] = f(out[i - 1], out[i]);
    return out;
  };
  const quantiles = (f, whole) =>
    def(["a", "q", "axis", "keepdims"], (x, q, axis = null, keepdims = false) => {
      const one = (part) => reduction((lane) => f(lane, part / whole))(x, axis, keepdims);
      return isIndex(q) ? np.stack(iter(q).map(one)) : one(q);
    });

  const isFloat = (a, type) => type === py.float && !a.bool && !Array.isArray(a.data);
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
    let [low, high] = [0, data.length];
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
        (name) => [name, eachElement(Math[name])],
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
      const found = [];
      toArray(x).data.forEach((value, i) => value !== 0 && found.push(i));
      return new Nd(Float64Array.from(found), [found.length]);
    },
    unique: (x) => {
      const { data } = np.sort(np.ravel(x)), differ = (a, b) => a !== b && (a === a || b === b);
      const kept = data.filter((value, i) => i === 0 || differ(value, data[i - 1]));
      return new Nd(kept, [kept.length], toArray(x).bool);
    },
    searchsorted: def(["a", "v", "side"], (x, v, side = "left") => {
      const { data } = toArray(x);
      return eachElement((value) => bisected(data, value, side === "right"))(v);
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

  return { Nd, np, arrayOp, arrayUnary };
})();
