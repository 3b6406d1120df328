// A page that carries its data: packs stand as base64 in data blocks.
import type { Model } from "../source";

export function pageModel(): Model {
  const listeners: ((...args: any[]) => void)[] = [];
  const index = JSON.parse(document.getElementById("zhuyi-index")?.textContent ?? "null");
  const blocks = new Map([...document.querySelectorAll<HTMLElement>("script[data-zhuyi]")]
    .map((block) => [block.dataset.zhuyi as string, block]));
  const answer = (id: number, name: string): void => {
    const block = blocks.get(name);
    if (!block) { tell({ answer: id, error: `there is no ${name} in this page` }, []); return; }
    try {
      const text = atob(block.textContent ?? "");
      const bytes = new Uint8Array(text.length);
      for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
      tell({ answer: id }, [new DataView(bytes.buffer)]);
    } catch (error) { tell({ answer: id, error: (error as Error).message }, []); }
  };
  const tell = (message: unknown, buffers: DataView[]): void => { for (const one of [...listeners]) one(message, buffers); };
  return {
    get: (name) => ({ index, host: "page" } as Record<string, unknown>)[name], // only here the notes may say that nothing can be sent
    on: (event, action) => { if (event === "msg:custom") listeners.push(action); },
    off: (_, action) => { const at = listeners.indexOf(action); if (at >= 0) listeners.splice(at, 1); },
    send: ({ ask, id }) => { queueMicrotask(() => answer(id, ask)); },
  };
}
