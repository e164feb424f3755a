// A rule's formula with numbers in place of its letters: the elements of its letters are found in its MathML.
import { parsed } from "./elements.js";

const MATH = "http://www.w3.org/1998/Math/MathML";
const UNSEEN_TIMES = "\u2062";
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

// A number in five digits.
export function short(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "no number" : `${value < 0 ? "−" : ""}∞`;
  const rounded = Number(value.toPrecision(5)), [digits, power] = rounded.toExponential().split("e");
  if (rounded === 0 || (power > -4 && power < 6)) return String(rounded).replace("-", "−");
  return `${digits.replace("-", "−")}·10${[...power.replace("+", "")].map((sign) => RAISED[sign]).join("")}`;
}

// The same where a sign or a power of ten may not stand alone.
const within = (text) => (/[−·]/.test(text) ? `(${text})` : text);

const made = (tag, text = "") => Object.assign(document.createElementNS(MATH, tag), { textContent: text });

// The letters of a rule as elements, by what they stand for.
export function letters_of(kind) {
  return new Map(Object.entries(kind.letters).map(([name, markup]) => [name, parsed(`<math>${markup}</math>`).firstChild.firstElementChild]));
}

// The markup of a letter, with an index or not, to the power of the step's number.
export function powered(letter) {
  const indexed = letter.localName === "msub", parts = [...(indexed ? letter.children : [letter])].map((part) => part.outerHTML).join("");
  return indexed ? `<msubsup>${parts}<mi>t</mi></msubsup>` : `<msup>${parts}<mi>t</mi></msup>`;
}

// What a letter is called in plain text, without the index of the step.
export function letter_name(letter) {
  const marks = { "^": "\u0302", "¯": "\u0304", "~": "\u0303" }, base = letter.localName.startsWith("msub") ? letter.children[0] : letter;
  const upper = letter.localName === "msubsup" ? ` ${letter.children[2].textContent}` : "";
  if (base.localName !== "mover") return base.textContent + upper;
  return base.children[0].textContent + (marks[base.children[1].textContent] ?? "") + upper;
}

export class Substitution {
  constructor(markup, letters) {
    this.letters = letters;
    this.places = []; // elements that show a number: which, and whether within a formula
    this.content = parsed(markup);
    const math = this.content.querySelector("math");
    if (!math) return;
    for (const sign of math.querySelectorAll("mo")) if (sign.textContent === UNSEEN_TIMES) sign.textContent = "·";
    for (const row of math.querySelector("mtable").children) this.equation(...row.children);
  }

  equation(left, sign, right) {
    const name = this.name_of(left.firstElementChild);
    for (const part of [...right.children]) this.walk(part);
    if (name === undefined) return;
    const result = made("mn");
    right.append(made("mo", "="), result);
    result.setAttribute("class", "result");
    this.places.push({ name, node: result, shown: short });
  }

  name_of(node) {
    for (const [name, letter] of this.letters) if (node.isEqualNode(letter)) return name;
    return undefined;
  }

  walk(node) {
    const name = this.name_of(node);
    if (name !== undefined) {
      node.replaceWith(this.place(name));
      return;
    }
    const parts = [...node.children], tag = node.localName;
    if (tag === "msubsup" && this.powered(node, parts)) return;
    if (tag === "msub") this.walk(parts[0]);
    else if (tag === "msubsup") [parts[0], parts[2]].forEach((part) => this.walk(part));
    else parts.forEach((part) => this.walk(part));
  }

  // A letter with an index that is raised to a power: the index is its own, the power is not.
  powered(node, [base, index, power]) {
    const alone = made("msub");
    alone.append(base.cloneNode(true), index.cloneNode(true));
    const name = this.name_of(alone);
    if (name === undefined) return false;
    const raised = made("msup");
    node.replaceWith(raised);
    raised.append(this.place(name), power);
    this.walk(power);
    return true;
  }

  place(name) {
    const node = made("mn");
    this.places.push({ name, node, shown: (value) => within(short(value)) });
    return node;
  }

  // Put in the numbers, by what they stand for.
  fill(values) {
    for (const { name, node, shown } of this.places) {
      const value = values[name];
      if (Object.is(node.value, value)) continue;
      node.value = value;
      node.textContent = shown(value);
      node.dataset.value = node.title = value;
    }
  }
}
