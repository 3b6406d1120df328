// A line of text that is taken when it is finished.
import { useState } from "preact/hooks";

interface FieldProps {
  name: string;
  value: string;
  label: string;
  hint?: string;
  most: number;
  take: (text: string) => void;
}

// What is being typed is kept here: an answer that arrives meanwhile draws the page again.
export function Field({ name, value, label, hint, most, take }: FieldProps) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <input type="text" class={name} value={typed ?? value} aria-label={label} placeholder={hint} maxLength={most}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={(event) => {
        const text = event.currentTarget.value;
        setTyped(null);
        take(text);
      }} />
  );
}
