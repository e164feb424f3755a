// Arrays that a page carries as text.
import { Nd } from "./arrays.js";

export const packed = (text, shape, Kind = Float64Array) => {
  const { buffer } = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), values = new Kind(buffer);
  return new Nd(Kind === Float64Array ? values : Float64Array.from(values), shape);
};
