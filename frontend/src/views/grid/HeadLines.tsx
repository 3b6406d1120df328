// A list of heads with what there is to say of each; a line chooses its head.
import { useShown, useStore } from "../../store";
import { useWords } from "../../strings";
import type { Head } from "../../types";
import { headName } from "./heads";

interface Props {
  id: string;
  empty: string;
  lines: { head: Head; said: string; amount?: string }[];
}

export function HeadLines({ id, empty, lines }: Props) {
  const store = useStore();
  const { entry: chosen } = useShown("entry");
  const t = useWords();
  return (
    <ol id={id} class="standing">
      {lines.map(({ head: { entry }, said, amount }) => (
        <li key={entry.index}>
          <button
            type="button"
            class="line"
            data-i={entry.index}
            aria-pressed={entry.index === chosen}
            onClick={() => store.set({ entry: entry.index })}
          >
            <b>{headName(t, entry)}</b>
            <span>{said}</span>
            {amount && <span class="amount-of">{amount}</span>}
          </button>
        </li>
      ))}
      {!lines.length && <li class="empty">{t(empty)}</li>}
    </ol>
  );
}
