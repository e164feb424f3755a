// A slider by factors holds log10 of its value, in hundredths; where it has 0, that is its first place, `zero`.
// A place of a hundredth is the shortest number that is nearer to none of its neighbours, of three digits at most.
export const factor_at = (place, zero = null) => {
  if (place === zero) return 0;
  const value = 10 ** place, [one, two, three] = [1, 2, 3].map((digits) => Number(value.toPrecision(digits)));
  const round = Math.abs(100 * place - Math.round(100 * place)) < 1e-6;
  return [one, two].find((short) => round && Math.abs(short / value - 1) < 0.0115) ?? three;
};

export const factor_place = (value, zero = null) => {
  if (value <= 0) return zero;
  const exact = Math.log10(value), place = Math.round(100 * exact) / 100;
  return factor_at(place) === value ? place : exact;
};
