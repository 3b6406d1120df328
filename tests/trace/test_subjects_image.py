"""Image subjects: patches, gray patches, pixels in the place of embeddings."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.trace.subject_models import SIZES, built, transformers, vit
from zhuyi.errors import InputError, ShapeError
from zhuyi.trace.adapters.transformers_subject import TransformersSubject


def images(count: int = 2) -> Tensor:
    return torch.randn(count, 3, 12, 12, generator=torch.Generator().manual_seed(3))


def test_units_are_patches_by_row_and_column() -> None:
    (units, _) = TransformersSubject(vit()).units(images())
    assert [u.label for u in units] == [
        "[CLS]",
        *(f"({row}, {column})" for row in range(3) for column in range(3)),
    ]
    assert [u.positions for u in units] == [(n,) for n in range(10)]
    assert [u.special for u in units] == [True, *[False] * 9]


def test_decide_and_readout() -> None:
    subject = TransformersSubject(vit())
    with torch.no_grad():
        wanted = subject.model(pixel_values=images()).logits.softmax(1)
    torch.testing.assert_close(subject.decide(images()), wanted, atol=0, rtol=0)
    tape = subject.watch(images())
    assert tape[0].matrix.shape == (2, 4, 10, 10)
    assert subject.readout(tape).tolist() == [[1.0] + [0.0] * 9] * 2


def test_a_removed_patch_is_gray() -> None:
    subject = TransformersSubject(vit())
    keep = torch.ones(2, 10, dtype=torch.bool)
    keep[1, 6] = False  # row 1, column 2
    keep[1, 0] = False  # [CLS] stays
    painted = images()
    painted[1, :, 4:8, 8:12] = 0.0
    assert subject.removal == "gray patch"
    torch.testing.assert_close(subject.decide(images(), keep), subject.decide(painted))
    with pytest.raises(ShapeError, match=r"\(2, 10\)"):
        subject.decide(images(), keep[:, 1:])


def test_pixels_go_through_patches_and_back() -> None:
    subject = TransformersSubject(vit())
    vectors = subject.embed(images())
    assert vectors.shape == (2, 10, 48)
    assert torch.equal(vectors[1, 6].reshape(3, 4, 4), images()[1, :, 4:8, 8:12])
    logits = subject.decide_embedded(images(), vectors)
    torch.testing.assert_close(logits.detach(), subject.watch(images()).logits)
    assert not subject.baseline(images()).any()


@pytest.mark.parametrize("pooled", [True, False])
def test_mean_pooling_leaves_the_first_position_out(pooled: bool) -> None:
    config = transformers.BeitConfig(
        image_size=12, patch_size=4, intermediate_size=32, use_mean_pooling=pooled, **SIZES
    )
    subject = TransformersSubject(built(transformers.BeitForImageClassification, config))
    row = subject.readout(subject.watch(images(1)))[0]
    assert row.tolist() == pytest.approx([0.0] + [1 / 9] * 9 if pooled else [1.0] + [0.0] * 9)


@pytest.mark.parametrize(
    ("name", "options", "leading"),
    [
        ("DeiT", {}, ["[CLS]", "[DISTILL]"]),
        ("Dinov2", {}, ["[CLS]"]),
        ("Dinov2WithRegisters", {"num_register_tokens": 2}, ["[CLS]", "[REG0]", "[REG1]"]),
        ("ViTMSN", {}, ["[CLS]"]),
        ("IJepa", {}, []),
    ],
)
def test_positions_are_those_of_the_attention(
    name: str, options: dict[str, Any], leading: list[str]
) -> None:
    kind = getattr(transformers, f"{name}Config")
    config = kind(image_size=12, patch_size=4, intermediate_size=32, **SIZES, **options)
    model = built(getattr(transformers, f"{name}ForImageClassification"), config)
    subject = TransformersSubject(model)
    units = subject.units(images())
    assert [u.label for u in units[0] if u.special] == leading
    tape = subject.watch(images())
    assert tape[0].matrix.shape[3] == len(units[0])
    rows = subject.readout(tape)
    torch.testing.assert_close(rows.sum(1), torch.ones(2))


def test_a_processor_is_used_for_what_is_no_tensor() -> None:
    class Doubling:
        def __call__(self, *, images: list[Any], return_tensors: str) -> Any:
            assert return_tensors == "pt"
            if images[0] is None:
                raise ValueError("cannot identify image\nfile")
            return transformers.BatchFeature({"pixel_values": torch.ones(len(images), 3, 12, 12)})

    subject = TransformersSubject(vit(), Doubling())
    torch.testing.assert_close(subject.decide([0]), subject.decide(torch.ones(1, 3, 12, 12)))
    with pytest.raises(InputError, match=r"the image cannot be read: cannot identify image file$"):
        subject.decide([None])
    with pytest.raises(InputError, match="got a text: open the file"):
        subject.decide(["https://example.org/cat.png"])


def test_images_of_any_mode_are_read_in_color() -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    processor = transformers.models.vit.image_processing_pil_vit.ViTImageProcessorPil(
        size={"height": 12, "width": 12}
    )
    subject = TransformersSubject(vit(), processor)
    gray = subject.decide([image.new("L", (40, 30), 200)])
    color = subject.decide([image.new("RGB", (40, 30), (200, 200, 200))])
    torch.testing.assert_close(gray, color)
    red = subject.embed([image.new("RGB", (40, 30), (255, 0, 0))])
    assert red[0, 1].reshape(3, 4, 4).mean((1, 2)).tolist() == pytest.approx([1.0, -1.0, -1.0])


def test_bad_images() -> None:
    subject = TransformersSubject(vit())
    with pytest.raises(InputError, match=r"pixels must be .* = \(3, 12, 12\), got \(1, 3, 8, 8\)"):
        subject.decide(torch.zeros(1, 3, 8, 8))
    with pytest.raises(InputError, match="no image processor"):
        subject.decide(["cat.png"])
    with pytest.raises(InputError, match="expected a list of images"):
        subject.decide("cat.png")


def test_windowed_models_are_refused() -> None:
    config = transformers.SwinConfig(
        image_size=32, patch_size=4, embed_dim=8, num_heads=[2, 2, 2, 2]
    )
    with pytest.raises(InputError, match="'swin' do not have one position a patch"):
        TransformersSubject(built(transformers.SwinForImageClassification, config))
