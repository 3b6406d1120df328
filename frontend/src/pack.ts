// Packs: a header and typed arrays, deflated. See src/zhuyi/ui/view/pack.py.
import type { Arrays, Packed } from "./types";

const TYPES = { u8: Uint8Array, i8: Int8Array, u16: Uint16Array, i32: Int32Array, f32: Float32Array };
type Layout = [name: string, kind: keyof typeof TYPES | "f16", shape: number[], offset: number];
export type Header = Record<string, any>;

// All 65,536 half floats once: a table read is faster than arithmetic per element.
let halves: Float32Array | null = null;
function halfTable(): Float32Array {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24
      : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
    halves[bits] = bits & 32768 ? -size : size;
  }
  return halves;
}

export async function unpack(bytes: Uint8Array<ArrayBuffer>): Promise<{ header: Header; arrays: Arrays }> {
  if (new TextDecoder().decode(bytes.subarray(0, 4)) !== "zyp1") throw new Error("not a pack");
  const stream = new Blob([bytes.slice(4)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as Header;
  const arrays: Arrays = {};
  for (const [name, kind, shape, offset] of header.layout as Layout[]) {
    const count = shape.reduce((a, b) => a * b, 1);
    const at = 4 + length + offset;
    arrays[name] = { shape, data: kind === "f16" ? unpackHalves(buffer, at, count)
      : new TYPES[kind](buffer, at, count) } as Packed;
  }
  return { header, arrays };
}

function unpackHalves(buffer: ArrayBuffer, offset: number, count: number): Float32Array {
  const table = halfTable();
  const high = new Uint8Array(buffer, offset, count);
  const low = new Uint8Array(buffer, offset + count, count);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = table[(high[i] << 8) | low[i]];
  return values;
}

export function split(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packs: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = view.getUint32(at, true);
    at += 4 + length;
    if (at > bytes.byteLength) throw new Error("the packs are cut off");
    packs.push(bytes.subarray(at - length, at));
  }
  return packs;
}
