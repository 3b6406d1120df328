// The manifest (JSON) and the chunks (deflate, base64), unpacked only when they are needed.
const manifest = JSON.parse($("manifest").textContent);
const entries = manifest.entries;

const TYPES = { u8: Uint8Array, i8: Int8Array, i32: Int32Array, f32: Float32Array };

// All 65,536 half floats once: a table read is faster than arithmetic per element.
let halves = null;
function halfTable() {
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

async function unpack(name, layout) {
  const text = atob($("chunk-" + name).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const arrays = {};
  for (const [label, kind, shape, offset] of layout) {
    const count = shape.reduce((a, b) => a * b, 1);
    arrays[label] = { shape, data: kind === "f16" ? unpackHalves(buffer, offset, count)
      : new TYPES[kind](buffer, offset, count) };
  }
  return arrays;
}

function unpackHalves(buffer, offset, count) {
  const table = halfTable();
  const high = new Uint8Array(buffer, offset, count);
  const low = new Uint8Array(buffer, offset + count, count);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = table[(high[i] << 8) | low[i]];
  return values;
}

// Where each head's thumbnail, received weights and links begin in the overview.
function spread(overview) {
  let [thumb, received, links] = [0, 0, 0];
  const width = manifest.statistics.length;
  entries.forEach((entry, index) => {
    const [rows, cols] = entry.thumbnail;
    entry.index = index;
    entry.picture = overview.thumbnails.data.subarray(thumb, thumb += rows * cols);
    entry.received = overview.received.data.subarray(received, received += entry.shape[1]);
    entry.stats = {};
    manifest.statistics.forEach((name, i) => {
      const value = overview.statistics.data[index * width + i];
      if (value >= 0) entry.stats[name] = value;
    });
    entry.top = [];
    for (let i = links; i < links + entry.links; i++) {
      entry.top.push({ entry, query: overview.link_ends.data[2 * i], key: overview.link_ends.data[2 * i + 1],
        weight: overview.link_weights.data[i] });
    }
    links += entry.links;
  });
}

const labelOf = (sequence, position) => visible(manifest.sequences[sequence].labels[position] ?? "?");
const isSpecial = (sequence, position) => Boolean(manifest.sequences[sequence].special[position]);
