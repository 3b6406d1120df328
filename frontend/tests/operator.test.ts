import assert from "node:assert/strict";
import { HeadOperator } from "../src/operator";
import { near, plainHead } from "./heads";

const KINDS = {
  plain: { queries: 9, keys: 7, depth: 6, width: 5 },
  causal: { queries: 9, keys: 9, depth: 8, width: 3, causal: true },
  padded: { queries: 6, keys: 8, depth: 3, drop: [0, 5], width: 2 },
  capped: { queries: 7, keys: 7, depth: 4, causal: true, drop: [2], softcap: 2 },
};

export const tests = {
  "scores, weights and results are those computed the plain way"() {
    for (const [name, shape] of Object.entries(KINDS)) {
      const { head, scores, weights, results } = plainHead(shape);
      for (let i = 0; i < head.queries; i++) {
        const row = head.weightRow(i);
        for (let j = 0; j < head.keys; j++) {
          near(head.score(i, j), scores[i][j], 1e-5, `${name} score ${i} ${j}`);
          near(head.weight(i, j), weights[i][j], 1e-6, `${name} weight ${i} ${j}`);
          near(row[j], weights[i][j], 1e-6, `${name} row ${i} ${j}`);
          near(head.weightColumn(j)[i], weights[i][j], 1e-6, `${name} column ${i} ${j}`);
        }
        head.resultRow(i).forEach((r, d) => near(r, results[i][d], 1e-5, `${name} result ${i} ${d}`));
      }
    }
  },

  "a stretch of a row is that part of the row"() {
    const { head, scores } = plainHead(KINDS.capped);
    const out = new Float32Array(4);
    for (let i = 0; i < 7; i++) {
      for (let from = 0; from < 4; from++) {
        head.scoreRow(i, from, from + 3, out);
        for (let j = 0; j < 3; j++) near(out[j], scores[i][from + j], 1e-5, `${i} ${from + j}`);
      }
    }
  },

  "a capped score stays masked"() {
    const { head } = plainHead(KINDS.capped);
    assert.equal(head.score(0, 3), -Infinity);
    assert.equal(head.weight(3, 2), 0);
  },

  "a row that sees nothing has no weight and no result"() {
    const { head } = plainHead({ queries: 3, keys: 3, depth: 4, causal: true, drop: [0], width: 2 });
    assert.deepEqual([...head.weightRow(0)], [0, 0, 0]);
    assert.deepEqual([...head.resultRow(0)], [0, 0]);
    assert.equal(head.score(0, 0), -Infinity);
  },

  "logarithms of weights give scores and weights back"() {
    const logs = Float32Array.from([Math.log(0.75), Math.log(0.25), -Infinity, -Infinity]);
    const head = new HeadOperator({ softcap: 0, scale: 1 }, [2, 2], {
      logs: { shape: [2, 2], data: logs }, shift: { shape: [2], data: Float32Array.from([0.5, 0]) },
      lse: { shape: [2], data: Float32Array.from([2.5, Infinity]) },
    });
    near(head.score(0, 0), Math.log(0.75) + 2, 1e-6, "score");
    near(head.weight(0, 1), 0.25 * Math.exp(-0.5), 1e-6, "weight");
    assert.equal(head.masked, true);
    assert.equal(head.width, 0);
    assert.deepEqual([...head.weightRow(1)], [0, 0]);
  },
};
