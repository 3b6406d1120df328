// Where the view gets its data: every host gives a model in anywidget's form that answers messages.
import { split, unpack } from "./pack";
import { HeadOperator } from "./operator";
import type { Entry, Head, Index, Moment, Series, Track } from "./types";

export interface Model {
  get(name: string): any;
  on(event: string, action: (...args: any[]) => void): void;
  off(event: string, action: (...args: any[]) => void): void;
  send(message: any): void;
}

type Bytes = Uint8Array<ArrayBuffer>;
const KEPT = { moments: 60, operators: 8 };

export class Source {
  private waiting = new Map<number, { resolve: (bytes: Bytes) => void; reject: (error: Error) => void }>();
  private next = 1;
  private tracks = new Map<string, Promise<Track>>();
  private moments = new Map<string, Promise<Moment>>();
  private operators = new Map<string, Promise<HeadOperator>>();

  constructor(readonly model: Model) {
    model.on("msg:custom", this.receive);
  }

  close(): void {
    this.model.off("msg:custom", this.receive);
    for (const one of this.waiting.values()) one.reject(new Error("closed"));
  }

  get index(): Index { return this.model.get("index") as Index; }

  onIndex(action: () => void): () => void {
    this.model.on("change:index", action);
    return () => this.model.off("change:index", action);
  }

  track(id: string): Promise<Track> {
    return remember(this.tracks, id, 50, async () => {
      const { header, arrays } = await unpack(await this.ask(`track/${id}`));
      const track = header as unknown as Track;
      track.id = id;
      track.entries.forEach((entry, index) => { entry.index = index; });
      if (track.signal) track.signal.values = arrays.signal;
      return track;
    });
  }

  moment(track: Track, step: number): Promise<Moment> {
    return remember(this.moments, `${track.id}/${step}`, KEPT.moments, async () => {
      const packs = await Promise.all(split(await this.ask(`moment/${track.id}/${step}`)).map(unpack));
      return readMoment(track, packs);
    });
  }

  operator(track: Track, step: number, entry: Entry): Promise<HeadOperator> {
    const name = `${track.id}/${step}/${entry.index}`;
    return remember(this.operators, name, KEPT.operators, async () => {
      const { header, arrays } = await unpack(await this.ask(`detail/${name}`));
      return new HeadOperator(header, entry.shape, arrays);
    });
  }

  async series(id: string): Promise<Series> {
    const { arrays } = await unpack(await this.ask(`series/${id}`));
    return { steps: arrays.steps.data as Int32Array, heads: arrays.statistics.shape[1],
      statistics: arrays.statistics.data as Float32Array, probability: arrays.probability.data as Float32Array,
      values: arrays.values.data as Float32Array, verdicts: arrays.verdicts.data as Uint8Array };
  }

  async words(lang: string): Promise<Record<string, string>> {
    return (await unpack(await this.ask(`words/${lang}`))).header.words;
  }

  // Steps were written anew: what is known of them is out of date.
  refresh(): void {
    for (const known of [this.tracks, this.moments, this.operators]) known.clear();
  }

  private ask(name: string): Promise<Bytes> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.model.send({ ask: name, id });
    });
  }

  private receive = (message: any, buffers?: DataView[]): void => {
    const waiting = this.waiting.get(message?.answer);
    if (!waiting) return;
    this.waiting.delete(message.answer);
    const data = buffers?.[0];
    if (message.error || !data) waiting.reject(new Error(String(message.error ?? "no data")));
    else waiting.resolve(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
  };
}

// The latest few answers; a failed one is forgotten, so that it can be asked for again.
function remember<T>(known: Map<string, Promise<T>>, name: string, most: number, find: () => Promise<T>): Promise<T> {
  let found = known.get(name);
  if (found) known.delete(name);
  else {
    found = find();
    found.catch(() => known.delete(name));
  }
  known.set(name, found);
  if (known.size > most) known.delete(known.keys().next().value as string);
  return found;
}

function readMoment(track: Track, packs: { header: any; arrays: any }[]): Moment {
  const [{ header }, ...layers] = packs;
  const detailed = new Set<number>(header.details);
  const heads: (Head | null)[] = track.entries.map(() => null);
  for (const { header: layer, arrays } of layers) readLayer(track, layer, arrays, detailed, heads);
  return { ...header, track: track.id, heads } as Moment;
}

function readLayer(track: Track, layer: any, arrays: any, detailed: Set<number>, heads: (Head | null)[]): void {
  let [thumb, received, links] = [0, 0, 0];
  const width = track.statistics.length;
  (layer.entries as number[]).forEach((index, place) => {
    const entry = track.entries[index];
    const [rows, cols] = entry.thumbnail;
    const code = arrays.reason.data[place];
    const head: Head = {
      entry,
      picture: arrays.thumbnails.data.subarray(thumb, thumb += rows * cols),
      received: arrays.received.data.subarray(received, received += entry.shape[1]),
      stats: {},
      standing: arrays.standing.data[place],
      reason: code ? (code > 0 ? "+" : "-") + track.statistics[Math.abs(code) - 1] : "",
      top: [],
      kernel: layer.kernels[layer.kernel[place]],
      detailed: detailed.has(index),
    };
    track.statistics.forEach((name, i) => {
      const value = arrays.statistics.data[place * width + i];
      if (value >= 0) head.stats[name] = value;
    });
    for (const end = links + arrays.links.data[place]; links < end; links++) {
      head.top.push({ entry, query: arrays.link_ends.data[2 * links], key: arrays.link_ends.data[2 * links + 1],
        weight: arrays.link_weights.data[links] });
    }
    heads[index] = head;
  });
}
