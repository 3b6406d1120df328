// The kinds of numbers that a head can be shown in, row by row.
import type { HeadOperator } from "../../operator";
import type { Lines } from "../../tiles";

// Logarithms of weights: the largest of them is that of the weights, and small ones keep digits.
export function weightLines(head: HeadOperator): Lines {
  return {
    rows: head.queries, cols: head.keys, signed: false, whole: false,
    read(row, from, to, out) {
      head.scoreRow(row, from, to, out);
      const lse = head.lse[row];
      for (let j = 0; j < to - from; j++) out[j] -= lse;
    },
  };
}

export function scoreLines(head: HeadOperator): Lines {
  return {
    rows: head.queries, cols: head.keys, signed: false, whole: false,
    read: (row, from, to, out) => head.scoreRow(row, from, to, out),
  };
}

export function resultLines(head: HeadOperator): Lines {
  return {
    rows: head.queries, cols: head.width, signed: true, whole: true,
    read: (row, _from, _to, out) => { head.resultRow(row, out); },
  };
}

// Weights of one head minus those of another of the same shape; NaN where both are masked.
export function differenceLines(head: HeadOperator, other: HeadOperator): Lines {
  const theirs = new Float32Array(other.keys);
  return {
    rows: head.queries, cols: head.keys, signed: true, whole: false,
    read(row, from, to, out) {
      head.scoreRow(row, from, to, out);
      other.scoreRow(row, from, to, theirs);
      const [mine, others] = [head.lse[row], other.lse[row]];
      for (let j = 0; j < to - from; j++) {
        out[j] = out[j] === -Infinity && theirs[j] === -Infinity ? NaN
          : Math.exp(out[j] - mine) - Math.exp(theirs[j] - others);
      }
    },
  };
}
