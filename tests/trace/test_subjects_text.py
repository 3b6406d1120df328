"""Text subjects: classifiers, next tokens, pairs, embeddings, against the bare models."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.trace.subject_models import bert, bert_tokenizer, gpt2, gpt_tokenizer, llama
from zhuyi.errors import InputError, NotWatchable, ShapeError
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.keep import Keep
from zhuyi.trace.readout import FirstRow, LastRow, MeasuredRows

TEXTS = ("The quick brown fox jumped.", "It was not good!", "很重要的注意力")


def classifier(**options: Any) -> TransformersSubject:
    return TransformersSubject(bert(**options), bert_tokenizer())


def bare(model: Any, tokenizer: Any, text: str) -> Tensor:
    """What the model itself says of one unpadded text."""
    with torch.no_grad():
        return model(**tokenizer(text, return_tensors="pt")).logits[0]


def test_units_are_words_and_characters() -> None:
    units = classifier().units(TEXTS)
    assert [u.label for u in units[0]] == [
        *("[CLS]", "The", "quick", "brown", "fox", "jumped", ".", "[SEP]"),
    ]
    assert units[0][5].positions == (5, 6)
    assert units[0][5].span == (20, 26)
    assert [u.label for u in units[2]] == ["[CLS]", *"很重要的注意力", "[SEP]"]
    assert [u.special for u in units[2]] == [True, *[False] * 7, True]


def test_decide_is_the_models_own_softmax() -> None:
    subject = classifier()
    found = subject.decide(TEXTS)
    wanted = torch.stack([bare(subject.model, subject.processor, t) for t in TEXTS]).softmax(1)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)
    assert subject.labels == ("LABEL_0", "LABEL_1", "LABEL_2")


def test_watch_gives_the_logits_and_every_layer() -> None:
    subject = classifier()
    tape = subject.watch(TEXTS)
    assert len(tape) == 3
    assert not tape.logits.requires_grad
    torch.testing.assert_close(tape.logits.softmax(1), subject.decide(TEXTS), atol=1e-6, rtol=0)
    assert subject.watch(TEXTS, gradient=True).logits.requires_grad


def test_removal_puts_the_mask_token() -> None:
    subject = classifier()
    keep = torch.ones(1, 8, dtype=torch.bool)
    keep[0, 5] = False  # "jumped", two tokens
    keep[0, 0] = False  # [CLS] stays all the same
    ids = subject.processor(TEXTS[0], return_tensors="pt")["input_ids"]
    ids[0, 5:7] = subject.processor.mask_token_id
    with torch.no_grad():
        wanted = subject.model(input_ids=ids).logits.softmax(1)
    assert subject.removal == "mask token"
    torch.testing.assert_close(subject.decide(TEXTS[:1], keep), wanted, atol=1e-6, rtol=0)


def test_one_score_is_two_classes() -> None:
    subject = classifier(num_labels=1)
    score = bare(subject.model, subject.processor, TEXTS[0])
    assert subject.labels == ("not LABEL_0", "LABEL_0")
    torch.testing.assert_close(subject.decide(TEXTS[:1])[0, 1], score[0].sigmoid())


def test_labels_that_do_not_exclude_each_other_get_sigmoids() -> None:
    subject = classifier(problem_type="multi_label_classification")
    wanted = bare(subject.model, subject.processor, TEXTS[0]).sigmoid()
    torch.testing.assert_close(subject.decide(TEXTS[:1])[0], wanted, atol=1e-6, rtol=0)


def test_a_pair_in_one_sequence() -> None:
    subject = classifier()
    pair = ("The fox.", "It was good")
    encoded = subject.processor(*pair, return_tensors="pt")
    with torch.no_grad():
        wanted = subject.model(**encoded).logits.softmax(1)
    torch.testing.assert_close(subject.decide([pair]), wanted, atol=1e-6, rtol=0)
    (units,) = subject.units([pair])
    labels = ["[CLS]", "The", "fox", ".", "[SEP]", "It", "was", "good", "[SEP]"]
    assert [u.label for u in units] == labels
    assert units[5].span == (0, 2)


@pytest.mark.parametrize("build", [gpt2, llama])
def test_next_token_is_read_after_the_last_real_token(build: Any) -> None:
    subject = TransformersSubject(build(), gpt_tokenizer())
    texts = ("the fox", "the quick thing", "注意")
    found = subject.decide(texts)
    wanted = [bare(subject.model, subject.processor, t)[-1].softmax(0) for t in texts]
    torch.testing.assert_close(found, torch.stack(wanted), atol=2e-6, rtol=0)
    assert found.shape[1] == len(subject.labels) == len(subject.processor)
    tape = subject.watch(texts)
    rows = subject.readout(tape)
    lengths = [len(subject.processor(t)["input_ids"]) for t in texts]
    assert rows.argmax(1).tolist() == [n - 1 for n in lengths]
    assert rows.sum(1).tolist() == [1.0] * 3


def test_deletion_is_the_shorter_text() -> None:
    subject = TransformersSubject(gpt2(), gpt_tokenizer())
    (units,) = subject.units(["the fox"])
    assert [u.label for u in units] == ["<s>", "the", "fox"]
    keep = torch.tensor([[True, True, False], [True, False, False]])
    found = subject.decide(["the fox"] * 2, keep)
    ids = torch.tensor([[0, *subject.processor("the", add_special_tokens=False)["input_ids"]]])
    with torch.no_grad():
        wanted = [subject.model(input_ids=i).logits[0, -1].softmax(0) for i in (ids, ids[:, :1])]
    assert subject.removal == "deletion"
    torch.testing.assert_close(found, torch.stack(wanted), atol=2e-6, rtol=0)


def test_a_text_of_which_nothing_is_left_is_its_start_token() -> None:
    tokenizer = gpt_tokenizer()
    tokenizer.backend_tokenizer.post_processor = None
    subject = TransformersSubject(gpt2(), tokenizer)
    keep = torch.zeros(1, len(subject.units(["the fox"])[0]), dtype=torch.bool)
    with torch.no_grad():
        wanted = subject.model(input_ids=torch.tensor([[0]])).logits[0, -1].softmax(0)
    torch.testing.assert_close(subject.decide(["the fox"], keep)[0], wanted)


@pytest.mark.parametrize("pad", [None, 1, 0])
@pytest.mark.parametrize(
    ("build", "kind"),
    [(gpt2, "GPT2ForSequenceClassification"), (llama, "LlamaForSequenceClassification")],
)
def test_decoder_classifiers_read_the_last_token_also_in_a_batch(
    build: Any, kind: str, pad: int | None
) -> None:
    subject = TransformersSubject(build(kind, pad_token_id=pad), gpt_tokenizer())
    texts = ("the fox", "the quick thing")
    wanted = torch.stack([bare(subject.model, subject.processor, t) for t in texts])
    torch.testing.assert_close(subject.decide(texts), wanted.softmax(1), atol=2e-6, rtol=0)
    tape = subject.watch(texts)
    assert len(tape) == len(subject.model.base_model.layers if build is llama else "ab")
    assert subject._rows == LastRow()
    embedded = subject.decide_embedded(texts, subject.embed(texts))
    torch.testing.assert_close(embedded.detach(), wanted, atol=5e-6, rtol=0)


def test_similarity_is_the_cosine_of_mean_embeddings() -> None:
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="similarity")
    pairs = [("The fox jumped.", "It was a dog"), ("good", "very good film!")]
    wanted = []
    for pair in pairs:
        means = []
        for text in pair:
            with torch.no_grad():
                encoded = subject.processor(text, return_tensors="pt")
                means.append(subject.model(**encoded).last_hidden_state[0].mean(0))
        wanted.append((1 + torch.cosine_similarity(means[0], means[1], dim=0)) / 2)
    found = subject.decide(pairs)
    torch.testing.assert_close(found[:, 1], torch.stack(wanted), atol=2e-6, rtol=0)
    torch.testing.assert_close(found.sum(1), torch.ones(2))
    tape = subject.watch(pairs)
    assert tape[0].matrix.shape[0] == 4
    torch.testing.assert_close(tape.logits.softmax(1), found, atol=2e-6, rtol=0)
    assert [len(u) for u in subject.sequences(pairs)] == [6, 6, 3, 6]
    assert [len(u) for u in subject.units(pairs)] == [12, 9]
    first = torch.arange(4.0)[:, None].expand(4, 7)  # each sequence's number at every position
    values = subject.gather(pairs, first)
    assert values[0].tolist() == [0.0] * 6 + [1.0] * 6
    assert values[1].tolist() == [2.0] * 3 + [3.0] * 6 + [0.0] * 3


def test_similarity_removes_words_of_the_right_sentence() -> None:
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="similarity")
    pairs = [("The fox.", "good film"), ("bad dog", "very bad")]
    keep = torch.ones(2, 9, dtype=torch.bool)
    keep[0, 7] = False  # "film"
    masked = [("The fox.", "good [MASK]"), ("bad dog", "very bad")]
    torch.testing.assert_close(subject.decide(pairs, keep), subject.decide(masked))


def test_embedding_keeps_all_of_itself_and_has_a_gradient() -> None:
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer())
    assert subject.task == "embedding"
    torch.testing.assert_close(subject.decide(TEXTS)[:, 1], torch.ones(3))
    tape = subject.watch(TEXTS, gradient=True)
    torch.testing.assert_close(tape.logits[:, 1].detach(), torch.ones(3))
    (gradient,) = torch.autograd.grad(tape.logits[:, 1].sum(), tape[-1].output)
    assert gradient.abs().sum() > 1e-3
    rows = subject.readout(tape)
    assert rows[1].tolist() == pytest.approx([1 / 7] * 7 + [0.0] * 2)


def test_embedding_is_judged_by_the_cosine() -> None:
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer())
    keep = torch.ones(2, 8, dtype=torch.bool)
    keep[1, 4] = False
    found = subject.decide([TEXTS[0]] * 2, keep)
    means = []
    for text in (TEXTS[0], TEXTS[0].replace("fox", "[MASK]")):
        with torch.no_grad():
            encoded = subject.processor(text, return_tensors="pt")
            means.append(subject.model(**encoded).last_hidden_state[0].mean(0))
    cosine = torch.cosine_similarity(means[0], means[1], dim=0)
    torch.testing.assert_close(found[:, 1], torch.stack((torch.tensor(1.0), (1 + cosine) / 2)))


@pytest.mark.parametrize("task", ["text", "next", "similarity", "embedding"])
def test_a_batch_is_its_inputs_one_by_one(task: str) -> None:
    subject: TransformersSubject
    batch: list[Any] = list(TEXTS)
    if task == "text":
        subject = classifier()
    elif task == "next":
        subject = TransformersSubject(llama(), gpt_tokenizer())
    else:
        kind: Any = task
        subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task=kind)
    if task == "similarity":
        batch = list(zip(TEXTS, reversed(TEXTS), strict=True))
    alone = torch.cat([subject.decide([item]) for item in batch])
    torch.testing.assert_close(subject.decide(batch), alone, atol=2e-6, rtol=0)


def test_embeddings_in_the_place_of_ids_change_nothing() -> None:
    for subject in (classifier(), TransformersSubject(llama(), gpt_tokenizer())):
        logits = subject.decide_embedded(TEXTS, subject.embed(TEXTS))
        wanted = subject.watch(TEXTS).logits
        torch.testing.assert_close(logits.detach(), wanted, atol=5e-6, rtol=0)


def test_baseline_keeps_special_tokens_and_masks_the_rest() -> None:
    subject = classifier()
    vectors, nothing = subject.embed(TEXTS), subject.baseline(TEXTS)
    table = subject.model.get_input_embeddings().weight
    same = (vectors == nothing).all(2)
    assert same[0].tolist() == [True, *[False] * 7, True]
    assert same[1].tolist() == [True, *[False] * 5, True, True, True]
    assert torch.equal(nothing[0, 3], table[subject.processor.mask_token_id])


def test_a_baseline_is_never_zero() -> None:
    """A padding token's embedding often is; the next candidate, here <s>, stands in."""
    model = llama(pad_token_id=1)
    table = model.get_input_embeddings().weight
    assert not table[1].any()
    subject = TransformersSubject(model, gpt_tokenizer(padding=True))
    assert torch.equal(subject.baseline(["the fox"])[0, 1], table[0])
    silent = gpt_tokenizer(padding=True)
    silent.bos_token = None
    mean = TransformersSubject(model, silent).baseline(["the fox"])[0, 1]
    torch.testing.assert_close(mean, table.mean(0).detach())


def test_models_that_take_ids_only_say_so() -> None:
    model = bert()
    model.get_input_embeddings = lambda: None
    subject = TransformersSubject(model, bert_tokenizer())
    with pytest.raises(NotWatchable, match="cannot be fed with embeddings: use Occlusion"):
        subject.embed(TEXTS)


def test_frozen_models_still_have_a_graph() -> None:
    model = bert().requires_grad_(False)
    tape = TransformersSubject(model, bert_tokenizer()).watch(TEXTS, gradient=True)
    (gradient,) = torch.autograd.grad(tape.logits[:, 0].sum(), tape[0].output)
    assert gradient.abs().sum() > 0


def test_the_model_is_left_as_it_was() -> None:
    model = bert()
    model.train()
    model.bert.pooler.eval()
    before = [module.training for module in model.modules()]
    subject = TransformersSubject(model, bert_tokenizer())
    torch.testing.assert_close(subject.decide(TEXTS), subject.decide(TEXTS), atol=0, rtol=0)
    assert [module.training for module in model.modules()] == before
    assert all(p.grad is None for p in model.parameters())


def test_known_readouts_agree_with_the_measured_ones() -> None:
    cases = [
        (bert(), bert_tokenizer(), FirstRow()),
        (llama("LlamaForSequenceClassification"), gpt_tokenizer(), LastRow()),
        (gpt2(), gpt_tokenizer(), LastRow()),
    ]
    for model, tokenizer, known in cases:
        subject = TransformersSubject(model, tokenizer)
        assert subject._rows == known
        wanted = subject.readout(subject.watch(TEXTS))
        measured = TransformersSubject(model, tokenizer, readout=MeasuredRows())
        for tape in (measured.watch(TEXTS), measured.watch(TEXTS, gradient=True)):
            torch.testing.assert_close(measured.readout(tape), wanted, atol=1e-6, rtol=0)


def test_readout_with_a_summary_only() -> None:
    from zhuyi.core import Statistics

    subject = TransformersSubject(bert(), bert_tokenizer(), readout=MeasuredRows())
    tape = subject.watch(TEXTS, Keep(matrix=False, statistics=Statistics()))
    assert subject.readout(tape)[:, 0].tolist() == pytest.approx([1.0] * 3)


def test_a_decision_by_name() -> None:
    assert classifier().target_named("LABEL_2") == 2
    subject = TransformersSubject(gpt2(), gpt_tokenizer())
    assert subject.labels[subject.target_named("the")] == "the"
    assert subject.target_named(" the") == subject.processor.convert_tokens_to_ids("Ġthe")
    with pytest.raises(InputError, match="is 2 tokens of this vocabulary"):
        subject.target_named("xy")
    with pytest.raises(InputError, match="not one of the 3 labels"):
        classifier().target_named("happy")


def test_slow_tokenizers_are_aligned_by_their_spelling() -> None:
    subject = classifier()
    fast = subject.units(TEXTS[:2])
    slow = TransformersSubject(bert(), SlowTokenizer(bert_tokenizer()))
    assert slow.units(TEXTS[:2]) == fast
    with pytest.raises(InputError, match="needs a fast tokenizer"):
        slow.units([("a fox", "a dog")])


class SlowTokenizer:
    """A tokenizer without offsets, as the pure Python ones are."""

    is_fast = False

    def __init__(self, fast: Any) -> None:
        self._fast = fast

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fast, name)

    def __len__(self) -> int:
        return len(self._fast)

    def __call__(self, text: str, text_pair: str | None = None, **options: Any) -> Any:
        assert not options["return_offsets_mapping"]
        encoding = self._fast(text, text_pair, **options)
        return {name: encoding[name] for name in encoding}

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(token.removeprefix("##") for token in tokens)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([""], "input 1 is an empty text"),
        (["the fox", " \n"], "input 2 is an empty text"),
        (["fox " * 40], "input 1 has 42 tokens, the model takes at most 32"),
        ("the fox", "expected a list of texts, got str"),
        ([], "got an empty list"),
        ([3], "input 1 must be one of texts, got int"),
        (["\u200b"], "no text that the tokenizer knows"),
    ],
)
def test_bad_inputs_say_what_is_wrong(batch: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        classifier().decide(batch)
    assert "\n" not in str(caught.value)


def test_similarity_wants_pairs() -> None:
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="similarity")
    with pytest.raises(InputError, match="input 1 must be one of pairs of texts, got one text"):
        subject.decide(["the fox"])


def test_bad_keep_and_foreign_tapes() -> None:
    subject = classifier()
    for keep in (torch.ones(1, 3, dtype=torch.bool), torch.ones(1, 8)):
        with pytest.raises(ShapeError, match=r"keep must be bool \(B, N\) = \(1, 8\)"):
            subject.decide(TEXTS[:1], keep)
    with pytest.raises(InputError, match="not from this subject"):
        classifier().readout(subject.watch(TEXTS))


def test_no_tokenizer() -> None:
    with pytest.raises(InputError, match="needs a tokenizer"):
        TransformersSubject(bert())
    with pytest.raises(InputError, match="needs a tokenizer"):
        TransformersSubject(gpt2())
