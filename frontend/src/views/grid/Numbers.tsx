// A plain table: names across, one named row each.
import type { ComponentChildren } from "preact";

type Cell = ComponentChildren;

export function Numbers({ id, head, rows }: { id: string; head: Cell[]; rows: [name: Cell, ...cells: Cell[]][] }) {
  return (
    <table id={id}>
      <thead>
        <tr>
          {head.map((one, i) => (
            <th scope="col" key={i}>
              {one}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, ...cells], i) => (
          <tr key={i}>
            <th scope="row">{name}</th>
            {cells.map((cell, j) => (
              <td key={j}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
