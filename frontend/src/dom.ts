// Small things between the view and the browser.
import type { Store } from "./store";

// A sandboxed frame throws on the mere mention of localStorage; the view then just forgets.
export const storage = {
  get(name: string): string | null {
    try { return window.localStorage.getItem("zhuyi." + name); } catch { return null; }
  },
  put(name: string, value: string): void {
    try { window.localStorage.setItem("zhuyi." + name, value); } catch { /* not remembered */ }
  },
};

// An empty canvas of this size, in pixels of the page.
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

// At most once a frame.
export function later(action: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; action(); });
  };
}

// A host may say that it is dark (TensorBoard, notebooks) where the system is not.
export function hostIsDark(): boolean | null {
  try {
    for (const body of [document.body, window.parent === window ? null : window.parent.document.body]) {
      if (!body) continue;
      const { classList, dataset } = body;
      if (classList.contains("dark-mode") || classList.contains("vscode-dark")) return true;
      if (dataset.jpThemeLight) return dataset.jpThemeLight === "false";
      if (classList.contains("vscode-light")) return false;
    }
  } catch { /* another origin's frame */ }
  return null;
}

export function isDark(store: Store): boolean {
  const { theme } = store.state;
  if (theme !== "auto") return theme === "dark";
  return hostIsDark() ?? matchMedia("(prefers-color-scheme: dark)").matches;
}

// Reading a computed style makes the browser settle all pending changes first: once per theme.
const colors = new Map<string, string>();
export function cssColor(store: Store, name: string): string {
  const key = name + isDark(store);
  let value = colors.get(key);
  if (value === undefined) {
    value = getComputedStyle(store.host).getPropertyValue(name).trim();
    if (value) colors.set(key, value);
  }
  return value;
}
