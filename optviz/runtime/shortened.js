// Texts as optviz/export/shortened.py has them, written out again: a letter from U+0100 on stands for what `pairs` has there.
const FIRST = 0x100;

export function lengthened(pairs, texts) {
  const whole = [], long = (text) => text.replace(/[\u0100-\uffff]/g, (letter) => whole[letter.charCodeAt(0) - FIRST]);
  for (const pair of pairs) whole.push(long(pair));
  return texts.map(long);
}
