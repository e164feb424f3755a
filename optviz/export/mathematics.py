"""What numpy has and a page has not: the page's own versions, which tests hold to the library."""

from ..theory import edges, noise

# by the function that a page asks for; `$radius` is `edges.spectral_radius`
MATHEMATICS = {
    # Gelfand's formula by squaring: after k rounds it knows the size of the 2^k-th power
    edges.radius_of_more: """(matrix) => {
  let power = $.np.array(matrix), log = 0;
  for (let share = 1; share > 1e-18; share /= 2) {
    const most = Math.max(...$.np.abs(power).data);
    if (!(most > 0 && most < Infinity)) return most === 0 ? 0 : Infinity;
    log += share * Math.log(most);
    power = $.op.div(power, most);
    power = $.op.matmul(power, power);
  }
  return Math.exp(log);
}""",
    # by doubling (Smith 1968): after k rounds it holds the effect of 2^k steps
    noise.lyapunov: """(matrix, take) => {
  const most = (x) => Math.max(...$.np.abs(x).data);
  let held = $.op.matmul(take, take.T), power = matrix;
  for (let k = 0; k < 64 && $radius(matrix) < 1; k++) {
    const more = $.op.matmul($.op.matmul(power, held), power.T);
    held = $.op.add(held, more);
    if (most(more) <= 1e-18 * most(held)) return held;
    power = $.op.matmul(power, power);
  }
  return $.np.full(matrix.shape, Infinity);
}""",
}
