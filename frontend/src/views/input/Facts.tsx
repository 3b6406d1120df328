// Names and values side by side.
export function Facts({
  id,
  small,
  facts,
}: {
  id?: string;
  small?: boolean;
  facts: [name: string, value: string][];
}) {
  return (
    <dl class={small ? "facts small" : "facts"} id={id}>
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
