"""Every breaker, planted in a small model, lowers the level; without it the level is exact."""

from typing import Any

import pytest
import torch
from torch import nn

from tests.steer.certify import planted
from tests.steer.certify.planted import OWN, PLANTS, Model
from zhuyi.core.record import Unit
from zhuyi.steer.certify import Certificate, certify
from zhuyi.steer.certify.breakers import read_model
from zhuyi.steer.certify.known import known
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column

VETO = Rules().veto(Column(planted.VETOED), id="v")


def certified(model: nn.Module, **options: Any) -> Certificate:
    options = {"trusted": OWN, "swaps": 6, **options}
    return certify(model, VETO, planted.inputs(), reader=planted.reader(), **options)


def test_the_same_model_without_a_breaker_is_exact() -> None:
    found = certified(Model(nn.Identity()).eval())["v"]
    assert found.level == "exact"
    assert not found.failed


@pytest.mark.parametrize("name", PLANTS)
def test_breaker_lowers_the_level(name: str) -> None:
    plant = PLANTS[name]
    known_types = OWN if plant.item else (*OWN, planted.Shifted, planted.Broadcast)
    found = certified(plant.build().eval(), trusted=known_types)["v"]
    failed = {item.name for item in found.failed}
    assert found.level == ("steer" if "applied" in failed else "direct")
    assert plant.item is None or plant.item in failed
    # What really leaks is also seen to leak, or the rule could not be applied at all.
    assert not plant.leaks or failed & {"swaps", "taint", "applied"}
    assert found.offered == "input"


def test_training_mode_lowers_the_level() -> None:
    found = certified(Model(nn.Identity()).train())["v"]
    assert found.level == "steer"
    assert found.item("training mode").state == "failed"  # type: ignore[union-attr]


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalization_is_found_in_either_mode(training: bool) -> None:
    model = Model(planted.Turned(nn.BatchNorm1d(planted.WIDTH))).train(training)
    found = certified(model)["v"]
    assert found.level != "exact"
    assert "normalization" in {item.name for item in found.failed}


def test_unknown_modules_refuse_exact_and_offer_input() -> None:
    found = certified(Model(nn.Identity()).eval(), trusted=())["v"]
    assert (found.level, found.offered) == ("direct", "input")
    assert [item.name for item in found.failed] == ["unknown modules"]
    assert "Model" in found.failed[0].said.en


def test_a_subclass_of_a_known_module_is_unknown() -> None:
    class Mixed(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + x.mean(1, keepdim=True)

    assert known(nn.Linear(2, 2), "")
    assert not known(Mixed(2, 2), "")
    assert certified(Model(Mixed(8, 8)).eval())["v"].level == "direct"


def test_a_class_of_another_architecture_is_unknown() -> None:
    """A model's name opens the door to its own modules only."""
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=9
    )
    module = transformers.models.bert.modeling_bert.BertLayer(config)
    assert known(module, "bert")
    assert not known(module, "roberta")
    assert not known(module, "")


def test_foreign_hooks_are_found() -> None:
    model = Model(nn.Identity()).eval()
    handle = model.layer.register_forward_hook(
        lambda module, args, output: output + output.mean(1, True)
    )
    found = certified(model)["v"]
    handle.remove()
    assert found.level == "direct"
    assert {"hooks", "swaps", "taint", "gradient"} <= {item.name for item in found.failed}
    assert certified(model)["v"].level == "exact"


def test_a_forward_of_its_own_is_found() -> None:
    model = Model(nn.Identity()).eval()
    model.inner.forward = lambda x: x + x.mean(1, keepdim=True)  # type: ignore[method-assign]
    assert {"hooks", "swaps", "taint"} <= {item.name for item in certified(model)["v"].failed}


def test_an_activation_that_is_a_function_is_unknown() -> None:
    """No module shows it, so nobody can read what it does."""
    model = Model(nn.Identity())
    model.layer = nn.TransformerEncoderLayer(
        8, 2, 16, batch_first=True, activation=lambda x: x - x.mean(1, keepdim=True)
    )
    failed = {item.name for item in certified(model.eval())["v"].failed}
    assert {"unknown modules", "swaps", "taint", "gradient"} <= failed


def test_parametrizations_are_found() -> None:
    model = Model(nn.Linear(8, 8)).eval()
    torch.nn.utils.parametrizations.weight_norm(model.inner)
    assert "hooks" in {item.name for item in read_model(model, OWN) if item.state == "failed"}


@pytest.mark.parametrize(
    ("convolution", "item"),
    [
        (nn.Conv2d(3, 8, 4, stride=4), None),
        (nn.Conv2d(3, 8, 6, stride=4), "patch overlap"),
        (nn.Conv2d(3, 8, 4, stride=4, dilation=2), "patch overlap"),
        (nn.Conv2d(3, 8, 4, stride=4, padding=1), "unknown modules"),
        (nn.Conv2d(3, 8, 3), "convolution"),
        (nn.Conv1d(3, 8, 1), None),
        (nn.ConvTranspose1d(3, 8, 4, stride=4), "convolution"),
        (nn.Unfold(2), "convolution"),
    ],
)
def test_patches_beside_each_other_are_no_convolution(
    convolution: nn.Module, item: str | None
) -> None:
    found = read_model(nn.Sequential(convolution).eval())
    failed = [one.name for one in found if one.state == "failed"]
    assert (item in failed) if item else not failed


class Patches(nn.Module):
    """An image's patches, one row each."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(3, planted.WIDTH, size, stride=4)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.cut(image).flatten(2).transpose(1, 2)


@pytest.mark.parametrize(("size", "level"), [(4, "exact"), (6, "direct")])
def test_overlapping_patches_lower_the_level(size: int, level: str) -> None:
    side = 8 + size  # three patches a side
    reader = UnitReader([Unit(label=f"p{n}", positions=(n,)) for n in range(9)])
    image = torch.randn(4, 3, side, side, generator=torch.Generator().manual_seed(0))
    rules = Rules().veto(Column("p4"), id="v")
    options: dict[str, Any] = {"reader": reader, "trusted": (*OWN, Patches), "swaps": 3}
    found = certify(Model(Patches(size)).eval(), rules, image, **options)["v"]
    assert found.level == level
    overlap = ["patch overlap", "unknown modules"]  # no convolution but plain patches is known
    assert [item.name for item in found.failed] == ([] if level == "exact" else overlap)


def test_patches_whose_vectors_are_not_found_claim_nothing() -> None:
    class Bare(Patches):
        def __init__(self) -> None:
            super().__init__(4)
            self.layer = nn.TransformerEncoderLayer(planted.WIDTH, 2, 16, batch_first=True)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.layer(super().forward(image))[:, 0]

    reader = UnitReader([Unit(label=f"p{n}", positions=(n,)) for n in range(9)])
    rules = Rules().veto(Column("p4"), id="v")
    image = torch.randn(2, 3, 12, 12)
    found = certify(Bare().eval(), rules, image, reader=reader, trusted=(Bare,), swaps=2)["v"]
    assert found.level == "direct"
    unchecked = {item.name for item in found.items if item.state == "unchecked"}
    assert {"swaps", "taint", "gradient"} <= unchecked


@pytest.mark.parametrize(
    ("module", "item"),
    [
        (nn.TransformerDecoderLayer(8, 2, 8, batch_first=True), "second sequence"),
        (nn.LSTM(8, 8), "recurrence"),
        (nn.AdaptiveAvgPool1d(1), "pooling"),
        (nn.Flatten(), "pooling"),
        (nn.SyncBatchNorm(8), "normalization"),
        (nn.LogSoftmax(dim=-2), "normalization"),
    ],
)
def test_kinds_are_named(module: nn.Module, item: str) -> None:
    failed = {one.name for one in read_model(nn.Sequential(module).eval()) if one.state == "failed"}
    assert item in failed


def test_encoder_decoders_are_named() -> None:
    model = nn.Sequential(nn.Linear(2, 2)).eval()
    model.config = type("Config", (), {"is_encoder_decoder": True, "model_type": "t5"})()
    failed = {one.name for one in read_model(model) if one.state == "failed"}
    assert "one sequence" in failed
