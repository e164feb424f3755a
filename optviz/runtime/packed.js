// Arrays that a page carries as text.
import { Nd } from "./arrays.js";

export const packed = (text, shape) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Nd(new Float64Array(bytes.buffer), shape);
};
