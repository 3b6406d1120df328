"""The life of a watch: restoration, errors, nesting, threads, refusals, plans."""

import asyncio
import copy
import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

from tests.trace.models import (
    HandMade,
    HandMadeAttention,
    TimmAttention,
    TimmViT,
    noise,
    seeded,
    truth,
)
from zhuyi.core import Statistics, attend
from zhuyi.core.seam import observer
from zhuyi.errors import NotKept, NotWatchable, OptionError
from zhuyi.layers import Attention
from zhuyi.trace import Keep, watch


def snapshot(model: nn.Module) -> dict[str, Any]:
    """Everything a module holds, hooks and their flags included."""
    state: dict[str, Any] = {}
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, dict):
                value = {k: v for k, v in value.items() if not isinstance(v, nn.Module)}
                value = {
                    k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in value.items()
                }
            state[f"{name}.{key}"] = copy.copy(value)
    return state


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Two snapshots are equal, tensors bit for bit."""
    assert before.keys() == after.keys()
    for key, value in before.items():
        if isinstance(value, dict):
            assert list(value) == list(after[key]), key
            for name, one in value.items():
                other = after[key][name]
                same = torch.equal(one, other) if isinstance(one, torch.Tensor) else one is other
                assert same, f"{key}.{name}"
        else:
            assert type(value) is type(after[key]), key
            assert value == after[key], key


class Failing(TimmViT):
    """Raises in the middle of a pass when asked to."""

    fail = False

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = super().forward(image)
        if self.fail:
            raise KeyError("inside the model")
        return x


def nothing_left(model: nn.Module) -> bool:
    """No mode, no observer, no hook."""
    hooks = any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    return not hooks and not _get_current_function_mode_stack() and observer.get() is None


def test_leaving_restores_the_model_bit_for_bit() -> None:
    model, image = seeded(TimmViT), noise(1, 3, 8, 8)
    seen = []
    model.blocks[0].register_forward_hook(lambda *_: seen.append(1))
    model.extra = "kept"
    before = snapshot(model)
    with watch(model):
        model(image)
    assert_same(before, snapshot(model))
    assert seen == [1]
    assert not _get_current_function_mode_stack()


def test_an_exception_restores_the_model_and_is_not_replaced() -> None:
    model, image = seeded(Failing), noise(1, 3, 8, 8)
    before = snapshot(model)
    with pytest.raises(KeyError, match="inside the model"), watch(model):
        model.fail = True
        model(image)
    model.fail = False
    del model.fail
    assert_same(before, snapshot(model))
    assert nothing_left(model)


def test_a_pass_that_failed_does_not_disturb_the_next_one() -> None:
    model, image = seeded(Failing), noise(1, 3, 8, 8)
    with watch(model) as tape:
        model.fail = True
        with pytest.raises(KeyError):
            model(image)
        model.fail = False
        model(image)
    assert [one.root for one in tape.passes] == ["", ""]
    assert [s.index for s in tape.passes[1].sites] == [0, 1]


def test_nothing_of_the_model_is_kept_alive_by_a_closed_watch() -> None:
    model = seeded(TimmViT)
    with watch(model) as tape:
        model(noise(1, 3, 8, 8))
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None
    assert len(tape) == 2


def test_nested_watches_each_see_their_model() -> None:
    model, image = seeded(TimmViT), noise(1, 3, 8, 8)
    with watch(model) as outer:
        model(image)
        with watch(model.blocks[1], Keep(matrix=False, statistics=Statistics())) as inner:
            model(image)
        model(image)
    assert len(outer.passes) == 3
    assert [site.name for site in inner.sites] == ["attn"]
    assert inner[0].summary.received.shape == (1, 2, 5)
    assert inner[0].matrix is None
    assert outer.passes[1][1].matrix.shape == (1, 2, 5, 5)
    assert nothing_left(model)


def test_watches_may_leave_in_any_order() -> None:
    model, image = seeded(TimmViT), noise(1, 3, 8, 8)
    before = snapshot(model)
    first, second = watch(model), watch(model)
    first_tape, second_tape = first.__enter__(), second.__enter__()
    model(image)
    first.__exit__(None, None, None)
    model(image)
    second.__exit__(None, None, None)
    model(image)
    assert (len(first_tape.passes), len(second_tape.passes)) == (1, 2)
    assert_same(before, snapshot(model))
    assert nothing_left(model)


class Doubling(TorchFunctionMode):
    """Another library's mode."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


def test_a_mode_entered_inside_and_left_outside_survives() -> None:
    model = seeded(TimmViT)
    other, own = Doubling(), watch(model)
    own.__enter__()
    other.__enter__()
    model(noise(1, 3, 8, 8))
    own.__exit__(None, None, None)
    assert _get_current_function_mode_stack() == [other]
    other.__exit__(None, None, None)
    assert nothing_left(model)


def test_threads_see_only_their_own_runs_of_one_model() -> None:
    model = seeded(TimmViT)
    images = [noise(n, 3, 8, 8, seed=n) for n in range(1, 5)]
    results: dict[int, list[tuple[int, ...]]] = {}
    barrier = threading.Barrier(len(images))

    def work(n: int) -> None:
        for _ in range(5):
            barrier.wait()
            with torch.no_grad(), watch(model) as tape:
                for _ in range(3):
                    model(images[n])
            shapes = [s.matrix.shape for one in tape.passes for s in one]
            results.setdefault(n, []).extend(shapes)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(len(images)):
        assert results[n] == [(n + 1, 2, 5, 5)] * (5 * 3 * 2)
    assert nothing_left(model)


def test_interleaved_tasks_of_one_thread_do_not_disturb_each_other() -> None:
    model, image = seeded(TimmViT), noise(1, 3, 8, 8)

    async def work(rounds: int) -> int:
        with watch(model) as tape:
            for _ in range(rounds):
                await asyncio.sleep(0)
                model(image)
        return len(tape.passes)

    async def both() -> list[int]:
        return await asyncio.gather(work(2), work(5))

    # in a thread of its own: a browser test may have left this one's event loop running
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, both()).result() == [2, 5]
    assert nothing_left(model)


def test_a_run_in_another_thread_is_not_seen() -> None:
    model, image = seeded(TimmViT), noise(1, 3, 8, 8)
    with pytest.raises(NotWatchable, match="in this thread"), watch(model):
        thread = threading.Thread(target=model, args=(image,))
        thread.start()
        thread.join()


def test_a_model_without_a_run_says_so() -> None:
    model = seeded(TimmViT)
    with pytest.raises(NotWatchable, match="TimmViT ran yet.*call the model inside"), watch(model):
        pass
    with watch(model) as tape:
        with pytest.raises(NotWatchable, match="ran yet"):
            len(tape)
        with pytest.raises(NotWatchable, match="ran yet"):
            tape.sites  # noqa: B018
        model(noise(1, 3, 8, 8))
    assert len(tape) == 2


def test_hand_made_attention_is_refused_by_name() -> None:
    model = nn.Sequential(HandMadeAttention(), nn.Linear(4, 4))
    with pytest.raises(NotWatchable, match=r"own operations.* in 0 \(HandMadeAttention\)$"):
        with watch(model):
            model(noise(1, 3, 4))
    for plain, x in ((HandMade(), noise(1, 3, 4)), (nn.Sequential(nn.Linear(4, 4)), noise(1, 4))):
        with pytest.raises(NotWatchable, match="no attention took place"), watch(plain):
            plain(x)


def test_unseen_attention_beside_seen_one_is_listed() -> None:
    model = nn.Sequential(seeded(TimmAttention), HandMadeAttention())
    with watch(model) as tape:
        model(noise(1, 3, 16))
    assert [site.name for site in tape.sites] == ["0"]
    assert tape.unseen == ("1 (HandMadeAttention)",)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_closed_models_are_refused_on_entering() -> None:
    model = seeded(TimmViT)
    with pytest.raises(NotWatchable, match=r"torch.compile"):
        watch(torch.compile(model)).__enter__()
    in_place = seeded(TimmViT)
    in_place.blocks[0].compile()
    with pytest.raises(NotWatchable, match=r"blocks.0 \(TimmBlock\) is compiled"):
        watch(in_place).__enter__()
    scripted = nn.Sequential(torch.jit.script(nn.Linear(4, 4)))
    with pytest.raises(NotWatchable, match=r"0 \(RecursiveScriptModule\) is TorchScript"):
        watch(scripted).__enter__()
    with pytest.raises(OptionError, match=r"model must be a torch.nn.Module, got str"):
        watch("bert")  # type: ignore[arg-type]
    assert nothing_left(model)


def test_keep_by_layer_head_and_device() -> None:
    model, image = seeded(TimmViT), noise(2, 3, 8, 8)
    with torch.no_grad():
        with watch(model) as full:
            plain = model(image)
        with watch(model, Keep(layers=(1,), heads=(1,), device="cpu")) as tape:
            watched = model(image)
    assert torch.equal(plain, watched)
    assert [(site.name, site.index, site.heads) for site in tape.sites] == [("blocks.1.attn", 1, 2)]
    assert torch.equal(tape[0].matrix.materialize(), full[1].matrix.materialize()[:, 1:])
    assert torch.equal(tape[0].value, full[1].value[:, 1:])
    assert torch.equal(tape[0].output, full[1].output[:, 1:])
    with torch.no_grad(), watch(model, Keep(value=False)) as tape:
        model(image)
    assert tape[0].value is None
    assert tape[0].output is None
    with pytest.raises(OptionError, match=r"layers=\(7,\).* none of the 2 sites"):
        with watch(model, Keep(layers=(7,))):
            model(image)


def test_keep_refuses_what_keeps_nothing() -> None:
    with pytest.raises(OptionError, match="keeps nothing"):
        Keep(matrix=False)
    with pytest.raises(OptionError, match="layers must be"):
        Keep(layers=(-1,))
    with pytest.raises(OptionError, match="heads must be"):
        Keep(heads=())
    model = seeded(TimmViT)
    with pytest.raises(OptionError, match=r"heads.*below 2"), watch(model, Keep(heads=(2,))):
        model(noise(1, 3, 8, 8))


def test_a_tape_of_several_passes_asks_which() -> None:
    model, image = seeded(TimmViT), noise(1, 3, 8, 8)
    with watch(model) as tape:
        model(image)
        model(image)
    with pytest.raises(OptionError, match=r"2 forward passes.*tape.passes\[i\]"):
        tape[0]
    with pytest.raises(OptionError, match="2 forward passes"):
        len(tape)
    assert [len(one) for one in tape.passes] == [2, 2]
    assert len(tape.sites) == 2
    with pytest.raises(OptionError, match="no site is called 'x'"):
        tape.passes[0]["x"]
    with pytest.raises(OptionError, match="below 2"):
        tape.passes[0][2]


class Overwriting(nn.Module):
    """Writes into its keys after it attended."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        key = x.clone()
        output = F.scaled_dot_product_attention(x, key, x)
        key.zero_()
        return output


def test_tensors_overwritten_afterwards_are_never_shown() -> None:
    model, x = Overwriting(), noise(1, 2, 4, 8)
    with watch(model) as tape:
        model(x)
    with pytest.raises(NotKept, match="overwritten in place"):
        tape[0]
    with watch(model, Keep(matrix=False, statistics=Statistics())) as tape:
        model(x)
    expected = truth(x, x).sum(2)
    assert torch.allclose(tape[0].summary.received.double(), expected, rtol=0, atol=1e-5)


class OwnLayer(nn.Module):
    """A model that calls `zhuyi.attend`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return attend(x, x, x).output


def test_own_layers_are_seen_once_through_the_seam() -> None:
    model, x = nn.Sequential(OwnLayer(), OwnLayer()), noise(1, 2, 4, 8)
    with torch.no_grad():
        plain = model(x)
        with watch(model) as tape:
            watched = model(x)
        with watch(model, Keep(matrix=False, statistics=Statistics(), layers=(1,))) as streamed:
            model(x)
    assert torch.equal(plain, watched)
    assert [site.name for site in tape.sites] == ["0", "1"]
    assert [site.index for site in streamed.sites] == [1]
    expected = truth(tape[1].matrix.query, tape[1].matrix.key).sum(2)
    assert torch.allclose(streamed[0].summary.received.double(), expected, rtol=0, atol=1e-5)


def test_the_articles_layer_is_seen_with_its_kind() -> None:
    layer = seeded(lambda: Attention(16, 12, attention_width=8, num_heads=2))
    query, memory = noise(2, 3, 16), noise(2, 5, 12, seed=2)
    with torch.no_grad():
        plain = layer(query, memory, memory).output
        with watch(layer) as tape:
            watched = layer(query, memory, memory)
    assert torch.equal(plain, watched.output)
    assert [(site.name, site.kind, site.heads) for site in tape.sites] == [("", "cross", 2)]
    expected = watched.matrix.materialize()
    assert torch.equal(tape[0].matrix.materialize(), expected)


def test_calls_outside_the_watched_model_are_not_seen() -> None:
    model, other, x = seeded(TimmAttention), seeded(TimmAttention), noise(1, 4, 16)
    with watch(model) as tape:
        other(x)
        F.scaled_dot_product_attention(x, x, x)
        model(x)
        other(x)
    assert len(tape.passes) == 1
    assert len(tape) == 1


def test_inference_mode_works() -> None:
    model, image = seeded(TimmViT), noise(1, 3, 8, 8)
    with torch.inference_mode():
        plain = model(image)
        with watch(model, Keep(statistics=Statistics())) as tape:
            watched = model(image)
        assert torch.allclose(plain, watched, rtol=0, atol=1e-5)
        weights = truth(tape[0].matrix.query, tape[0].matrix.key)
        assert torch.allclose(tape[0].matrix.materialize().double(), weights, rtol=0, atol=1e-6)
