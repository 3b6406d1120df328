"""Puts one note together: which statements it makes of a person, in which order and words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhuyi.recipes.medicine.notes.phrases import CLASSES, Patterns, Phrases
from zhuyi.recipes.medicine.notes.spans import Draft, chinese_duration, english_duration

_SLOT: Final = re.compile(r"(\{[a-zA-Z]+\})")
_COMMON: Final = 1.6  # above 1, names at the front of a list are drawn more often
_BRIEF: Final = 0.5  # share of notes that speak of some of the conditions only
_PSEUDO: Final = (
    "安白宝北本边冰波草长成川春大丹东多方飞风福光广海河红华黄江金景静君开可兰乐丽林龙明"
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whose note it is.

    Args:
        has: per class of `CLASSES`, whether the person has its condition.
        age: years.
        male: whether a man.
    """

    has: tuple[bool, bool, bool]
    age: int
    male: bool


@dataclass(frozen=True)
class Named:
    """A name in a list: a condition of the classes `labels`, or another disease (no labels)."""

    name: str
    labels: tuple[int, ...]
    own: bool = False
    years: float | None = None
    lasts: str = ""


class Composer:
    """Writes one note.

    Args:
        phrases: the language.
        language: "zh" or "en".
        rng: of every choice.
    """

    def __init__(self, phrases: Phrases, language: str, rng: np.random.Generator) -> None:
        self.phrases = phrases
        self.chinese = language == "zh"
        self.rng = rng
        self.kinds: set[str] = set()

    def compose(self, person: Person) -> Draft:
        """The note, with the person's own conditions marked where it says them."""
        self.person = person
        rng, spoken = self.rng, list(range(len(CLASSES)))
        brief = rng.random() < _BRIEF
        if brief:
            spoken = sorted(rng.permutation(len(CLASSES))[: int(rng.choice([1, 1, 2, 3]))].tolist())
        own = [label for label in spoken if person.has[label]]
        absent = [label for label in spoken if not person.has[label]]
        if len(spoken) > 1 and rng.random() < 0.05:
            statements = [("form", self._form(own, absent))]
        else:
            statements = self._own(own) + self._absent(absent, always=brief)
        if own and rng.random() < (0.12 if brief else 0.25):
            statements.append(("family", self._family([self._one_of(own)])))
        for _ in range(int(rng.choice([0, 0, 0, 0, 1] if brief else [0, 0, 0, 1, 1, 2]))):
            statements.append(("filler", self._filler()))
        if not statements:
            statements.append(("filler", self._filler()))
        order = self.rng.permutation(len(statements))
        return self._joined([statements[int(i)] for i in order])

    # --- statements ---------------------------------------------------------------------------

    def _own(self, labels: list[int]) -> list[tuple[str, Draft]]:
        """What the patient has: one statement, or one each."""
        if not labels:
            return []
        self.kinds.add("own")
        phrases, rng = self.phrases, self.rng
        if len(labels) == len(CLASSES) and phrases.all_three and rng.random() < 0.15:
            lasts, years = self._lasts() if rng.random() < 0.5 else ("", None)
            one = Named(self._pick(phrases.all_three), (0, 1, 2), True, years, lasts)
            return [("own", self._own_one(one))]
        names = [self._named(label, own=True) for label in labels]
        if rng.random() < 0.3:
            names += [Named(self._other(), ()) for _ in range(int(rng.integers(1, 3)))]
        names = [names[int(i)] for i in rng.permutation(len(names))]
        if len(names) > 1 and rng.random() < 0.45:
            return [("own", self._own_list(names))]
        if len(names) > 1 and rng.random() < 0.4:
            return [("own", self._own_row(names))]
        return [("own" if name.labels else "filler", self._own_one(name)) for name in names]

    def _own_one(self, one: Named) -> Draft:
        phrases, rng = self.phrases, self.rng
        lasts, years = one.lasts, one.years
        if not lasts and rng.random() < 0.55:
            lasts, years = self._lasts()
        if not lasts:
            bare = rng.random() < 0.15
            pattern = self._pick(phrases.own_bare if bare else phrases.own)
        else:
            pattern = self._pick(phrases.after if rng.random() < 0.7 else phrases.before)
        draft = self._filled(pattern, Named(one.name, one.labels, True, years, lasts))
        self._followed(draft, one.labels)
        return draft

    def _followed(self, draft: Draft, labels: tuple[int, ...]) -> None:
        draw = self.rng.random()
        if draw < 0.18:
            draft.add(self._pick(self.phrases.trailing))
        elif draw < 0.24 and len(labels) == 1:
            quantity = self.phrases.quantities[labels[0]]
            draft.add(self._pick(self.phrases.controlled).replace("{q}", quantity))
        elif draw < 0.34 and labels:
            drug = self._pick(self.phrases.drugs[labels[0]])
            pattern = self._pick(self.phrases.treated)
            draft.add(pattern.replace("{o}", drug).replace("{n}", self._count()))

    def _own_list(self, names: Sequence[Named]) -> Draft:
        """Several in one list: no duration, one for all, or one each."""
        phrases, rng = self.phrases, self.rng
        draw = rng.random()
        if draw < 0.45:
            draft = self._filled(self._pick(phrases.shared), *names)
        elif draw < 0.8:
            lasts, years = self._lasts()
            same = [Named(n.name, n.labels, True, years, lasts) for n in names]
            draft = self._filled(self._pick(phrases.shared_for), *same)
        else:
            each = [Named(n.name, n.labels, True, *self._lasts()[::-1]) for n in names]
            draft = self._filled(self._pick(phrases.apart), *each)
        self._followed(draft, ())
        return draft

    def _own_row(self, names: Sequence[Named]) -> Draft:
        """One after the other, each with its own duration or none."""
        phrases = self.phrases
        draft = Draft()
        mark = self._pick((phrases.comma, phrases.comma, phrases.marks[0], phrases.stop))
        for number, one in enumerate(names):
            if number:
                draft.add(mark)
            if number and self.rng.random() < 0.12:
                name = Named(one.name, one.labels, True)
                draft.append(self._filled(self._pick(phrases.own), name))
                continue
            lasts, years = self._lasts()
            name = Named(one.name, one.labels, True, years, lasts)
            draft.append(self._filled(self._pick(phrases.brief if number else phrases.after), name))
        return draft

    def _form(self, own: Sequence[int], absent: Sequence[int]) -> Draft:
        """A form that asks for each: 高血压：有；糖尿病：无."""
        phrases, rng = self.phrases, self.rng
        draft = Draft()
        style = int(rng.integers(min(len(phrases.row_there), len(phrases.row_absent))))
        mark = self._pick((phrases.comma, phrases.stop, phrases.marks[0], phrases.comma))
        labels = [*own, *absent]
        for number, place in enumerate(rng.permutation(len(labels))):
            label = labels[int(place)]
            there = label in own
            self.kinds.add("own" if there else "negated")
            pattern = (phrases.row_there if there else phrases.row_absent)[style]
            name = self._named(label, own=there)
            if there and rng.random() < 0.5:
                lasts, years = self._lasts()
                name = Named(name.name, name.labels, True, years, lasts)
                pattern += self._pick(("，{d}", "{d}", "（{d}）")) if self.chinese else ", {d}"
            draft.add(mark if number else "")
            draft.append(self._filled(pattern, name))
        return draft

    def _absent(self, labels: list[int], *, always: bool) -> list[tuple[str, Draft]]:
        """What is said of conditions that the patient has not: most often something, once."""
        rng = self.rng
        found: list[tuple[str, Draft]] = []
        left = [label for label in labels if always or rng.random() < 0.7]
        while left:
            size = 1 if rng.random() < 0.5 else len(left)
            chosen, left = left[:size], left[size:]
            draw = rng.random()
            if draw < 0.46:
                found.append(("negated", self._negated(chosen)))
            elif draw < 0.76:
                found.append(("family", self._family(chosen)))
            elif draw < 0.90:
                found.append(("normal", self._normal(chosen)))
            elif draw < 0.95:
                self.kinds.add("maybe")
                name = self._named(chosen[0])
                found.append(("other", self._filled(self._pick(self.phrases.maybe), name)))
            else:
                self.kinds.add("trap")
                trap = Named(self._pick(self.phrases.traps), ())
                found.append(("filler", self._own_one(trap)))
        if rng.random() < (0.05 if always else 0.12):
            names = [Named(self._other(), ()) for _ in range(int(rng.integers(1, 4)))]
            found.append(("negated", self._filled(self._pick(self.phrases.negated), *names)))
        return found

    def _negated(self, labels: Sequence[int]) -> Draft:
        self.kinds.add("negated")
        phrases, rng = self.phrases, self.rng
        if len(labels) == len(CLASSES) and phrases.all_three and rng.random() < 0.15:
            name = Named(self._pick(phrases.all_three), (0, 1, 2))
            return self._filled(self._pick(phrases.negated), name)
        names = [self._named(label) for label in labels]
        if rng.random() < 0.45:
            names += [Named(self._other(), ()) for _ in range(int(rng.integers(1, 4)))]
            if rng.random() < 0.5:
                names = [names[int(i)] for i in rng.permutation(len(names))]
        if len(names) == 1 and rng.random() < 0.3:
            return self._filled(self._pick(phrases.negated_one), names[0])
        if len(names) > 1 and rng.random() < 0.2:
            draft = self._filled(self._pick(phrases.negated[:30]), names[0])
            for name in names[1:]:
                draft.add(self._pick(phrases.again))
                self._write(draft, name)
            return draft
        return self._filled(self._pick(phrases.negated), *names)

    def _family(self, labels: Sequence[int]) -> Draft:
        """Other people's conditions, and at times that the patient has none of them."""
        self.kinds.add("family")
        draft = self._of_family(labels)
        if self.rng.random() < 0.15 and not any(self.person.has[label] for label in labels):
            draft.add(self._pick(self.phrases.not_me))
        return draft

    def _of_family(self, labels: Sequence[int]) -> Draft:
        phrases, rng = self.phrases, self.rng
        draw = rng.random()
        names = [self._named(label) for label in labels]
        if draw < 0.10:
            return self._filled(self._pick(phrases.no_relatives), *names)
        if draw < 0.35:
            lasts, _ = self._lasts()
            one = Named(names[0].name, (), False, None, lasts)
            return self._filled(self._pick(phrases.relatives_for), one)
        if rng.random() < 0.2:
            names.append(Named(self._other(), ()))
        if len(names) > 1 and rng.random() < 0.4:
            draft = self._filled(self._pick(phrases.relatives), names[0])
            for name in names[1:]:
                draft.add(phrases.comma)
                draft.append(self._filled(self._pick(phrases.relatives[:14]), name))
            return draft
        return self._filled(self._pick(phrases.relatives), *names)

    def _normal(self, labels: Sequence[int]) -> Draft:
        self.kinds.add("normal")
        if len(labels) > 1:
            names = [Named(self.phrases.quantities[label], ()) for label in labels]
            pattern = self._pick(self.phrases.normal_all)
            if self.chinese and self.rng.random() < 0.2:  # 血压血糖正常
                return Draft(pattern.replace("{Q}", "".join(one.name for one in names)))
            return self._filled(pattern.replace("{Q}", "{L}"), *names)
        return self._filled(self._pick(self.phrases.normal[labels[0]]))

    def _filler(self) -> Draft:
        draw = self.rng.random()
        if draw < 0.25:
            return self._filled(self._pick(self.phrases.lead))
        if draw < 0.45:
            return self._own_one(Named(self._other(), ()))
        return self._filled(self._pick(self.phrases.fillers))

    # --- from statements to a text ------------------------------------------------------------

    def _joined(self, statements: Sequence[tuple[str, Draft]]) -> Draft:
        """The statements in a row; who or what is meant stays clear across a comma."""
        phrases, rng = self.phrases, self.rng
        note = Draft()
        before = ""
        for kind, draft in statements:
            own = kind in ("own", "filler", "form")
            if before:
                turned = own and before in ("negated", "family", "other")
                comma = rng.random() < 0.45
                mark = phrases.comma if comma else phrases.stop
                bare = not draft.mentions or draft.text[:1] in "有患既确诊"
                if turned and comma:
                    if before == "negated" and rng.random() < 0.45:
                        mark = self._but()
                    elif before == "family":
                        mark += self._pick(phrases.me) + ("" if self.chinese else " ")
                    elif not bare:
                        mark = phrases.stop
                elif (
                    turned and before == "family" and rng.random() < (0.5 if self.chinese else 0.9)
                ):
                    mark += self._pick(phrases.me) + ("" if self.chinese else " ")
                note.add(mark)
            note.append(draft)
            before = kind
        if rng.random() < 0.8:
            note.add(phrases.stop.strip())
        return note

    def _but(self) -> str:
        word = self._pick(self.phrases.but)
        return word if self.chinese else f"{'' if word[0] == ',' else ' '}{word} "

    def _filled(self, pattern: str, *names: Named) -> Draft:
        """A pattern with its slots filled."""
        draft = Draft()
        for part in _SLOT.split(pattern):
            if part == "{c}":
                self._write(draft, names[0])
            elif part == "{L}":
                self._listed(draft, names)
            elif part == "{d}":
                draft.add(names[0].lasts)
            elif part == "{D}":
                self._durations(draft, names)
            elif part.startswith("{"):
                draft.add(self._value(part[1:-1]))
            else:
                draft.add(part)
        return draft

    def _write(self, draft: Draft, one: Named) -> None:
        draft.mention(one.name, one.labels if one.own else (), one.years)

    def _listed(self, draft: Draft, names: Sequence[Named]) -> None:
        mark, last = self._pick(self.phrases.marks), self._pick(self.phrases.last)
        for number, one in enumerate(names):
            if number:
                draft.add(last if last and number == len(names) - 1 else mark)
            self._write(draft, one)

    def _durations(self, draft: Draft, names: Sequence[Named]) -> None:
        mark, last = self._pick(self.phrases.marks[:1]), self._pick(self.phrases.last)
        for number, one in enumerate(names):
            if number:
                draft.add(last if last and number == len(names) - 1 else mark)
            draft.add(one.lasts)

    def _value(self, slot: str) -> str:
        rng = self.rng
        if slot == "r":
            return self._pick(self.phrases.family)
        if slot == "s":
            words = ("男", "女") if self.chinese else ("man", "woman")
            return words[0] if self.person.male else words[1]
        if slot == "n":
            return str(self.person.age) if rng.random() < 0.5 else self._count()
        if slot == "bp":
            return f"{int(rng.integers(100, 136))}/{int(rng.integers(60, 86))}"
        low, high = {"tc": (3.2, 5.1), "fg": (4.0, 5.9), "hb": (4.6, 5.8)}[slot]
        return f"{rng.uniform(low, high):.1f}"

    def _count(self) -> str:
        return str(int(self.rng.integers(1, 41)))

    def _lasts(self) -> tuple[str, float]:
        return chinese_duration(self.rng) if self.chinese else english_duration(self.rng)

    def _named(self, label: int, *, own: bool = False) -> Named:
        if self.rng.random() < 0.1:
            return Named(self._pick(self.phrases.states[label]), (label,), own)
        return Named(self._common(self.phrases.names[label]), (label,), own)

    def _other(self) -> str:
        if self.chinese and self.rng.random() < 0.08:
            size = int(self.rng.integers(1, 4))
            places = self.rng.integers(0, len(_PSEUDO), size)
            return "".join(_PSEUDO[int(place)] for place in places) + "病"
        return self._pick(self.phrases.others)

    def _common(self, names: Patterns) -> str:
        return names[int(len(names) * self.rng.random() ** _COMMON)]

    def _pick(self, choices: Sequence[str]) -> str:
        return choices[int(self.rng.integers(len(choices)))]

    def _one_of(self, labels: Sequence[int]) -> int:
        return labels[int(self.rng.integers(len(labels)))]
