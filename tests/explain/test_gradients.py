"""Gradient times input and integrated gradients: closed forms, completeness, and Captum."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trace.subject_models import bert, bert_tokenizer, gpt_tokenizer, llama, vit
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.explain import InputGradient, IntegratedGradients, Occlusion
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.module_subject import ModuleSubject

TEXTS = ("The quick brown fox jumped.", "good film")
IMAGES = torch.linspace(-3, 3, 2 * 3 * 144).sin().reshape(2, 3, 12, 12)


class Quadratic(nn.Module):
    """Two logits of a "B 3 2" input, with gradients known by hand."""

    def forward(self, inputs: Tensor) -> Tensor:
        weights = torch.tensor([[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]])
        linear = (inputs * weights).sum((1, 2))
        square = inputs.square().sum((1, 2))
        return torch.stack((linear, square), 1)


def by_hand(removed: float = 0.0) -> ModuleSubject:
    return ModuleSubject(Quadratic(), unit_names="abc", labels=("line", "square"), removed=removed)


POINT = torch.tensor([[[1.0, 2.0], [-1.0, 0.5], [3.0, 0.0]]])


def test_gradient_times_input_by_hand() -> None:
    found = InputGradient()(by_hand(), POINT, 0)
    assert found.values.tolist() == [[-3.0, 1.0, 0.0]]
    assert found.signed
    square = InputGradient()(by_hand(), POINT)  # 15.25 beats -2
    assert square.target == (1,)
    assert square.values.tolist() == [[10.0, 2.5, 18.0]]
    length = InputGradient(times_input=False)(by_hand(), POINT, 0)
    torch.testing.assert_close(length.values, torch.tensor([[5.0, 9.25, 1.0]]).sqrt())
    assert not length.signed


@pytest.mark.parametrize("removed", [0.0, 1.0])
def test_integrated_gradients_by_hand(removed: float) -> None:
    """The integral of a quadratic is exact with one Gauss point: x^2 - x'^2."""
    found = IntegratedGradients(steps=1)(by_hand(removed), POINT, 1)
    wanted = (POINT.square() - removed**2).sum(2)
    torch.testing.assert_close(found.values, wanted)
    assert found.evidence["difference"] == pytest.approx([float(wanted.sum())])
    assert found.evidence["completeness_error"] == pytest.approx([0.0], abs=1e-5)


def cases() -> dict[str, tuple[TransformersSubject, Any]]:
    return {
        "classes": (TransformersSubject(bert(), bert_tokenizer()), TEXTS),
        "next token": (TransformersSubject(llama(), gpt_tokenizer(padding=True)), TEXTS),
        "images": (TransformersSubject(vit()), IMAGES),
        "pairs": (
            TransformersSubject(bert("BertModel"), bert_tokenizer(), task="similarity"),
            [TEXTS, ("the fox", "a dog")],
        ),
        "embedding": (TransformersSubject(bert("BertModel"), bert_tokenizer()), TEXTS),
    }


@pytest.mark.parametrize("name", ["classes", "next token", "images", "pairs", "embedding"])
def test_completeness(name: str) -> None:
    subject, batch = cases()[name]
    found = IntegratedGradients(steps=96)(subject, batch)
    with torch.no_grad():
        whole = subject.decide_embedded(batch, subject.embed(batch))
        empty = subject.decide_embedded(batch, subject.baseline(batch))
    rows = torch.arange(2)
    difference = (whole - empty)[rows, list(found.target)]
    error = (found.values.sum(1) - difference).abs()
    assert error.max() < 0.02 * max(1.0, float(difference.abs().max()))
    assert found.evidence["completeness_error"] == pytest.approx(error.tolist(), abs=1e-5)
    assert found.evidence["difference"] == pytest.approx(difference.tolist(), abs=1e-5)
    fewer = IntegratedGradients(steps=2)(subject, batch, found.target)
    assert max(fewer.evidence["completeness_error"]) > float(error.max())  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["classes", "next token", "images", "pairs"])
def test_against_captum(name: str) -> None:
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    subject, batch = cases()[name]
    vectors, start = subject.embed(batch), subject.baseline(batch)
    target = [1, 0]
    step = subject._decision.per_input

    def forward(flat: Tensor) -> Tensor:
        """Captum wants inputs in dimension 0, and calls with several copies of the batch."""
        copies = flat.shape[0] // len(batch)
        several = (
            list(batch) * copies if not isinstance(batch, Tensor) else batch.repeat(copies, 1, 1, 1)
        )
        return subject.decide_embedded(several, flat.reshape(-1, *vectors.shape[1:]))

    def joined(flat: Tensor) -> Tensor:
        return subject.gather(batch, flat.reshape(vectors.shape).sum(2)).float()

    def shaped(vectors: Tensor) -> Tensor:
        return vectors.reshape(len(batch), step * vectors.shape[1], vectors.shape[2])

    integrated = captum.IntegratedGradients(forward).attribute(
        shaped(vectors), shaped(start), target=target, n_steps=12, method="gausslegendre"
    )
    found = IntegratedGradients(steps=12)(subject, batch, target)
    torch.testing.assert_close(found.values, joined(integrated), atol=2e-5, rtol=1e-4)
    sloped = captum.InputXGradient(forward).attribute(
        shaped(vectors).requires_grad_(), target=target
    )
    found = InputGradient()(subject, batch, target)
    torch.testing.assert_close(found.values, joined(sloped.detach()), atol=2e-5, rtol=1e-4)


def test_occlusion_against_captum() -> None:
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    subject = TransformersSubject(vit())

    def forward(pixels: Tensor) -> Tensor:
        return subject.decide(pixels)

    maps = captum.Occlusion(forward).attribute(
        IMAGES, (3, 4, 4), strides=(3, 4, 4), baselines=0, target=[1, 0]
    )
    found = Occlusion(batch_size=5)(subject, IMAGES, (1, 0))
    wanted = maps[:, 0, ::4, ::4].reshape(2, 9)
    torch.testing.assert_close(found.values[:, 1:], wanted.float(), atol=1e-6, rtol=1e-4)
    assert not found.values[:, 0].any()


def test_subjects_without_vectors_say_so() -> None:
    class Closed:
        """A subject that only decides."""

    with pytest.raises(NotWatchable, match="Closed has no embed"):
        InputGradient()(Closed(), TEXTS)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="steps must be at least 1"):
        IntegratedGradients(steps=0)
