"""A logger leaves no trace: parameters, buffers, modes and generators are what they would be."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.ui.live.trainings import Remembering, log, noise, subject_of, tiny, train
from zhuyi.ui.live import AttentionLogger, FolderArchive, FolderSink, Probe, logger
from zhuyi.ui.live.untouched import beside, untouched, unwrapped

STEPS = 7


def seeded_state(run: Callable[[nn.Module], None]) -> dict[str, torch.Tensor]:
    """Parameters and buffers after a training, and what the global generator would give next."""
    model = tiny()
    torch.manual_seed(11)
    run(model)
    return {**model.state_dict(), "next draw": torch.rand(4)}


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(left[name], right[name]) for name in left)


@pytest.fixture(scope="module")
def plain() -> dict[str, torch.Tensor]:
    return seeded_state(lambda model: train(model, STEPS) and None)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"every": 1},
        {"every": 1, "verify_every": 3, "verify_last": True},
    ],
    ids=["subject", "every step", "with verdicts"],
)
def test_training_is_bit_equal(plain: dict[str, torch.Tensor], options: dict[str, object]) -> None:
    sink = Remembering()
    logged = seeded_state(lambda model: log(model, sink, STEPS, **options))
    assert len(sink.steps()) >= 4
    assert same(plain, logged)


def test_training_is_bit_equal_with_a_module_as_probe(plain: dict[str, torch.Tensor]) -> None:
    sink = Remembering()
    inputs = noise(2, 5, 16, seed=9)
    logged = seeded_state(lambda m: log(m, sink, STEPS, probe=Probe(model=m, inputs=inputs)))
    assert len(sink.steps()) == 4
    assert same(plain, logged)


def test_a_look_that_leaves_a_trace_is_noticed(
    plain: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def careless(module: nn.Module | None) -> Iterator[None]:
        with torch.no_grad():
            yield  # training mode stays on: dropout draws, batch norm learns

    monkeypatch.setattr(logger, "untouched", careless)
    inputs = noise(2, 5, 16, seed=9)
    logged = seeded_state(
        lambda m: log(m, Remembering(), STEPS, probe=Probe(model=m, inputs=inputs))
    )
    assert not same(plain, logged)


def test_mixed_modes_come_back_also_after_an_error() -> None:
    model = tiny()
    model.train()
    model.encoder.layers[1].eval()
    before = {name: module.training for name, module in model.named_modules()}
    with pytest.raises(ValueError, match="inside"), untouched(model):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        torch.rand(3)
        raise ValueError("inside")
    assert {name: module.training for name, module in model.named_modules()} == before
    assert torch.is_grad_enabled()


def test_a_look_is_the_same_inside_autocast() -> None:
    inside, outside = Remembering(), Remembering()
    for sink, enabled in ((inside, True), (outside, False)):
        model = tiny().train()
        logging = AttentionLogger(sink, (subject_of(model), noise(1, 5, 16)), every=1)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            logging.step(0)
            model(noise(6, 5, 16)).float().square().sum().backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
    assert inside.moments["0", 0].layers == outside.moments["0", 0].layers
    assert inside.numbers == outside.numbers


def test_no_gradient_is_left_behind() -> None:
    model = tiny()
    with AttentionLogger(Remembering(), (subject_of(model), noise(1, 5, 16))) as logging:
        logging.step(0)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_hooks_are_gone() -> None:
    model = tiny()
    before = copy.deepcopy({name: len(m._forward_hooks) for name, m in model.named_modules()})
    with AttentionLogger(Remembering(), (model, noise(1, 5, 16))) as logging:
        logging.step(0)
    assert {name: len(m._forward_hooks) for name, m in model.named_modules()} == before


def test_inputs_follow_a_model_that_was_moved() -> None:
    away = nn.Linear(2, 2, device="meta")
    given = (noise(2), {"a": [noise(3)], "b": 3}, "text")
    moved = beside(away, given)
    assert moved[0].device.type == moved[1]["a"][0].device.type == "meta"
    assert (moved[1]["b"], moved[2]) == (3, "text")
    assert given[0].device.type == "cpu"
    assert beside(None, given) is given


def test_wrappers_are_opened() -> None:
    model = tiny()
    assert unwrapped(nn.DataParallel(model)) is model
    assert unwrapped(torch.compile(model, backend="eager")) is model


def test_sharded_models_are_refused() -> None:
    kind = type("FullyShardedDataParallel", (nn.Sequential,), {})
    with pytest.raises(RuntimeError, match="FullyShardedDataParallel keeps its weights spread"):
        AttentionLogger(Remembering(), (kind(tiny()), noise(1, 5, 16)))


def in_two_processes(rank: int, folder: str) -> None:
    """One of two processes of a distributed training that logs."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2
    )
    torch.set_num_threads(1)
    model = tiny()
    wrapped = nn.parallel.DistributedDataParallel(model)
    sink = FolderSink(f"{folder}/{rank}")
    with AttentionLogger(sink, (wrapped, noise(1, 5, 16)), every=1) as logging:
        train(wrapped, 3, logging.step, noise(6, 5, 16, seed=rank))
    numbers = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    Path(folder, f"{rank}.bytes").write_bytes(numbers.numpy().tobytes())
    torch.distributed.destroy_process_group()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_a_distributed_training_is_logged_once(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(in_two_processes, args=(str(tmp_path),), nprocs=2)
    assert FolderArchive(tmp_path / "0").tracks()[0].steps == (0, 1, 2)
    assert FolderArchive(tmp_path / "1").tracks() == ()
    first, second = ((tmp_path / f"{rank}.bytes").read_bytes() for rank in (0, 1))
    assert first == second, "the processes hold the same weights"
