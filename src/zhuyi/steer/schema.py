"""The YAML of rules as pydantic models; `rules.schema.json` is made of them.

One new selector is one form here: what it is written as, what it makes, what it is made of.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from zhuyi.steer.concepts import NAMES, Concept
from zhuyi.steer.relations import Relation
from zhuyi.steer.rule import ACTIONS, Guarantee
from zhuyi.steer.selectors import Channel, Column, Regex, Role, Selector, Text, Tokens
from zhuyi.steer.spacy_patterns import SpacyPattern
from zhuyi.steer.spans import Span
from zhuyi.steer.windows import Time

Kind = Literal["label", "exact", "narrow", "broad", "related", "id"]


class Form(BaseModel):
    """What all have: nothing unknown, nothing guessed."""

    model_config = ConfigDict(strict=True, extra="forbid")


class SelectorForm(Form):
    """A selector: each key is a field of it, the first under a name of its own.

    Attributes:
        MAKES: the selector.
        RENAMED: key in YAML -> field.
        FILE: the field that names a file, or "".
        BOUNDED: whether matching it takes time in proportion to the text.
    """

    MAKES: ClassVar[Callable[..., Selector]]
    RENAMED: ClassVar[dict[str, str]] = {}
    FILE: ClassVar[str] = ""
    BOUNDED: ClassVar[bool] = True

    def made(self, folder: Path) -> Selector:
        """The selector; files are named from this folder."""
        given = {self.RENAMED.get(key, key): value for key, value in self.model_dump().items()}
        if self.FILE and given[self.FILE]:
            given[self.FILE] = str(folder / given[self.FILE])
        return type(self).MAKES(
            **{key: tuple(one) if isinstance(one, list) else one for key, one in given.items()}
        )


class TextForm(SelectorForm):
    """Every occurrence of a phrase."""

    MAKES = Text
    text: str
    ignore_case: bool = True
    whole_words: bool = True


class RegexForm(SelectorForm):
    """Every match of a regular expression of Python; flags are letters of "ims"."""

    MAKES = Regex
    RENAMED = {"regex": "pattern"}
    BOUNDED = False
    regex: str
    flags: str = ""


class ColumnForm(SelectorForm):
    """Columns, channels or patches by name; * and ? are wildcards."""

    MAKES = Column
    RENAMED = {"column": "name"}
    column: str


class ChannelForm(SelectorForm):
    """A stretch of a channel, in steps."""

    MAKES = Channel
    RENAMED = {"channel": "name"}
    channel: str
    start: int | None = None
    stop: int | None = None


class TimeForm(SelectorForm):
    """A stretch of time by the clock, as "-24h:" with a step of "1h"."""

    MAKES = Time
    RENAMED = {"time": "window"}
    time: str
    step: str = ""
    channel: str = "*"


class TokensForm(SelectorForm):
    """Positions by number, as "0:5" or "-3:"."""

    MAKES = Tokens
    tokens: Annotated[str, Field(pattern=r"^\s*-?\d*\s*:\s*(-?\d+)?\s*$")]
    special: bool = False

    def made(self, folder: Path) -> Selector:
        """The positions."""
        start, _, stop = self.tokens.partition(":")
        start, stop = start.strip(), stop.strip()
        last = int(stop) if stop else None
        return Tokens(int(start) if start else 0, last, special=self.special)


class RoleForm(SelectorForm):
    """What one side of a conversation says."""

    MAKES = Role
    RENAMED = {"role": "name"}
    role: str


class SpacyForm(SelectorForm):
    """A token pattern of spaCy."""

    MAKES = SpacyPattern
    RENAMED = {"spacy": "pattern"}
    BOUNDED = False
    spacy: list[dict[str, Any]]
    language: str = "en"


class ConceptForm(SelectorForm):
    """The names of a concept of an ontology and of all below it."""

    MAKES = Concept
    RENAMED = {"ontology": "file"}
    FILE = "file"
    ontology: str
    under: str
    via: str = "is_a"
    names: list[Kind] = list(NAMES)


class SpanForm(SelectorForm):
    """Characters by number, as "4:18", of a text."""

    MAKES = Span
    span: Annotated[str, Field(pattern=r"^\s*\d+\s*:\s*\d+\s*$")]
    of: str = ""

    def made(self, folder: Path) -> Selector:
        """The characters."""
        start, _, stop = self.span.partition(":")
        return Span(int(start), int(stop), self.of)


class RelationForm(SelectorForm):
    """Concepts that an ontology or a graph joins; only for `link`."""

    MAKES = Relation
    FILE = "ontology"
    relation: str
    ontology: str = ""
    graph: dict[str, list[str]] = {}
    max_hops: int = 1
    names: list[Kind] = list(NAMES)


#: By the key that tells them apart, asked in this order: a time may name its channel.
FORMS: Final[dict[str, type[SelectorForm]]] = {
    "relation": RelationForm,
    "text": TextForm,
    "regex": RegexForm,
    "column": ColumnForm,
    "time": TimeForm,
    "channel": ChannelForm,
    "tokens": TokensForm,
    "role": RoleForm,
    "spacy": SpacyForm,
    "ontology": ConceptForm,
    "span": SpanForm,
}


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return "<name>"
    keys = value if isinstance(value, dict) else {}
    return next((f"<{key}>" for key in FORMS if key in keys), None)


# Tags are in angle brackets so that no key of a file can be taken for one.
AnySelector: TypeAlias = Annotated[
    Annotated[RelationForm, Tag("<relation>")]
    | Annotated[TextForm, Tag("<text>")]
    | Annotated[RegexForm, Tag("<regex>")]
    | Annotated[ColumnForm, Tag("<column>")]
    | Annotated[TimeForm, Tag("<time>")]
    | Annotated[ChannelForm, Tag("<channel>")]
    | Annotated[TokensForm, Tag("<tokens>")]
    | Annotated[RoleForm, Tag("<role>")]
    | Annotated[SpacyForm, Tag("<spacy>")]
    | Annotated[ConceptForm, Tag("<ontology>")]
    | Annotated[SpanForm, Tag("<span>")]
    | Annotated[str, Tag("<name>")],
    Discriminator(
        _kind,
        custom_error_type="selector",
        custom_error_message="must be a name of `select`, or hold one of " + ", ".join(FORMS),
    ),
]
What: TypeAlias = Annotated[
    Annotated[AnySelector, Tag("<one>")]
    | Annotated[Annotated[list[AnySelector], Field(min_length=1)], Tag("<several>")],
    Discriminator(lambda value: "<several>" if isinstance(value, list) else "<one>"),
]


class RuleForm(Form):
    """What every rule may have."""

    id: str = ""
    why: str = ""
    when: str = ""
    layers: int | str | None = None
    heads: list[int] = []
    expires: date | str | None = None
    beyond: bool = False
    guarantee: Guarantee | None = None
    sender: What | None = Field(default=None, alias="from")


class BoostForm(RuleForm):
    """More of something: its odds are multiplied by the weight, 1 or more."""

    boost: What
    weight: float


class DampForm(RuleForm):
    """Less of something: its odds are multiplied by the weight, above 0 and at most 1."""

    damp: What
    weight: float


class VetoForm(RuleForm):
    """Never this."""

    veto: What
    weight: float | None = None


class ShareForm(RuleForm):
    """At least this share of attention."""

    share: What
    at_least: float


class LinkForm(RuleForm):
    """Related concepts attend to each other more, or less."""

    link: What
    weight: float


def _action(value: Any) -> str | None:
    keys = [key for key in ACTIONS if isinstance(value, dict) and key in value]
    return f"<{keys[0]}>" if len(keys) == 1 else None


AnyRule: TypeAlias = Annotated[
    Annotated[BoostForm, Tag("<boost>")]
    | Annotated[DampForm, Tag("<damp>")]
    | Annotated[VetoForm, Tag("<veto>")]
    | Annotated[ShareForm, Tag("<share>")]
    | Annotated[LinkForm, Tag("<link>")],
    Discriminator(
        _action,
        custom_error_type="action",
        custom_error_message="must hold one of " + ", ".join(ACTIONS),
    ),
]


class ExpectForm(Form):
    """What must hold of a rule."""

    rule: str
    invariant_to: Literal["", "swap"] = ""
    effect: str = ""
    collateral_kl: str = ""


class RulesForm(Form):
    """A file of rules."""

    version: Literal[1]
    select: dict[str, What] = {}
    rules: list[AnyRule] = []
    expect: list[ExpectForm] = []


def written(selector: Selector) -> dict[str, Any] | None:
    """A selector as its form in YAML, usual values left out; None if it has none."""
    if isinstance(selector, Tokens):
        stop = "" if selector.stop is None else selector.stop
        rest = {"special": True} if selector.special else {}
        return {"tokens": f"{selector.start}:{stop}", **rest}
    if isinstance(selector, Span):
        rest_of = {"of": selector.of} if selector.of else {}
        return {"span": f"{selector.start}:{selector.stop}", **rest_of}
    for kind, form in FORMS.items():
        if form.MAKES is type(selector):
            renamed = {field: key for key, field in form.RENAMED.items()}
            found = {}
            for field in fields(selector):  # type: ignore[arg-type]
                key, value = renamed.get(field.name, field.name), getattr(selector, field.name)
                plain = _plain(value)
                if key == kind or plain != form.model_fields[key].default:
                    found[key] = plain
            return found
    return None


def _plain(value: Any) -> Any:
    """Tuples as the lists of YAML."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value
