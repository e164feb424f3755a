// Python's classes: printed ones, and how those of the runtime are asked what they are.
import { Nd } from "./arrays.js";
import { ValueError_, def } from "./base.js";
import { repr } from "./formats.js";

// Methods and properties by name, an instance made by calling.
export function prototype(parts, base = Object.prototype) {
  const made = Object.create(base);
  Object.assign(made, parts.methods);
  for (const [name, get] of Object.entries(parts.getters)) {
    Object.defineProperty(made, name, { get, configurable: true });
  }
  return made;
}

export function factory(parts) {
  const base = prototype(parts);
  return (...args) => {
    const made = Object.create(base);
    made.__init__(...args);
    return made;
  };
}

// Python dataclasses: the arguments are the fields.
export function record(names, parts) {
  const base = prototype(parts);
  return def(names, (...values) => {
    const made = Object.create(base);
    names.forEach((name, i) => (made[name] = values[i]));
    return made;
  });
}

export const typename = (x) => x?.kind?.name ?? x?.constructor?.name ?? typeof x;

export const label_of = (member) => member.label || member.title || typename(member);

export const refuse = def(["who", "rule", "got", "fix"], (who, rule, got, fix = "") => {
  const shown = got instanceof Nd && got.size > 4 ? `an array of shape ${repr(got.shape)}` : repr(got);
  const short = shown.length <= 60 ? shown : `${shown.slice(0, 57)}...`;
  throw new ValueError_(`${who} ${rule}, not ${short}${fix ? `; ${fix}` : ""}.`);
});
