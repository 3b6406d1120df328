// A record of a table: a field for every column.
import { useShown, useStore } from "../store";
import type { Column, Value } from "../types";

export function RecordFields({ record }: { record: Record<string, Value> }) {
  const store = useStore();
  const { desk } = useShown();
  const put = (name: string, value: Value): void => store.set({ input: { record: { ...record, [name]: value } } });
  return (
    <div class="record" role="group" aria-label={store.say("inputRecord")}>
      {(desk.columns ?? []).map((column) => (
        <Field key={column.name} column={column} value={record[column.name] ?? null} put={(value) => put(column.name, value)} />
      ))}
    </div>
  );
}

interface FieldProps {
  column: Column;
  value: Value;
  put: (value: Value) => void;
}

function Field({ column, value, put }: FieldProps) {
  const store = useStore();
  const { name, kind, low, high, step, values = [] } = column;
  // The values stand there as they are; a select knows only texts.
  const place = values.findIndex((one) => one === value);
  return (
    <label class="field">
      <span>{name}</span>
      {kind === "category" ? (
        <select data-column={name} value={place} onChange={(event) => put(values[Number(event.currentTarget.value)] ?? null)}>
          {place < 0 && <option value={-1}>{value === null ? store.say("missing") : String(value)}</option>}
          {values.map((one, i) => <option key={i} value={i}>{String(one)}</option>)}
        </select>
      ) : kind === "text" ? (
        <input type="text" data-column={name} value={value ?? ""} maxLength={500} placeholder={store.say("missing")}
          onInput={(event) => put(event.currentTarget.value || null)} />
      ) : kind === "date" ? (
        <input type="date" data-column={name} value={value ?? ""} onInput={(event) => put(event.currentTarget.value || null)} />
      ) : (
        <input type="number" data-column={name} value={value ?? ""} min={low} max={high} step={step ?? "any"}
          placeholder={store.say("missing")}
          onInput={(event) => {
            const { value, valueAsNumber } = event.currentTarget;
            put(value === "" || !Number.isFinite(valueAsNumber) ? null : valueAsNumber);
          }} />
      )}
    </label>
  );
}
