// From numbers to the 256 colors of a ramp.
export interface Scale {
  low: number;
  high: number;
  twoSided: boolean;
  log: boolean; // weights from `low` to 1 by their logarithm
  logs: boolean; // the numbers are logarithms of weights
}

// 0..255; -1 where nothing is (masked).
export function code(scale: Scale, v: number): number {
  if (!(v > -Infinity)) return -1;
  const { low, high, log, logs } = scale;
  const share = log ? 1 - v / Math.log(low) : logs ? Math.exp(v) / high : (v - low) / (high - low);
  return 255 * Math.min(1, Math.max(0, share));
}

export function codes(scale: Scale, values: Float32Array): Int16Array {
  const out = new Int16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = code(scale, values[i]);
  return out;
}

// A small picture holds logarithms between the floor (0) and 1 (255); 0 is anything below the floor.
export function codesOfPicture(scale: Scale, picture: Uint8Array, floor: number): ArrayLike<number> {
  const span = Math.log(floor);
  const table = Int16Array.from({ length: 256 }, (_, c) => (c ? code(scale, span * (1 - c / 255)) : 0));
  return Int16Array.from(picture, (c) => table[c]);
}

// What is equal here is painted equally.
export const scaleName = ({ low, high, twoSided, log }: Scale, dark: boolean): string =>
  `${low} ${high} ${twoSided} ${log} ${dark}`;

export function spread(low: number, high: number, twoSided: boolean): Scale {
  if (twoSided) {
    const most = Math.max(Math.abs(low), Math.abs(high));
    [low, high] = Number.isFinite(most) && most > 0 ? [-most, most] : [-1, 1];
  } else if (!(high > low)) [low, high] = Number.isFinite(low) ? [low, low + 1] : [0, 1];
  return { low, high, twoSided, log: false, logs: false };
}
