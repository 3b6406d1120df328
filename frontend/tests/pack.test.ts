import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { split, unpack } from "../src/pack";

function packed(header: object, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(header);
  const head = Buffer.from(text + " ".repeat((8 - (text.length + 4) % 8) % 8));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return new Uint8Array(Buffer.concat([Buffer.from("zyp1"), deflateSync(Buffer.concat([length, head, body]))]));
}

// float16 bits as the two byte planes in which they travel.
const halves = (...bits: number[]) => Uint8Array.from([...bits.map((b) => b >> 8), ...bits.map((b) => b & 255)]);

export const tests = {
  async "half floats come back as they are"() {
    const body = halves(0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x7e00, 0x8000, 0x3555);
    const { arrays, header } = await unpack(packed({ kind: "x", layout: [["h", "f16", [2, 4], 0]] }, body));
    assert.equal(header.kind, "x");
    assert.deepEqual(arrays.h.shape, [2, 4]);
    assert.deepEqual([...arrays.h.data], [1, -2, 2 ** -24, 65504, -Infinity, NaN, -0, 0.333251953125]);
  },

  async "arrays of other kinds are views at their places"() {
    const body = new Uint8Array(24);
    new DataView(body.buffer).setFloat32(0, -1.5, true);
    new DataView(body.buffer).setInt32(8, -70000, true);
    body[16] = 200;
    const { arrays } = await unpack(packed({ layout: [["f", "f32", [1], 0], ["i", "i32", [1], 8], ["u", "u8", [2, 1], 16]] }, body));
    assert.deepEqual([arrays.f.data[0], arrays.i.data[0], ...arrays.u.data], [-1.5, -70000, 200, 0]);
  },

  async "what is no pack, or damaged, is an error"() {
    await assert.rejects(unpack(Uint8Array.from([1, 2, 3, 4, 5])), /not a pack/);
    const whole = packed({ layout: [["f", "f32", [400], 0]] }, new Uint8Array(1600));
    await assert.rejects(unpack(whole.slice(0, 20)));
    await assert.rejects(unpack(packed({ layout: [["f", "f32", [400], 0]] }, new Uint8Array(8))));
  },

  "joined packs come apart"() {
    const bytes = Uint8Array.from([2, 0, 0, 0, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0, 9]);
    assert.deepEqual(split(bytes).map((one) => [...one]), [[7, 8], [], [9]]);
    assert.throws(() => split(Uint8Array.from([9, 0, 0, 0, 1])), /cut off/);
  },
};
