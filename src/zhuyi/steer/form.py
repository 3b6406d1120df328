"""Rules as YAML: read with clear errors, written so that reading gives equal rules."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from zhuyi.errors import InputError, OptionError
from zhuyi.steer.expect import Expect, RuleSet
from zhuyi.steer.layers import LayerRange
from zhuyi.steer.relations import Relation
from zhuyi.steer.rule import ACTIONS, Action, Rule, usual_guarantee
from zhuyi.steer.selectors import Selector
from zhuyi.steer.yaml_text import LARGEST, Parsed, Place, dump, parse

if TYPE_CHECKING:
    from zhuyi.steer.schema import RuleForm, RulesForm

_NEEDS: Final = "rules as YAML need {}: pip install 'zhuyi[steer]'"


class Read(NamedTuple):
    """What a file says: the arguments of `zhuyi.steer.rules.Rules`."""

    rules: tuple[Rule, ...]
    expect: tuple[Expect, ...]


def read_yaml(source: str | Path, *, trusted: bool = True) -> Read:
    """Rules from a YAML file or from YAML text; `Rules.from_yaml` makes them one value.

    Args:
        source: a `Path` to a file, or a `str` that is YAML itself. Files that it names are looked
            for beside it, or in the current folder.
        trusted: whether it comes from somebody who may read this machine's files. False refuses
            ontologies by file, and patterns (`regex`, `spacy`), which can be made to take forever.

    Returns:
        The rules, with what is expected of them.

    Raises:
        InputError: if it cannot be read, is no such YAML, or is refused; the text says the line,
            the way to the part, what was expected and what came.

    Example:
        >>> found = read_yaml('''
        ... version: 1
        ... select:
        ...   dx: {text: diagnosis}
        ... rules:
        ...   - {id: look-dx, boost: dx, weight: 2.0, why: guideline 4.1}
        ...   - {id: no-gender, veto: [{column: sex}, {regex: '\\\\b(he|she)\\\\b'}]}
        ... ''')
        >>> [(rule.id, rule.action, rule.guarantee) for rule in found.rules]
        [('look-dx', 'boost', 'steer'), ('no-gender', 'veto', 'exact')]
    """
    folder = source.parent if isinstance(source, Path) else Path()
    try:
        parsed = _opened(source)
        from pydantic import ValidationError

        from zhuyi.steer.schema import RulesForm
    except ModuleNotFoundError as missing:
        raise InputError(_NEEDS.format(missing.name)) from None
    try:
        form = RulesForm.model_validate(parsed.data)
    except ValidationError as wrong:
        raise _first(wrong.errors(), parsed) from None
    return _Reader(form, parsed, folder, trusted).read()


def write_yaml(rules: RuleSet) -> str:
    """Rules as YAML text; reading it gives equal rules.

    Raises: OptionError: for a selector of one's own, which YAML has no words for.
    """
    data: dict[str, Any] = {"version": 1, "rules": [_rule(rule) for rule in rules]}
    if rules.expect:
        data["expect"] = [_expected(one) for one in rules.expect]
    try:
        return dump(data)
    except ModuleNotFoundError as missing:
        raise InputError(_NEEDS.format(missing.name)) from None


class _Reader:
    """From checked forms to rules."""

    def __init__(self, form: "RulesForm", parsed: Parsed, folder: Path, trusted: bool) -> None:
        self.form = form
        self.parsed = parsed
        self.folder = folder
        self.trusted = trusted
        self.named: dict[str, tuple[Selector, ...]] = {}

    def read(self) -> Read:
        for name, what in self.form.select.items():
            self.named[name] = self.selectors(what, ("select", name))
        rules: dict[str, Rule] = {}
        for number, one in enumerate(self.form.rules):
            place: Place = ("rules", number)
            try:
                rule = self.rule(one, place)
            except OptionError as wrong:
                raise self.parsed.wrong(place, f"cannot be: {wrong}") from None
            if rule.id in rules:
                told = f"is the second rule that is called {rule.id!r}: give each its own id"
                raise self.parsed.wrong(place, told)
            rules[rule.id] = rule
        expect = []
        for number, wanted in enumerate(self.form.expect):
            place = ("expect", number)
            if wanted.rule not in rules:
                known = ", ".join(rules) or "none"
                raise self.parsed.wrong(place, f"names no rule: {wanted.rule!r} is not of {known}")
            try:
                expect.append(Expect(**wanted.model_dump()))
            except OptionError as wrong:
                raise self.parsed.wrong(place, f"cannot be: {wrong}") from None
        return Read(tuple(rules.values()), tuple(expect))

    def rule(self, form: "RuleForm", place: Place) -> Rule:
        action = _action(form)
        sender = () if form.sender is None else self.selectors(form.sender, (*place, "from"))
        partial = bool(sender or form.heads) or form.layers is not None
        return Rule(
            id=form.id or f"{action}-{int(place[1]) + 1}",
            action=action,
            select=self.selectors(getattr(form, action), (*place, action)),
            weight=getattr(form, "weight", None),
            at_least=getattr(form, "at_least", None),
            sender=sender,
            layers=None if form.layers is None else LayerRange(str(form.layers)),
            heads=tuple(form.heads),
            when=form.when,
            expires=self.day(form.expires, (*place, "expires")),
            guarantee=form.guarantee or usual_guarantee(action, partial=partial),
            beyond=form.beyond,
            why=form.why,
        )

    def day(self, written: date | str | None, place: Place) -> date | None:
        if not isinstance(written, str):
            return written
        try:
            return date.fromisoformat(written)
        except ValueError:
            told = f"must be a day such as 2027-01-31, got {written!r}"
            raise self.parsed.wrong(place, told) from None

    def selectors(self, what: Any, place: Place) -> tuple[Selector, ...]:
        """The selectors of a name, a form, or a list of them."""
        if isinstance(what, list):
            return tuple(
                selector
                for number, one in enumerate(what)
                for selector in self.selectors(one, (*place, number))
            )
        if isinstance(what, str):
            if what not in self.named:
                known = ", ".join(self.named) or "none"
                told = f"names {what!r}, which is not under select ({known}); a phrase is written"
                raise self.parsed.wrong(place, f"{told} {{text: ...}}")
            return self.named[what]
        return (self.selector(what, place),)

    def selector(self, form: Any, place: Place) -> Selector:
        if not self.trusted and not form.BOUNDED:
            told = "may take forever, and these rules are not trusted: use text instead"
            raise self.parsed.wrong(place, told)
        if not self.trusted and form.FILE and form.ontology:
            raise self.parsed.wrong(place, "reads a file, and these rules are not trusted")
        if form.__class__.MAKES is Relation and not (form.ontology or form.graph):
            form = form.model_copy(update={"ontology": self.only_ontology(place)})
        try:
            selector: Selector = form.made(self.folder)
        except OptionError as wrong:
            raise self.parsed.wrong(place, f"cannot be: {wrong}") from None
        return selector

    def only_ontology(self, place: Place) -> str:
        """The one file that `select` names, for a relation that names none."""
        from zhuyi.steer.schema import ConceptForm

        files = {
            one.ontology
            for what in self.form.select.values()
            for one in (what if isinstance(what, list) else [what])
            if isinstance(one, ConceptForm)
        }
        if len(files) != 1:
            raise self.parsed.wrong(place, "needs an ontology (a file) or a graph")
        return str(files.pop())


def _action(form: "RuleForm") -> Action:
    return next(action for action in ACTIONS if action in type(form).model_fields)


def _opened(source: str | Path) -> Parsed:
    if isinstance(source, str):
        return parse(source, "the rules")
    try:
        with source.open("rb") as file:
            content = file.read(4 * LARGEST + 1)
        return parse(content.decode("utf-8-sig"), str(source))
    except OSError as wrong:
        raise InputError(f"{source} cannot be read: {wrong.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{source} must be text in UTF-8") from None


def _first(errors: list[Any], parsed: Parsed) -> InputError:
    """The first of pydantic's errors in our words."""
    error = errors[0]
    # Tags of unions are in angle brackets; they are no part of the file.
    place = [
        one for one in error["loc"] if not (isinstance(one, str) and one[:1] + one[-1:] == "<>")
    ]
    kind, given = error["type"], error["input"]
    if kind == "missing":
        return parsed.wrong(place[:-1], f"needs {place[-1]!r}")
    if kind == "extra_forbidden":
        return parsed.wrong(place, "is not known here")
    shown = repr(given)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    told = str(error["msg"]).replace("Input should", "must").replace("String should", "must")
    hint = ""
    if kind == "string_type" and not isinstance(given, Mapping | list):
        hint = " (put it in quotes)"
    return parsed.wrong(place, f"{told}, got {shown}{hint}")


def _rule(rule: Rule) -> dict[str, Any]:
    data: dict[str, Any] = {"id": rule.id, rule.action: _what(rule.select, rule)}
    if rule.weight is not None:
        data["weight"] = rule.weight
    if rule.at_least is not None:
        data["at_least"] = rule.at_least
    if rule.action == "veto" or rule.guarantee != "steer":
        data["guarantee"] = rule.guarantee
    if rule.sender:
        data["from"] = _what(rule.sender, rule)
    if rule.layers is not None:
        data["layers"] = rule.layers.written
    if rule.heads:
        data["heads"] = list(rule.heads)
    for name in ("when", "expires", "beyond", "why"):
        if getattr(rule, name):
            data[name] = getattr(rule, name)
    return data


def _what(selectors: tuple[Selector, ...], rule: Rule) -> Any:
    try:
        from zhuyi.steer.schema import written
    except ModuleNotFoundError as missing:
        raise InputError(_NEEDS.format(missing.name)) from None
    forms = [written(one) for one in selectors]
    if None in forms:
        kind = type(selectors[forms.index(None)]).__name__
        raise OptionError(f"rule {rule.id!r}: a {kind} has no form in YAML")
    return forms[0] if len(forms) == 1 else forms


def _expected(one: Expect) -> dict[str, str]:
    given = {
        "rule": one.rule,
        "invariant_to": one.invariant_to,
        "effect": one.effect,
        "collateral_kl": one.collateral_kl,
    }
    return {key: value for key, value in given.items() if value}
