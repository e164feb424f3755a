// What numpy and scipy have and `Math` has not, for the formulas of objectives and rules.

export const $special = (() => {
  const polynomial = (coefficients, x) => coefficients.reduce((total, c) => total * x + c);

  // Half to even.
  function rint(x) {
    const floor = Math.floor(x), rest = x - floor;
    const found = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : rest >= 0.5 ? floor + 1 : x;
    return found === 0 && (x < 0 || Object.is(x, -0)) ? -0 : found;
  }

  function added(a, b, same, more) {
    if (a === b) return a + same; // infinities too
    const d = a - b;
    return d > 0 ? a + more(-d) : d <= 0 ? b + more(d) : NaN;
  }

  function sinc(x) {
    const y = Math.PI * (x === 0 ? 1e-20 : x);
    return Math.sin(y) / y;
  }

  // Rational approximations of Cephes (S. L. Moshier), as scipy has them.
  const T = [9.60497373987051638749, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3,
    5.55923013010394962768e4];
  const U = [1, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3, 2.26290000613890934246e4,
    4.92673942608635921086e4];
  const P = [2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687, 4.86371970985681366614e1,
    1.96520832956077098242e2, 5.26445194995477358631e2, 9.3452852717195760754e2, 1.02755188689515710272e3,
    5.57535335369399327526e2];
  const Q = [1, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2, 9.75708501743205489753e2,
    1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3, 5.57535340817727675546e2];
  const R = [5.64189583547755073984e-1, 1.27536670759978104416, 5.01905042251180477414, 6.16021097993053585195,
    7.4097426995044893916, 2.9788666537210024067];
  const S = [1, 2.2605286322011727659, 9.39603524938001434673, 1.20489539808096656605e1, 1.70814450747565897222e1,
    9.60896809063285878198, 3.3690764510008151605];

  function erf(x) {
    return Math.abs(x) > 1 ? 1 - erfc(x) : (x * polynomial(T, x * x)) / polynomial(U, x * x);
  }

  function erfc(x) {
    const size = Math.abs(x);
    if (size < 1) return 1 - erf(x);
    if (size === Infinity) return x < 0 ? 2 : 0;
    const ratio = size < 8 ? polynomial(P, size) / polynomial(Q, size) : polynomial(R, size) / polynomial(S, size);
    const tail = Math.exp(-size * size) * ratio;
    return x < 0 ? 2 - tail : tail;
  }

  // Lanczos' approximation (g = 7, nine terms).
  const L = [676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7];
  const lanczos = (x) => L.reduce((total, c, k) => total + c / (x + k), 0.9999999999998099);
  const isPole = (x) => x <= 0 && Math.floor(x) === x;

  function gamma(x) {
    if (isPole(x)) return x === 0 ? 1 / x : NaN;
    if (x === Infinity || x > 172) return Infinity;
    if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
    const t = x + 6.5, half = Math.pow(t, (x - 0.5) / 2);
    return Math.sqrt(2 * Math.PI) * half * Math.exp(-t) * half * lanczos(x);
  }

  function gammaln(x) {
    if (isPole(x) || x === Infinity || x === -Infinity) return Infinity;
    if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - gammaln(1 - x);
    const t = x + 6.5;
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(lanczos(x));
  }

  const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798];

  // The derivatives of gammaln: by steps up to where the asymptotic series serves.
  function polygamma(n, x) {
    if (isPole(x)) return n > 0 ? Infinity : x === 0 ? -1 / x : NaN;
    if (x < 0 && n === 0) return polygamma(0, 1 - x) - Math.PI / Math.tan(Math.PI * x);
    if (x < -1e4) return NaN;
    let below = 0, factorial = 1;
    for (let k = 2; k <= n; k++) factorial *= k;
    for (; x < 15 + n; x++) below += 1 / Math.pow(x, n + 1);
    let tail = n === 0 ? -Math.log(x) : factorial / n / Math.pow(x, n);
    tail += factorial / 2 / Math.pow(x, n + 1);
    let rising = n === 0 ? 1 / 2 : (factorial / n) * n * (n + 1) / 2; // (2 k + n - 1)! / (2 k)!
    BERNOULLI.forEach((b, i) => {
      const k = i + 1;
      tail += (b * rising) / Math.pow(x, 2 * k + n);
      rising *= ((2 * k + n) * (2 * k + n + 1)) / ((2 * k + 1) * (2 * k + 2));
    });
    return (n % 2 === 0 ? -1 : 1) * (factorial * below + tail);
  }

  return {
    rint, sinc, erf, erfc, gamma, gammaln, polygamma,
    exp2: (x) => Math.pow(2, x),
    logaddexp: (a, b) => added(a, b, Math.LN2, (d) => Math.log1p(Math.exp(d))),
    logaddexp2: (a, b) => added(a, b, 1, (d) => Math.log1p(Math.pow(2, d)) / Math.LN2),
    fmax: (a, b) => (a >= b || b !== b ? a : b),
    fmin: (a, b) => (a <= b || b !== b ? a : b),
    heaviside: (x, half) => (x < 0 ? 0 : x === 0 ? half : x > 0 ? 1 : NaN),
  };
})();
