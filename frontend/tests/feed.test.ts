import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { sentences } from "../src/feed/sentences";
import { activeRules, firstState, ofFilm, ofGenre, ofSeen, ruleAbout, rulesOf, Store } from "../src/feed/store";
import type { DeskInfo } from "../src/feed/types";

const desk: DeskInfo = {
  schema: "zhuyi.feed-desk/1", title: "feed", missing: null, films: [["A (1990)", "Drama"], ["B (1991)", "War"]],
  genres: ["Drama", "War"], people: [{ name: "one", history: [0] }, { name: "two", history: [1, 0] }], popular: [1, 0],
  about: {}, length: 50, notes: [], limit: { rules: 20 },
};
const store = (): Store => new Store(firstState(desk, "en", "auto"));

export const tests = {
  "more, less and never of a topic are one rule, and neutral is none"() {
    const one = store();
    one.weigh(ofGenre("Drama"), 4);
    assert.deepEqual(activeRules(one.state), [{ id: "Drama", boost: { column: "*/Drama/*" }, weight: 4 }]);
    one.weigh(ofGenre("Drama"), 0.5);
    assert.deepEqual(activeRules(one.state), [{ id: "Drama", damp: { column: "*/Drama/*" }, weight: 0.5 }]);
    one.weigh(ofGenre("Drama"), 0);
    assert.deepEqual(activeRules(one.state), [{ id: "Drama", veto: { column: "*/Drama/*" } }]);
    one.weigh(ofGenre("Drama"), 1);
    assert.deepEqual(activeRules(one.state), []);
    one.weigh(ofGenre("War"), 1);
    assert.deepEqual(rulesOf(one.state), []);
  },

  "a film among those seen is another topic than the film wherever it stands"() {
    const one = store();
    one.weigh(ofFilm("A (1990)"), 2);
    one.weigh(ofSeen("A (1990)"), 0);
    assert.deepEqual(rulesOf(one.state).map(({ rule }) => rule.id), ["A (1990)", "A (1990) 2"]);
    assert.deepEqual(ruleAbout(one.state, ofSeen("A (1990)"))?.rule.veto, { column: "seen/A (1990)/*" });
  },

  "a slider's way is one step back"() {
    const one = store();
    for (const weight of [1.2, 1.5, 3]) one.weigh(ofGenre("War"), weight, "weigh war");
    one.settle();
    one.undo();
    assert.deepEqual(rulesOf(one.state), []);
    one.redo();
    assert.equal(rulesOf(one.state)[0].rule.weight, 3);
  },

  "comparing with no rules ends when a rule is changed"() {
    const one = store();
    one.weigh(ofGenre("War"), 2);
    one.set({ off: true });
    assert.deepEqual(activeRules(one.state), []);
    one.weigh(ofGenre("War"), 3);
    assert.equal(activeRules(one.state).length, 1);
  },

  "a history that is changed is one's own"() {
    const one = store();
    assert.deepEqual([one.state.person, one.state.watched], [1, [1, 0]]);
    one.watch([1]);
    assert.deepEqual([one.state.person, one.state.watched], [-1, [1]]);
    assert.deepEqual(desk.people[1].history, [1, 0]);
  },

  "every sentence is there in both languages, with the same marks, and is said somewhere"() {
    const { en, zh } = sentences;
    assert.deepEqual(Object.keys(en).sort(), Object.keys(zh).sort());
    const marks = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort();
    for (const key of Object.keys(en)) assert.deepEqual(marks(zh[key]), marks(en[key]), key);
    const sources = readdirSync("src/feed", { recursive: true }).map(String).filter((name) => name.endsWith(".tsx") || /^(store|following)/.test(name));
    const code = sources.map((name) => readFileSync(`src/feed/${name}`, "utf8")).join();
    for (const key of Object.keys(en)) {
      const said = code.includes(`"${key}"`) || /^(level|verdict)\./.test(key);
      assert.ok(said, `${key} is never said`);
    }
  },
};
