"""`certify(model, rules, batch)`: which level each veto may claim, with every check behind it."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn

from zhuyi._check import check_at_least
from zhuyi.core.record import Said
from zhuyi.errors import NotSteerable, UnmatchedRule, ZhuyiError
from zhuyi.steer.certify.breakers import read_model
from zhuyi.steer.certify.certificate import Certificate, Item, RuleCertificate
from zhuyi.steer.certify.dropping import check_dropping
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.gradient import check_gradient
from zhuyi.steer.certify.known import architecture_of
from zhuyi.steer.certify.leaking import measure_leaks
from zhuyi.steer.certify.places import keys_of, read_layouts
from zhuyi.steer.certify.removal import check_removal
from zhuyi.steer.certify.runs import Runs
from zhuyi.steer.certify.swaps import Swapping, check_swaps
from zhuyi.steer.certify.taint import check_taint
from zhuyi.steer.certify.watching import check_attention, check_readout, readout_rows
from zhuyi.steer.readers import FittedModel
from zhuyi.steer.reading import Reader
from zhuyi.steer.report import Leak
from zhuyi.steer.rule import Guarantee, Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.steering import steer
from zhuyi.trace.evaluating import evaluating
from zhuyi.trace.subject import Batch, Subject

#: Items without which what is vetoed is not what people think it is.
_ABOUT_THE_ROWS: Final = ("matched", "tokenizer", "copies", "cache", "earlier answers")
#: Items that must have been checked before anything exact is claimed.
_NEEDED: Final = ("matched", "attention", "swaps", "taint", "gradient")


def certify(
    model_or_subject: nn.Module | Subject | FittedModel,
    rules: Rules,
    batch: Batch | Mapping[str, Any],
    *,
    swaps: int = 10,
    tokenizer: Any = None,
    reader: Reader | None = None,
    trusted: tuple[type[nn.Module], ...] = (),
    attribute: Tensor | None = None,
    seed: int = 0,
    strict: bool = False,
) -> Certificate:
    """Say which guarantee each veto may claim, and why.

    | level | what is needed |
    |---|---|
    | steer | nothing: the rule is finite, or could not be applied |
    | direct | attention's weight on it is exactly 0 where the rule holds |
    | exact | every item held: reading of model and rows, attention, swaps, taint, gradient |
    | input | a constant stands in its place before the model (so asked for, or by `removed`) |
    | information | never claimed: a probe measures how much is left elsewhere |

    The argument for "exact" is structural: with weight 0 on a position in every layer and head, and
    all else row by row, no other row ever contains it. The runs catch what the reading missed. So a
    failed item lowers the level, and a module that nobody has read refuses "exact".

    All rules hold during the runs; each veto is certified by itself, given the positions that it
    means. (Which positions a rule on texts means is decided by the text, and is not secret.)

    Args:
        model_or_subject: a module, a subject whose decision one module makes, or a fitted
            estimator.
        rules: all that shall hold; vetoes are certified.
        batch: what the subject reads; for a module its keyword arguments, one tensor, a tuple of
            tensors, or texts together with `tokenizer`.
        swaps: other contents tried for every input, >= 1.
        tokenizer, reader: as for `steer`.
        trusted: types of modules that the caller has read: they mix positions by attention only.
        attribute: bool "B", what the veto is to hide, for the probe; None to take it from the
            vetoed texts or numbers.
        seed: of swaps, gradient weights and probe.
        strict: whether a veto that may claim less than its `guarantee` is an error.

    Returns:
        Certificate, one part for each veto.

    Raises:
        OptionError: fewer than 1 swap, or a target without a model.
        NotSteerable: under `strict`; or where nobody says what stands at a position.
        InputError: for a batch that the model cannot read.

    Cost:
        For each veto 2 (swaps + 6) passes, one with gradient, and up to 32 of single rows.

    Not:
        A proof about what the reading of the model missed and these inputs do not run, and none
        about what other words or columns give away. Removing a factor does not make a model fair.
        Swaps put ordinary tokens there, never padding or other special ones, by which some models
        count positions.

    Example:
        >>> from zhuyi.core.record import Unit
        >>> from zhuyi.steer.reading import UnitReader
        >>> from zhuyi.steer.selectors import Column
        >>> layer = nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
        >>> reader = UnitReader([Unit(label=n, positions=(i,)) for i, n in enumerate("abc")])
        >>> found = certify(layer, Rules().veto(Column("b")), torch.randn(4, 3, 8), reader=reader)
        >>> found.level, found["veto-1"].item("taint").state
        ('exact', 'held')
    """
    check_at_least("swaps", swaps, 1)
    runs = Runs(model_or_subject, batch, tokenizer=tokenizer, reader=reader)
    structure = read_model(runs.model, trusted, evaluated=runs.subject is not None)
    runs.begin()
    work = _Work(runs, rules, swaps, seed, attribute)
    vetoes = [rule for rule in rules if rule.action == "veto"]
    parts = tuple(work.rule(rule, structure) for rule in vetoes)
    certificate = Certificate(
        model=type(runs.model).__name__,
        architecture=architecture_of(runs.model) or "torch module",
        rows=sum(len(call.reading.layouts) for call in runs.calls),
        swaps=swaps,
        seed=seed,
        rules=parts,
        versions={"torch": torch.__version__, "dtype": _dtype(runs.model)},
    )
    short = [part for part in parts if not part.kept]
    if strict and short:
        first = short[0]
        why = "; ".join(item.said.en for item in first.failed) or "some of it could not be checked"
        raise NotSteerable(
            f"rule {first.rule!r} asks for {first.asked!r} and may claim {first.level!r}: {why}"
        )
    return certificate


class _Work:
    """The checks of one call of `certify`."""

    def __init__(
        self, runs: Runs, rules: Rules, swaps: int, seed: int, attribute: Tensor | None
    ) -> None:
        self.runs = runs
        self.rules = rules
        self.swaps = swaps
        self.seed = seed
        self.attribute = attribute

    def rule(self, rule: Rule, structure: Sequence[Item]) -> RuleCertificate:
        """Certify one veto."""
        runs = self.runs
        keys = [keys_of(rule, call) for call in runs.calls]
        items = [_complete(rule), *read_layouts(rule, runs.calls)]
        positions = sum(int(one.sum()) for one in keys)
        swapping = Swapping(runs, keys, self.seed)
        leaks: tuple[Leak, ...] = ()
        offered: Guarantee | None = None
        if rule.removes:  # how the model is built says nothing about what it never receives
            if positions:
                calls = zip(runs.calls, keys, strict=True)
                runs.read_rows = tuple(_read(call, hit, None) for call, hit in calls)
                alone = partial(self.applied, Rules((rule,)))
                items.append(check_removal(runs, keys, swapping, self.swaps, steered=alone))
            level = _level_of_removal(items)
        else:
            items[1:1] = structure
            items += self._runs(rule, keys, swapping) if positions else []
            level = _level(items)
            if positions and level != "exact":
                removal = check_removal(runs, keys, swapping, self.swaps)
                if removal.state == "held" and _all_held(items, _ABOUT_THE_ROWS):
                    offered = "input"
        if positions and not any(item.name == "applied" for item in items):
            leaks = measure_leaks(runs, self.applied, rule, keys, self.attribute, self.seed)
        return RuleCertificate(
            rule=rule.id,
            asked=rule.guarantee,
            level=level,
            offered=offered,
            items=tuple(items),
            leaks=leaks,
            positions=positions,
        )

    @contextmanager
    def applied(self, rules: Rules | None = None) -> Iterator[None]:
        """All rules hold, or these; a subject's model is evaluated, a module is left as it is."""
        runs = self.runs
        held = self.rules if rules is None else rules
        evaluated = nullcontext() if runs.subject is None else evaluating(runs.model)
        with warnings.catch_warnings(), evaluated:
            # What matched nothing is an item here, and not a warning for each of many runs.
            warnings.simplefilter("ignore", UnmatchedRule)
            with steer(runs.target, held, tokenizer=runs.tokenizer, reader=runs.recalling()):
                yield

    def _runs(self, rule: Rule, keys: Sequence[Tensor], swapping: Swapping) -> list[Item]:
        runs = self.runs
        try:
            found = [check_attention(runs, self.applied, rule, keys)]
            weights = readout_rows(runs, self.applied)
            found.append(check_readout(weights, keys))
            told = (None,) * len(keys) if weights is None else weights
            runs.read_rows = tuple(
                _read(call, hit, one) for call, hit, one in zip(runs.calls, keys, told, strict=True)
            )
            found.append(check_swaps(runs, self.applied, swapping, self.swaps))
            found.append(check_taint(runs, self.applied, keys))
            found.append(check_gradient(runs, self.applied, keys, self.seed))
            found.append(check_dropping(runs, partial(self.applied, Rules((rule,))), keys))
        except ZhuyiError as wrong:
            said = Said(en=f"the rule could not be applied: {wrong}", zh=f"规则无法应用：{wrong}")
            return [Item(name="applied", state="failed", said=said)]
        return found


def _complete(rule: Rule) -> Item:
    if rule.complete:
        said = Said(en="it holds in all layers, heads and rows", zh="它在所有层、头和行中都成立")
        return Item(name="complete", state="held", said=said)
    said = Said(
        en="it leaves out layers, heads or rows, through which the content passes on",
        zh="它没有覆盖所有的层、头或行，内容会从那里传过去",
    )
    return Item(name="complete", state="failed", said=said)


def _level(items: Sequence[Item]) -> Guarantee:
    states = {item.name: item.state for item in items}
    if states.get("matched") != "held" or states.get("applied") == "failed":
        return "steer"
    if states.get("attention") != "held":
        return "steer"
    if any(state == "failed" for state in states.values()):
        return "direct"
    return "exact" if all(states.get(name) == "held" for name in _NEEDED) else "direct"


def _level_of_removal(items: Sequence[Item]) -> Guarantee:
    states = {item.name: item.state for item in items}
    if states.get("removal") != "held":
        return "steer"
    return "input" if _all_held(items, _ABOUT_THE_ROWS) else "direct"


def _all_held(items: Sequence[Item], names: Sequence[str]) -> bool:
    return all(item.state == "held" for item in items if item.name in names)


def _read(call: Call, keys_BL: Tensor, weights: Tensor | None) -> Tensor:
    """The rows that count as output: kept ones that are no padding, and those that are read."""
    rows = ~keys_BL
    for row, layout in enumerate(call.reading.layouts):
        rows[row, sorted(layout.padding)] = False
    rows = rows if weights is None else rows | (weights.cpu() > 0)
    return rows[:, -call.reading.new :]  # those in a cache give no output


def _dtype(model: nn.Module) -> str:
    first = next(model.parameters(), None)
    return "none" if first is None else str(first.dtype).removeprefix("torch.")
