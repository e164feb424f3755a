// What Python writes of a value: format(), str() and repr().
import { Nd } from "./arrays.js";
import { Slice, TypeError_, ValueError_, isDict, numeric } from "./base.js";

// The shortest digits that give the number back, as Python's repr without ".0".
function digits(x) {
  if (Object.is(x, -0)) return "-0";
  if (!Number.isFinite(x)) return String(x).replace("Infinity", "inf").replace("NaN", "nan");
  const [mantissa, exponent] = x.toExponential().split("e");
  return exponent < -4 || exponent >= 16 ? `${mantissa}e${twoDigits(exponent)}` : String(x);
}
const twoDigits = (exponent) => exponent[0] + exponent.slice(1).padStart(2, "0");

// JavaScript rounds ties up, Python to even: `exact` has all digits, `kept` of them stay.
const evenly = (rounded, exact, kept) => {
  const down = exact.slice(0, kept).replace(/\.$/, "");
  return /^\.?50*$/.test(exact.slice(kept)) && /[02468]$/.test(down) ? down : rounded;
};
function fixed(x, places) {
  if (x >= 1e21) return BigInt(x) + (places ? `.${"0".repeat(places)}` : "");
  const exact = x.toFixed(100), point = exact.indexOf(".");
  return evenly(x.toFixed(places), exact, point + (places ? places + 1 : 0));
}
function exponential(x, places) {
  const [rounded, exact] = [x.toExponential(places), x.toExponential(100)].map((text) => text.split("e"));
  const mantissa = evenly(rounded[0], exact[0], places ? places + 2 : 1);
  return `${mantissa}e${twoDigits(mantissa === rounded[0] ? rounded[1] : exact[1])}`;
}
// A number of at least 0 as Python's round gives it, to places before the point where they are below 0.
export function nearest(x, places) {
  if (places >= 0) return Number(fixed(x, Math.min(places, 100)));
  const more = Number(x.toExponential().split("e")[1]) + places, unit = Number(`1e${-places}`);
  if (more >= 0) return Number(exponential(x, Math.min(more, 100)));
  return more === -1 && x > unit / 2 ? unit : 0;
}
function general(x, precision, last) {
  const [mantissa, exponent] = exponential(x, precision - 1).split("e");
  const bare = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent < -4 || exponent >= last) return `${bare(mantissa)}e${exponent}`;
  return bare(fixed(x, precision - 1 - exponent));
}
const RADIX = { d: 10, x: 16, o: 8, b: 2 };
function magnitude(x, type, precision) {
  if (!Number.isFinite(x)) return digits(x) + (type === "%" ? "%" : "");
  if (type === "f") return fixed(x, precision ?? 6);
  if (type === "e") return exponential(x, precision ?? 6);
  if (type === "%") return `${fixed(x * 100, precision ?? 6)}%`;
  if (type === "g") return general(x, (precision ?? 6) || 1, (precision ?? 6) || 1);
  if (type === "" && precision === undefined) return digits(x);
  if (type === "") return general(x, precision || 1, (precision || 1) - 1).replace(/^\d+$/, "$&.0");
  const whole = type in RADIX && Number.isInteger(x);
  if (!whole) throw new ValueError_(`no format '${type}' for ${digits(x)}`);
  return BigInt(x).toString(RADIX[type]);
}

const SPEC = /^(?:(.)?([<>=^]))?([-+ ]?)(0?)(\d*)([,_]?)(?:\.(\d+))?([a-zA-Z%]?)$/su;
export function format(value, spec = "") {
  if (spec === "") return str(value);
  if (!numeric(value) && typeof value !== "string") throw new TypeError_(`no format of ${kind(value)}`);
  const found = SPEC.exec(spec);
  if (!found) throw new ValueError_(`invalid format '${spec}'`);
  const [, given, align, plus, zero, width, comma, point, type] = found;
  const fill = given ?? (zero || " "), precision = point && Number(point);
  if (typeof value === "string") {
    return padded("", [...value].slice(0, precision).join(""), fill, align ?? "<", width);
  }
  const x = +value, lower = type.toLowerCase();
  const sign = x < 0 || (Object.is(x, -0) && !(lower in RADIX)) ? "-" : plus.replace("-", "");
  let body = magnitude(Math.abs(x), lower, precision);
  if (type !== lower) body = body.toUpperCase();
  const side = align ?? (zero ? "=" : ">");
  if (comma) {
    const group = (text) => text.replace(/^\d+/, (all) => all.replace(/\B(?=(\d{3})+$)/g, comma));
    const short = () => group(body).length + sign.length < width;
    while (fill === "0" && side === "=" && Number.isFinite(x) && short()) body = `0${body}`;
    body = group(body);
  }
  return padded(sign, body, fill, side, width);
}
function padded(sign, body, fill, align, width) {
  const room = Math.max(0, width - sign.length - [...body].length);
  const left = { "<": 0, "^": Math.floor(room / 2), ">": room, "=": 0 }[align];
  const inside = align === "=" ? fill.repeat(room) : "";
  return fill.repeat(left) + sign + inside + body + fill.repeat(room - left - inside.length);
}

export function repr(x) {
  if (x === null || x === undefined) return "None";
  if (typeof x === "boolean") return x ? "True" : "False";
  if (typeof x === "number") return digits(x);
  if (typeof x === "string") {
    const quote = x.includes("'") && !x.includes('"') ? '"' : "'";
    const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    const escaped = (c) => named[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
    const text = x.replace(/\\/g, "\\\\").replace(/[\x00-\x1f\x7f-\xa0\xad]/g, escaped);
    return quote + text.replaceAll(quote, `\\${quote}`) + quote;
  }
  if (Array.isArray(x)) return `[${x.map(repr).join(", ")}]`;
  if (x instanceof Nd) return `array(${repr(x.tolist())})`;
  if (x instanceof Set) return x.size ? `{${[...x].map(repr).join(", ")}}` : "set()";
  if (isDict(x)) return `{${Object.entries(x).map((pair) => pair.map(repr).join(": ")).join(", ")}}`;
  if (x instanceof Slice) return `slice(${Object.values(x).map(repr).join(", ")})`;
  return x instanceof Error ? `${x.name}(${repr(x.message)})` : `<${x.constructor?.name ?? typeof x}>`;
}

export const str = (x = "") => (typeof x === "string" ? x : x instanceof Error ? x.message : repr(x));

// What an error calls a value.
export const kind = (x) => (typeof x === "object" && x !== null ? x.constructor?.name : repr(x));
