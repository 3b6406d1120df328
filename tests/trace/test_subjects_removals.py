"""The three optional protocols of subjects: other removals, the model, inputs nearby."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trace.subject_models import bert, bert_tokenizer, gpt2, gpt_tokenizer, llama, vit
from zhuyi.errors import NotWatchable, OptionError, ShapeError
from zhuyi.explain import InputGradient
from zhuyi.trace.adapters.transformers_nearby import jittered
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.readout import MeanRows
from zhuyi.trace.subject import ModelSubject, NearbySubject, RemovableSubject, Subject

TEXTS = ["the quick brown fox", "a very good film , i love it"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def keeping_all_but(subject: Subject, batch: Any, gone: dict[int, list[int]]) -> Tensor:
    units = subject.units(batch)
    keep = torch.ones(len(units), max(map(len, units)), dtype=torch.bool)
    for row, numbers in gone.items():
        keep[row, numbers] = False
    return keep


def state(model: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in [*model.parameters(), *model.buffers()]]


def same_state(model: nn.Module, before: list[Tensor]) -> bool:
    now = [*model.parameters(), *model.buffers()]
    return all(torch.equal(one, other) for one, other in zip(now, before, strict=True))


def hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


# --- texts -------------------------------------------------------------------------------------


def test_a_classifier_of_texts_offers_three_ways() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    assert isinstance(subject, RemovableSubject)
    assert isinstance(subject, ModelSubject)
    assert isinstance(subject, NearbySubject)
    assert subject.removals == ("mask token", "deletion", "padding mask")
    other = subject.removing("padding mask")
    assert other.removals == ("padding mask", "mask token", "deletion")
    assert other.removal == other.removals[0]
    assert subject.removal == "mask token"
    assert other.model is subject.model
    assert other.removing("mask token").removal == "mask token"
    with pytest.raises(OptionError, match="'mask token', 'deletion', 'padding mask' here, got 'x'"):
        subject.removing("x")


def test_without_a_mask_token_deletion_is_first() -> None:
    subject = TransformersSubject(gpt2(), gpt_tokenizer())
    assert subject.removals == ("deletion", "padding mask")
    with pytest.raises(OptionError, match="'deletion', 'padding mask' here"):
        subject.removing("mask token")


def test_a_model_that_reads_behind_the_mask_offers_no_padding_mask() -> None:
    model = bert()
    model.config.model_type = "yoso"
    assert TransformersSubject(model, bert_tokenizer()).removals == ("mask token", "deletion")


def expected(how: str, ids: list[int], gone: int, model: nn.Module) -> Tensor:
    """Probabilities of one text with one token removed, written out by hand."""
    mask = [1] * len(ids)
    if how == "mask token":
        ids = [bert_tokenizer().mask_token_id if i == gone else t for i, t in enumerate(ids)]
    elif how == "deletion":
        ids, mask = ids[:gone] + ids[gone + 1 :], mask[1:]
    else:
        mask = [int(i != gone) for i in range(len(ids))]
    inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.tensor([mask])}
    with torch.no_grad():
        return model(**inputs).logits.softmax(1)[0]


@pytest.mark.parametrize("how", ["mask token", "deletion", "padding mask"])
def test_each_way_is_the_models_own_run_on_the_reduced_text(how: str) -> None:
    subject = TransformersSubject(bert(), bert_tokenizer()).removing(how)
    # "fox" of the first text, "very" of the second: both with [CLS] in front
    keep = keeping_all_but(subject, TEXTS, {0: [0, 4], 1: [2]})  # [CLS] stays
    found = subject.decide(TEXTS, keep)
    for row, gone in ((0, 4), (1, 2)):
        ids = bert_tokenizer()(TEXTS[row])["input_ids"]
        wanted = expected(how, ids, gone, subject.model)
        torch.testing.assert_close(found[row], wanted, atol=1e-6, rtol=0)
        # the ways differ, so the comparison above could fail
        for another in {"mask token", "deletion", "padding mask"} - {how}:
            assert (expected(another, ids, gone, subject.model) - wanted).abs().max() > 1e-4


def test_nothing_looks_at_what_the_padding_mask_hides() -> None:
    subject = TransformersSubject(llama(), gpt_tokenizer(), task="next-token").removing(
        "padding mask"
    )
    one, other = "the cat runs", "the dog runs"
    gone = [n for n, unit in enumerate(subject.units([one])[0]) if unit.label == "cat"]
    reduced = subject.decide([one], keeping_all_but(subject, [one], {0: gone}))
    assert (reduced - subject.decide([one])).abs().max() > 1e-4
    # Another word of as many tokens behind the mask makes no difference, though it does in front.
    again = subject.decide([other], keeping_all_but(subject, [other], {0: gone}))
    torch.testing.assert_close(again, reduced, atol=1e-6, rtol=0)
    assert (subject.decide([other]) - subject.decide([one])).abs().max() > 1e-4


def test_hidden_tokens_are_not_pooled() -> None:
    subject = TransformersSubject(
        bert("BertModel"), bert_tokenizer(), task="similarity", readout=MeanRows()
    ).removing("padding mask")
    pairs = [("the quick fox", "a lazy dog")]
    found = subject.decide(pairs, keeping_all_but(subject, pairs, {0: [2]}))
    ids = torch.tensor([bert_tokenizer()("the quick fox")["input_ids"]])
    others = torch.tensor([bert_tokenizer()("a lazy dog")["input_ids"]])
    mask = torch.tensor([[1, 1, 0, 1, 1]])
    with torch.no_grad():
        rows = subject.model(input_ids=ids, attention_mask=mask).last_hidden_state[0]
        second = subject.model(input_ids=others).last_hidden_state[0].mean(0)
    cosine = torch.cosine_similarity(rows[[0, 1, 3, 4]].mean(0), second, dim=0)
    assert float(found[0, 1]) == pytest.approx((1 + float(cosine)) / 2, abs=1e-6)


@pytest.mark.parametrize("how", ["deletion", "padding mask"])
def test_a_decoder_of_which_everything_is_removed_reads_its_start_token(how: str) -> None:
    tokenizer = gpt_tokenizer()
    subject = TransformersSubject(gpt2(), tokenizer).removing(how)
    nothing = torch.zeros(1, len(subject.units(["the fox"])[0]), dtype=torch.bool)
    with torch.no_grad():
        wanted = subject.model(input_ids=torch.tensor([[0]])).logits[0, -1].softmax(0)
    torch.testing.assert_close(subject.decide(["the fox"], nothing)[0], wanted, atol=1e-6, rtol=0)


def test_the_subject_it_came_from_is_not_changed() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    keep = keeping_all_but(subject, TEXTS, {0: [2]})
    before = subject.decide(TEXTS, keep)
    other = subject.removing("deletion")
    assert (other.decide(TEXTS, keep)[0] - before[0]).abs().max() > 1e-4
    assert torch.equal(subject.decide(TEXTS, keep), before)
    assert other.readout(subject.watch(TEXTS)).shape[0] == 2  # tapes are of one model


# --- images ------------------------------------------------------------------------------------


def test_a_removed_patch_takes_the_images_mean_color() -> None:
    images = torch.randn(2, 3, 12, 12, generator=seeded(3)) + 0.5
    subject = TransformersSubject(vit())
    assert subject.removals == ("gray patch", "mean color")
    colored = subject.removing("mean color")
    assert colored.removals == ("mean color", "gray patch")
    keep = keeping_all_but(subject, images, {1: [0, 6]})  # row 1, column 2; [CLS] stays
    painted = images.clone()
    for channel in range(3):
        painted[1, channel, 4:8, 8:12] = images[1, channel].mean()
    torch.testing.assert_close(
        colored.decide(images, keep), subject.decide(painted), atol=1e-6, rtol=0
    )
    assert (colored.decide(images, keep) - subject.decide(images, keep))[1].abs().max() > 1e-4


# --- tensors -----------------------------------------------------------------------------------


WEIGHT = torch.tensor([0.5, 0.2, 0.1])


class Linear(nn.Module):
    """Logits (0, w · x), so that probabilities show the numbers that came in."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(WEIGHT.clone())

    def forward(self, inputs: Tensor) -> Tensor:
        return (inputs @ self.weight)[:, None]


ROWS = torch.tensor([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0], [8.0, 9.0, 1.0], [0.0, 1.0, 7.0]])
DRAWN, MEAN = "value drawn from the reference", "mean of the reference"


def tabular(**options: Any) -> ModuleSubject:
    return ModuleSubject(Linear(), unit_names="abc", labels=("no", "yes"), **options)


def score(subject: ModuleSubject, batch: Tensor, keep: Tensor) -> Tensor:
    return subject.decide(batch, keep)[:, 1].logit()


def test_a_module_without_a_reference_knows_one_way() -> None:
    subject = tabular(removal="zero")
    assert isinstance(subject, RemovableSubject)
    assert isinstance(subject, ModelSubject)
    assert isinstance(subject, NearbySubject)
    assert subject.removals == ("zero",) == (subject.removal,)
    assert subject.model is subject.module
    with pytest.raises(OptionError, match="'zero' here, got 'mean of the reference'"):
        subject.removing(MEAN)


def test_the_mean_of_the_reference() -> None:
    subject = tabular(reference=ROWS)
    assert subject.removals == ("replaced by 0", DRAWN, MEAN)
    mean = subject.removing(MEAN)
    assert mean.removals == (MEAN, DRAWN, "replaced by 0")
    batch = torch.tensor([[0.5, 0.5, 0.5]])
    keep = torch.tensor([[False, True, False]])
    # columns' means: 3, 4, 4
    assert score(mean, batch, keep).tolist() == [pytest.approx(1.5 + 0.1 + 0.4, abs=1e-5)]
    assert score(subject, batch, keep).tolist() == [pytest.approx(0.1, abs=1e-5)]


def drawn_values(batch: Tensor) -> Tensor:
    """What `removing(DRAWN)` puts in each place, read off one removal at a time."""
    subject = tabular(reference=ROWS).removing(DRAWN)
    columns = []
    for unit in range(3):
        keep = torch.ones(len(batch), 3, dtype=torch.bool)
        keep[:, unit] = False
        changed = score(subject, batch, keep).double() - batch.double() @ WEIGHT.double()
        columns.append(changed / WEIGHT[unit] + batch[:, unit])
    return torch.stack(columns, 1)


def test_a_drawn_value_is_one_of_the_references_and_always_the_same() -> None:
    batch = torch.randn(64, 3, generator=seeded())
    values = drawn_values(batch)
    for unit in range(3):
        rows = ROWS[:, unit].double()
        distance, row = (values[:, unit, None] - rows).abs().min(1)
        assert distance.max() < 0.01
        shares = row.bincount(minlength=4) / 64
        # four equal chances: each share is within four standard deviations of 1 / 4
        assert (shares - 0.25).abs().max() < 4 * (0.25 * 0.75 / 64) ** 0.5
    assert not torch.equal(values[:, 0].round(), values[:, 1].round())
    torch.testing.assert_close(drawn_values(batch[7:8]), values[7:8], atol=2e-3, rtol=0)


def test_a_drawn_value_does_not_depend_on_what_else_is_removed() -> None:
    batch = torch.randn(16, 3, generator=seeded(1))
    subject = tabular(reference=ROWS).removing(DRAWN)
    wanted = drawn_values(batch).float()
    nothing = torch.zeros(16, 3, dtype=torch.bool)
    torch.testing.assert_close(score(subject, batch, nothing), wanted @ WEIGHT, atol=2e-3, rtol=0)


def test_a_callers_own_name_wins() -> None:
    subject = tabular(reference=ROWS, removed=9.0, removal=MEAN)
    assert subject.removals == (MEAN, DRAWN)
    nothing = torch.zeros(1, 3, dtype=torch.bool)
    assert float(score(subject, torch.zeros(1, 3), nothing)) == pytest.approx(9 * 0.8, abs=1e-3)


@pytest.mark.parametrize("wrong", [ROWS[:, :2], ROWS[:0], ROWS[0], ROWS.long()])
def test_a_reference_of_another_shape_is_refused(wrong: Tensor) -> None:
    with pytest.raises(ShapeError, match=r"rows of N = 3 units, got"):
        tabular(reference=wrong)


def test_nearby_tensors_are_off_by_the_references_spread() -> None:
    reference = torch.randn(500, 3, generator=seeded(5)) * torch.tensor([1.0, 10.0, 0.0])
    subject = tabular(reference=reference)
    batch = torch.zeros(2000, 3)
    with subject.nearby(batch, size=0.1, generator=seeded(2)) as near:
        pass
    assert isinstance(near, Tensor)
    spread = reference.std(0, correction=0)
    off = near - batch
    # a standard deviation from 2000 draws is known to within 1 / sqrt(4000) = 1.6 %
    torch.testing.assert_close(off.std(0), 0.1 * spread, rtol=0.07, atol=0)
    assert not batch.any()
    with subject.nearby(batch, size=0.1, generator=seeded(2)) as again:
        assert torch.equal(again, near)  # type: ignore[arg-type]


def test_nearby_tensors_without_a_reference() -> None:
    noise = torch.randn(2, 3, generator=seeded(4))
    batch = torch.tensor([[1.0, 2.0, 0.0], [3.0, 2.0, 4.0]])
    with tabular().nearby(batch, size=0.5, generator=seeded(4)) as near:
        wanted = batch + 0.5 * torch.tensor([1.0, 0.0, 2.0]) * noise
        torch.testing.assert_close(near, wanted)
    alone = torch.randn(1, 3, generator=seeded(4))
    with tabular().nearby(batch[:1], size=0.5, generator=seeded(4)) as near:
        wanted = batch[:1] * (1 + 0.5 * alone)
        torch.testing.assert_close(near, wanted)


# --- nearby texts and images -------------------------------------------------------------------


@pytest.mark.parametrize("make", [bert, gpt2])
def test_a_jitter_is_a_fixed_vector_a_token(make: Any) -> None:
    model = make()
    table = model.get_input_embeddings()
    before = state(model)
    everything = torch.arange(table.num_embeddings)
    plain = table(everything).detach()
    with jittered(model, 0.1, seeded(3)):
        some = table(everything[[5, 3, 5]]).detach()
        off = table(everything).detach() - plain
        twice = table(everything).detach() - plain
    assert torch.equal(off, twice)
    torch.testing.assert_close(some - plain[[5, 3, 5]], off[[5, 3, 5]])
    assert float(off.std()) == pytest.approx(0.1 * float(plain.std()), rel=0.1)
    assert off.unique(dim=0).shape[0] == len(everything)
    assert same_state(model, before)
    assert torch.equal(table(everything), plain)
    with jittered(model, 0.1, seeded(3)):  # the same whatever is read first
        torch.testing.assert_close(table(everything[7:8]).detach() - plain[7:8], off[7:8])
    with jittered(model, 0.1, seeded(4)):
        assert not torch.equal(table(everything).detach() - plain, off)


def test_a_tied_head_keeps_its_weights() -> None:
    """GPT-2's output embeddings are its input embeddings: only what enters may be off."""
    model = gpt2()
    assert model.lm_head.weight is model.transformer.wte.weight
    ids = torch.tensor([[5, 9, 4]])
    plain = model.transformer.wte(ids).detach()
    with jittered(model, 0.2, seeded()):
        off = model.transformer.wte(ids).detach()
        found = model(input_ids=ids).logits.detach()
    assert (off - plain).abs().max() > 0.01
    with torch.no_grad():
        wanted = model(inputs_embeds=off).logits  # the head as it is
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)
    assert (model(input_ids=ids).logits - found).abs().max() > 1e-3


def test_nearby_texts_are_the_same_in_every_run_of_the_block() -> None:
    model = bert()
    subject = TransformersSubject(model, bert_tokenizer())
    before, hooked = state(model), hooks(model)
    plain = subject.decide(TEXTS)
    with subject.nearby(TEXTS, size=0.3, generator=seeded()) as near:
        assert list(near) == TEXTS
        first = subject.decide(near)
        assert torch.equal(subject.decide(near), first)
        torch.testing.assert_close(subject.decide([near[1]])[0], first[1], atol=1e-6, rtol=0)
        vectors = subject.embed(near)
        torch.testing.assert_close(
            subject.decide_embedded(near, vectors).softmax(1).detach(), first, atol=1e-6, rtol=0
        )
        assert InputGradient()(subject, near).values.isfinite().all()
    assert (first - plain).abs().max() > 1e-3
    assert torch.equal(subject.decide(TEXTS), plain)
    assert same_state(model, before)
    assert hooks(model) == hooked


def test_a_jitter_is_gone_after_an_exception() -> None:
    model = bert()
    subject = TransformersSubject(model, bert_tokenizer())
    hooked = hooks(model)
    with pytest.raises(ZeroDivisionError):
        with subject.nearby(TEXTS, size=0.3, generator=seeded()):
            assert hooks(model) == hooked + 1
            raise ZeroDivisionError
    assert hooks(model) == hooked


def test_a_model_without_a_table_cannot_be_jittered() -> None:
    with pytest.raises(NotWatchable):
        with jittered(vit(), 0.1, seeded()):
            pass


def test_nearby_images_are_noisy_pixels() -> None:
    subject = TransformersSubject(vit())
    images = torch.randn(3, 3, 12, 12, generator=seeded(3)) * torch.tensor([1.0, 5.0, 0.0])[
        :, None, None
    ].reshape(1, 3, 1, 1)
    noise = torch.randn(images.shape, generator=seeded(6))
    with subject.nearby(images, size=0.1, generator=seeded(6)) as near:
        wanted = images + 0.1 * images.std((2, 3), correction=0, keepdim=True) * noise
        torch.testing.assert_close(near, wanted)
        assert subject.decide(near).shape == (3, 2)
        assert subject.units(near) == subject.units(images)
