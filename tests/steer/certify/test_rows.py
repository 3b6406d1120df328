"""What the rows themselves say: merged tokens, copies, caches, earlier answers, nothing matched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from tests.steer.certify import planted
from tests.trace.subject_models import bert, bert_tokenizer, gpt_tokenizer, llama
from zhuyi.core.record import Unit
from zhuyi.steer.certify import RuleCertificate, certify
from zhuyi.steer.reading import Reading, UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column, Text, Tokens
from zhuyi.steer.token_reading import TokenReader
from zhuyi.trace import TransformersSubject


def on_texts(rules: Rules, texts: list[str]) -> RuleCertificate:
    subject = TransformersSubject(bert(), bert_tokenizer())
    return certify(subject, rules, texts, swaps=2)[rules.rules[0].id]


def failed(found: RuleCertificate) -> set[str]:
    return {item.name for item in found.failed}


def test_a_token_across_the_edge_lowers_the_level() -> None:
    rule = Rules().veto(Text("fil", whole_words=False))
    found = on_texts(rule, ["the film was good", "a bad film"])
    assert found.level == "direct"
    assert failed(found) == {"tokenizer"}
    assert found.item("tokenizer").numbers["positions"] == 2  # type: ignore[union-attr]


def test_a_copy_elsewhere_lowers_the_level() -> None:
    texts = ["the film was a very good film", "a bad film"]
    found = on_texts(Rules().veto(Tokens(2, 3)), texts)
    assert (found.level, found.offered) == ("direct", None)
    assert failed(found) == {"copies"}
    assert found.item("copies").numbers["positions"] == 1  # type: ignore[union-attr]
    assert on_texts(Rules().veto("film"), texts).level == "exact"


@pytest.mark.parametrize("copied", ["equal", "in another unit", "not at all"])
def test_a_copy_in_another_column_lowers_the_level(copied: str) -> None:
    rows = planted.inputs()
    if copied == "equal":
        rows[:, 4] = rows[:, 2]
    elif copied == "in another unit":
        rows[:, 4] = 32 - 1.8 * rows[:, 2]
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    rules = Rules().veto(Column("c"), id="v")
    found = certify(layer, rules, rows, reader=planted.reader(), swaps=2)["v"]
    assert found.level == ("exact" if copied == "not at all" else "direct")
    assert failed(found) == (set() if copied == "not at all" else {"copies"})


def test_a_cache_from_before_lowers_the_level() -> None:
    model, tokenizer = llama(), gpt_tokenizer(padding=True)
    ids = torch.tensor([tokenizer("a lazy dog and a quick")["input_ids"]])
    with torch.no_grad():
        cache = model(input_ids=ids, use_cache=True).past_key_values
    before = cache.get_seq_length()
    more = torch.tensor([tokenizer("zoo film", add_special_tokens=False)["input_ids"]])
    rules = Rules().veto("zoo", id="v")
    batch = {"input_ids": more, "past_key_values": cache}
    found = certify(model, rules, batch, tokenizer=tokenizer, swaps=2)["v"]
    assert found.level == "direct"
    assert "cache" in failed(found)
    assert found.item("cache").numbers["positions"] == ids.shape[1]  # type: ignore[union-attr]
    assert cache.get_seq_length() == before, "the caller's cache is left alone"


class Conversation(TokenReader):
    """A reader that knows whose turn each position is: the last two were answered before."""

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        reading = super().read(args, kwargs)
        layouts = tuple(
            replace(one, roles=("user",) * (one.length - 2) + ("assistant",) * 2)
            for one in reading.layouts
        )
        return replace(reading, layouts=layouts)


def test_an_answer_written_in_view_of_it_lowers_the_level() -> None:
    model, tokenizer = llama(), gpt_tokenizer(padding=True)
    ids = torch.tensor([tokenizer("a zoo is quick")["input_ids"]])
    rules = Rules().veto("zoo", id="v")
    reader = Conversation(tokenizer)
    found = certify(model, rules, {"input_ids": ids}, tokenizer=tokenizer, reader=reader, swaps=2)[
        "v"
    ]
    assert found.level == "direct"
    assert failed(found) == {"earlier answers"}


@pytest.mark.parametrize("rules", [
    Rules().veto("giraffe", id="v"),
    Rules().veto("film", id="v", expires="2020-01-01"),
    Rules().veto("film", id="v", when="age > 3"),
])  # fmt: skip
def test_a_rule_that_means_nothing_claims_nothing(rules: Rules) -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    if rules["v"].when:
        reader = TokenReader(bert_tokenizer(), values={"age": 2})
        found = certify(subject, rules, ["a film"], reader=reader, swaps=1)["v"]
    else:
        found = certify(subject, rules, ["a film"], swaps=1)["v"]
    assert found.level == "steer"
    assert failed(found) == {"matched"}
    assert found.positions == 0


def test_soft_rules_have_no_certificate() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    found = certify(subject, Rules().damp("film", 0.1), ["a film"], swaps=1)
    assert found.rules == ()
    assert found.level == "steer"


def test_leading_positions_of_the_model_are_counted() -> None:
    """Position 1 is the first unit where the model puts one of its own in front."""

    class Leading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.randn(1, 1, 8))
            self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(torch.cat([self.token.expand(len(x), -1, -1), x], 1))[:, 0]

    units = [Unit(label="[CLS]", positions=(0,), special=True)]
    units += [Unit(label=name, positions=(n + 1,)) for n, name in enumerate("abc")]
    rules = Rules().veto(Column("b"), id="v")
    found = certify(
        Leading().eval(), rules, torch.randn(4, 3, 8), reader=UnitReader(units), swaps=3,
        trusted=(Leading,),
    )["v"]  # fmt: skip
    assert found.level == "exact"
    assert found.item("gradient").numbers["vetoed"] == 0.0  # type: ignore[union-attr]
