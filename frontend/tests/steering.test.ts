import assert from "node:assert/strict";
import { put, redo, settle, startWith, undo } from "../src/steering/history";
import { Latest, Refused } from "../src/steering/latest";
import { apart, percent, signed } from "../src/steering/numbers";
import {
  actionOf, freeName, plainlyAbout, same, STEPS, stepOf, weightAt, weightOf, weightText, withWeight,
} from "../src/steering/rule";
import { sentences } from "../src/steering/sentences";

const turn = (): Promise<void> => new Promise((go) => setTimeout(go));

export const tests = {
  "every step of the slider has a weight of its own, and finds back"() {
    const weights = new Set<number>();
    for (let step = -STEPS; step <= STEPS; step++) {
      const weight = weightAt(step);
      weights.add(weight);
      assert.equal(stepOf(weight), step);
      assert.ok(String(weight).length <= 8, `${weight} is long`);
    }
    assert.equal(weights.size, 2 * STEPS + 1);
    assert.deepEqual([weightAt(-STEPS), weightAt(0), weightAt(STEPS)], [0.05, 1, 20]);
    assert.deepEqual([stepOf(1000), stepOf(1e-9)], [STEPS, -STEPS]);
  },

  "a weight is a boost, a damp or a veto, and keeps all else"() {
    const rule = { id: "a", why: "b", boost: { text: "x" }, weight: 2, when: "age > 3" };
    assert.deepEqual(withWeight(rule, 0.5), { id: "a", why: "b", when: "age > 3", damp: { text: "x" }, weight: 0.5 });
    assert.deepEqual(withWeight(rule, 0), { id: "a", why: "b", when: "age > 3", veto: { text: "x" } });
    assert.deepEqual(withWeight({ veto: "x", guarantee: "input" }, 0), { veto: "x", guarantee: "input" });
    // What a boost may not claim goes with the veto.
    assert.deepEqual(withWeight({ veto: "x", guarantee: "exact" }, 3), { boost: "x", weight: 3 });
    assert.equal(actionOf({ share: "x", at_least: 0.1 }), "share");
    assert.deepEqual([weightOf({ veto: "x" }), weightOf({ damp: "x", weight: 0.1 })], [0, 0.1]);
  },

  "a word's slider moves only what is plainly about the word"() {
    const select = { text: "x", case: true };
    assert.ok(plainlyAbout({ id: "a", boost: { case: true, text: "x" }, weight: 2 }, select));
    assert.ok(!plainlyAbout({ id: "a", boost: select, weight: 2, when: "age > 3" }, select));
    assert.ok(!plainlyAbout({ id: "a", boost: [select, { text: "y" }], weight: 2 }, select));
    assert.ok(!plainlyAbout({ id: "a", share: select, at_least: 0.1 }, select));
    assert.ok(!same({ a: 1 }, { a: undefined }) && !same({ a: 1, b: 2 }, { a: 1 }) && same([1, [2]], [1, [2]]));
    assert.ok(!same({ toString: 1 }, { a: 1 }));
  },

  "names are free, and no longer than a name"() {
    assert.equal(freeName(" x ", ["x", "x 2"]), "x 3");
    assert.equal(freeName("  ", []), "rule");
    assert.equal(freeName("y".repeat(500), []).length, 60);
  },

  "numbers as a person reads them"() {
    assert.deepEqual([0, 0.0001, 0.1234, 1, 0.99999].map(percent), ["0.0 %", "< 0.1 %", "12.3 %", "100.0 %", "> 99.9 %"]);
    assert.deepEqual([12.34, -0.04, -3].map((n) => signed(n, 1)), ["+12.3", "±0", "−3.0"]);
    assert.deepEqual([1, 4.47, 0.25, 20, 0].map(weightText).slice(0, 4), ["× 1", "× 4.47", "÷ 4", "× 20"]);
  },

  "two numbers have the places that tell them apart"() {
    const pairs = [[111.2, 110.668], [0.5, 0.25], [2e7, 3e7], [12, 12], [-3.21004, -3.21]];
    assert.deepEqual(pairs.map(([one, other]) => apart(one, other)), ["111.20", "0.5000", "2.0e+7", "12", "−3.210040"]);
  },

  "a drag is one step back"() {
    let history = startWith([0]);
    for (const n of [1, 2, 3]) history = put(history, [n], "drag");
    history = put(settle(history), [4], "drag");
    assert.deepEqual(history.past, [[0], [3]]);
    history = undo(undo(undo(history)));
    assert.deepEqual(history.now, [0]);
    history = redo(history);
    assert.deepEqual([history.now, history.future], [[3], [[4]]]);
    assert.deepEqual(put(history, [9]).future, []);
  },

  "one question at a time, and of those that wait the newest"() {
    return (async () => {
      const asked: number[] = [];
      const taken: number[] = [];
      let answer: (() => void)[] = [];
      const latest = new Latest<number, number>(
        (n) => { asked.push(n); return new Promise((go) => { answer.push(() => go(n)); }); },
        (n) => taken.push(n), (error) => { throw error; });
      for (const n of [1, 2, 3, 4]) latest.want(n);
      assert.deepEqual(asked, [1]);
      answer[0]();
      await turn();
      assert.deepEqual([asked, taken], [[1, 4], [1]]);
      answer[1]();
      await turn();
      assert.deepEqual(taken, [1, 4]);
      latest.want(5);
      latest.drop();
      answer[2]();
      await turn();
      assert.deepEqual(taken, [1, 4], "an answer that was not wanted any more");
    })();
  },

  "what another tab overtook is asked again, and a real refusal is told once"() {
    return (async () => {
      let left = 2;
      const said: string[] = [];
      const latest = new Latest<string, string>(
        async (what) => {
          if (what === "bad") throw new Refused("no such thing", 400);
          if (left-- > 0) throw new Refused("superseded", 409);
          return what;
        },
        (found) => said.push(found), (error) => said.push(error.message));
      latest.want("good");
      await new Promise((go) => setTimeout(go, 900));
      latest.want("bad");
      await turn();
      assert.deepEqual(said, ["good", "no such thing"]);
    })();
  },

  "both languages say the same things"() {
    const marks = (text: string): string => (text.match(/\{\w+\}/g) ?? []).sort().join();
    assert.deepEqual(Object.keys(sentences.zh).sort(), Object.keys(sentences.en).sort());
    for (const [key, text] of Object.entries(sentences.en)) assert.equal(marks(sentences.zh[key]), marks(text), key);
  },
};
