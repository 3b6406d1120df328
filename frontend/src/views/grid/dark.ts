// Whether to draw for a dark ground; drawn again when the reader or the system changes it.
import { useEffect } from "preact/hooks";
import { useAgain } from "../controls";
import { isDark } from "../../dom";
import { useShown, useStore } from "../../store";

export function useDark(): boolean {
  useShown("theme");
  const again = useAgain();
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", again);
    return () => system.removeEventListener("change", again);
  }, []);
  return isDark(useStore());
}
