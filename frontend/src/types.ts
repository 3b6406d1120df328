// The data format, as src/zhuyi/ui/view/{document,archive}.py writes it.

export interface TrackIndex {
  id: string;
  run: string;
  name: string;
  steps: number[];
  times: number[];
  detailed: number[]; // steps with details of heads
  written: number; // looks that were logged; more than there are steps where sampling dropped some
}

export interface Index {
  schema: string;
  title: string;
  tracks: TrackIndex[];
}

export type Arrays = Record<string, Packed>;
export interface Packed { shape: number[]; data: Uint8Array | Int8Array | Uint16Array | Int32Array | Float32Array }

export interface Said { en: string; zh: string }

export interface Finding {
  test: string;
  settings: string;
  outcome: "supports" | "cautions" | "refutes" | "informs" | "skipped";
  said: Said;
  numbers: Record<string, number | string | null>;
  details: Record<string, number | null>;
  calls: number;
}

export type Label = "trusted" | "doubtful" | "refuted";

export interface Verdict {
  label: Label;
  headline: Said;
  reasons: Said[];
  notes: Said[];
  removal: string;
  findings: Finding[];
}

export interface Sequence { name: string; labels: string[]; special: number[] }

export interface Entry {
  index: number;
  layer: number;
  head: number;
  site: string;
  kind: "self" | "cross";
  queries: number; // index of the sequence that asks
  keys: number; // index of the one that answers
  shape: [number, number];
  floor: number; // weights below it leave a picture empty
  thumbnail: [number, number];
}

// One input: what never changes from step to step.
export interface Track {
  id: string;
  model: string;
  task: string;
  source: string;
  units: [label: string, special: number, gap: string][];
  signed: boolean;
  sequences: Sequence[];
  heads_in_model: number;
  dtype: string;
  device: string;
  versions: Record<string, string>;
  unseen: string[];
  image: { url: string; grid: [number, number] | null } | null;
  cells: string[]; // of a table's row, one a unit
  signal: { names: string[]; spans: [channel: number, start: number, stop: number][]; values: Packed } | null;
  statistics: string[];
  entries: Entry[];
}

export interface Link { entry: Entry; query: number; key: number; weight: number }

// One head at one step.
export interface Head {
  entry: Entry;
  picture: Uint8Array; // thumbnail, log code: 0 below the floor, 255 = weight 1
  received: Uint8Array; // per key, 255 = the most
  stats: Record<string, number>;
  standing: number;
  reason: string; // "+reach", "-first", ... or ""
  top: Link[];
  kernel: string;
  detailed: boolean;
}

// One step: what was decided and why, and every head.
export interface Moment {
  track: string;
  step: number;
  time: number;
  written: number;
  decision: string;
  probability: number | null;
  alternatives: [label: string, probability: number][];
  method: string;
  reason: string;
  verdict: Verdict | null;
  values: number[];
  kernels: string[];
  backends: string[];
  errors: [score: number, weight: number];
  heads: (Head | null)[]; // one an entry of the track; null where its layer was not kept at this step
}

// Numbers of every step.
export interface Series {
  steps: Int32Array;
  heads: number;
  statistics: Float32Array; // S x E x n, -1 = not there
  probability: Float32Array;
  values: Float32Array; // S x N
  verdicts: Uint8Array; // 0 not tested, 1 trusted, 2 doubtful, 3 refuted
}
