// TensorBoard and the local server: an index and packs behind two relative addresses.
import type { Model } from "../source";

const EVERY = 5000; // milliseconds between two looks at the index

export async function httpModel(): Promise<Model> {
  const events = new Map<string, Set<(...args: any[]) => void>>();
  const tell = (event: string, ...args: unknown[]): void => { for (const one of [...events.get(event) ?? []]) one(...args); };
  let written = "";
  let index: unknown = null;
  const refresh = async (): Promise<boolean> => {
    const response = await fetch("index", { cache: "no-store" });
    if (!response.ok) throw new Error(`the index could not be read (${response.status})`);
    const text = await response.text();
    if (text === written) return false;
    [written, index] = [text, JSON.parse(text)];
    return true;
  };
  await refresh();
  const look = async (): Promise<void> => {
    // A hidden tab asks for nothing; a server that has gone is no reason to complain every time.
    if (!document.hidden) {
      try { if (await refresh()) tell("change:index"); } catch { /* next time */ }
    }
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
  const answer = async (id: number, name: string): Promise<void> => {
    try {
      const response = await fetch(`ask?name=${encodeURIComponent(name)}`, { cache: "no-store" });
      if (!response.ok) throw new Error(`${name}: ${response.status}`);
      tell("msg:custom", { answer: id }, [new DataView(await response.arrayBuffer())]);
    } catch (error) { tell("msg:custom", { answer: id, error: (error as Error).message }, []); }
  };
  return {
    get: (name) => (name === "index" ? index : undefined),
    on: (event, action) => { events.set(event, (events.get(event) ?? new Set()).add(action)); },
    off: (event, action) => { events.get(event)?.delete(action); },
    send: ({ ask, id }) => { void answer(id, ask); },
  };
}
