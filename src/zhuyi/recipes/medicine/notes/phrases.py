"""What a language gives to write notes with: names, cues and sentence patterns, as plain data.

Marks in patterns: {c} one condition, {L} a list of them, {d} a duration, {r} another person,
{o} another disease, {n} a number.
"""

from dataclasses import dataclass
from typing import Final

CLASSES: Final = ("antihypertensive", "lipid-lowering", "glucose-lowering")
"""The treatment classes, in the order of every array here."""

Patterns = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """One language.

    Args:
        names: per class, what the condition is called, common ones first.
        states: per class, what it is called as a state ("血压升高"), which takes other patterns.
        all_three: one word for all three conditions; empty where there is none.
        others: other diseases.
        traps: words that look like a condition and are none.
        family: people who are not the patient.
        own: patterns of a condition of the patient without duration; `own_bare` need no cue.
        after, before: with the duration after or before it.
        brief: the second and later of a row of conditions with durations.
        shared: a list with one duration or none; `apart`: with one duration each.
        trailing: what may follow the patient's own condition and takes nothing back.
        controlled: what may follow it of its quantity {q}, a class's own; `not_me`: what may follow
            other people's conditions that the patient has not.
        row_there, row_absent: entries of a form. again: how a negated list goes on.
        negated, negated_one: a list, or one condition, that is not there.
        relatives: patterns of other people's conditions; `no_relatives`: of their absence.
        normal: per class, findings that are in order; `normal_all`: of several quantities.
        quantities: per class, what is measured.
        maybe: a condition that is spoken of and nobody's.
        fillers: what notes say besides.
        lead: how a note begins, with {n} years of age.
        me: words that turn from other people back to the patient.
        drugs: per class, drugs of people who have the condition.
        treated: patterns with {o} a drug, after a condition.
        but: words between what is not there and what is.
        marks: how lists are joined, most common first.
        last: words before the last of a list.
        stop, comma: what ends and what parts statements.
    """

    names: tuple[Patterns, Patterns, Patterns]
    states: tuple[Patterns, Patterns, Patterns]
    all_three: Patterns
    others: Patterns
    traps: Patterns
    family: Patterns
    own: Patterns
    own_bare: Patterns
    after: Patterns
    before: Patterns
    brief: Patterns
    shared: Patterns
    shared_for: Patterns
    apart: Patterns
    trailing: Patterns
    controlled: Patterns
    not_me: Patterns
    row_there: Patterns
    row_absent: Patterns
    again: Patterns
    negated: Patterns
    negated_one: Patterns
    relatives: Patterns
    relatives_for: Patterns
    no_relatives: Patterns
    normal: tuple[Patterns, Patterns, Patterns]
    normal_all: Patterns
    quantities: Patterns
    maybe: Patterns
    fillers: Patterns
    lead: Patterns
    me: Patterns
    drugs: tuple[Patterns, Patterns, Patterns]
    treated: Patterns
    but: Patterns
    marks: Patterns
    last: Patterns
    stop: str
    comma: str
