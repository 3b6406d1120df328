// Color ramps, evenly spaced in OKLab so that equal steps in weight look equal.
type Stop = [lightness: number, chroma: number, hue: number];
type Stops = { light: Stop[]; dark: Stop[] };
const RAMPS: Stops = {
  // Stops as [lightness, chroma, hue in degrees].
  light: [[0.985, 0.006, 95], [0.88, 0.05, 195], [0.68, 0.10, 230], [0.47, 0.13, 265], [0.25, 0.09, 285]],
  dark: [[0.21, 0.012, 265], [0.36, 0.09, 280], [0.55, 0.12, 245], [0.77, 0.11, 185], [0.96, 0.09, 105]],
};
const TWO_SIDED: Stops = {
  light: [[0.45, 0.13, 250], [0.72, 0.09, 240], [0.975, 0.004, 95], [0.76, 0.12, 65], [0.50, 0.13, 50]],
  dark: [[0.78, 0.12, 235], [0.50, 0.10, 250], [0.21, 0.010, 265], [0.52, 0.11, 55], [0.82, 0.13, 75]],
};

const toLab = ([l, c, h]: Stop): Stop => [l, c * Math.cos(h * Math.PI / 180), c * Math.sin(h * Math.PI / 180)];
const between = (one: Stop, two: Stop, mix: number): Stop => one.map((v, k) => v + (two[k] - v) * mix) as Stop;

function labToRgb([l, a, b]: Stop): number[] {
  const x = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const y = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const z = (l - 0.0894841775 * a - 1.2914855480 * b) ** 3;
  return [4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
    -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
    -0.0041960863 * x - 0.7034186147 * y + 1.7076147010 * z].map((v) => {
    const s = Math.min(1, Math.max(0, v));
    return Math.round(255 * (s <= 0.0031308 ? 12.92 * s : 1.055 * s ** (1 / 2.4) - 0.055));
  });
}

const ramps = new Map<string, Uint8Array>();

// 256 colors, three bytes each.
export function ramp(twoSided: boolean, dark: boolean): Uint8Array {
  const name = `${twoSided} ${dark}`;
  const known = ramps.get(name);
  if (known) return known;
  const stops = (twoSided ? TWO_SIDED : RAMPS)[dark ? "dark" : "light"];
  const colors = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const place = i / 255 * (stops.length - 1);
    const from = Math.min(Math.floor(place), stops.length - 2);
    const [one, two, mix] = [stops[from], stops[from + 1], place - from];
    // Between two sides the hue must not turn: halfway from blue to no color it would be green.
    colors.set(labToRgb(twoSided ? between(toLab(one), toLab(two), mix) : toLab(between(one, two, mix))), 3 * i);
  }
  ramps.set(name, colors);
  return colors;
}

// codes: 0..255 per dot, -1 = see through.
export function paint(codes: ArrayLike<number>, rows: number, cols: number, twoSided: boolean, dark: boolean,
  canvas = document.createElement("canvas")): HTMLCanvasElement {
  [canvas.width, canvas.height] = [Math.max(cols, 1), Math.max(rows, 1)];
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  const image = pen.createImageData(canvas.width, canvas.height);
  const colors = ramp(twoSided, dark);
  for (let i = 0; i < rows * cols; i++) {
    const code = codes[i] | 0;
    if (code < 0) continue;
    image.data[4 * i] = colors[3 * code];
    image.data[4 * i + 1] = colors[3 * code + 1];
    image.data[4 * i + 2] = colors[3 * code + 2];
    image.data[4 * i + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}
