"""What fits a cell: coarser pictures before fewer heads, and a long input without its L x L."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.ui.notebook.things import attribution_of, tape_of
from zhuyi.ui.notebook.choosing import Choice
from zhuyi.ui.notebook.faces import LookFace
from zhuyi.ui.notebook.fitting import fit
from zhuyi.ui.notebook.picturing import Pictured, picture_attribution, picture_tape
from zhuyi.ui.notebook.viewing import View
from zhuyi.ui.view.pack import split, unpack


def pictured(**tape: int) -> Pictured:
    return picture_tape(tape_of(**tape), Choice(), title="t", verdict=None)  # type: ignore[arg-type]


def characters(packs: dict[str, bytes]) -> int:
    """What the packs take as base64."""
    return sum(4 * len(data) / 3 for data in packs.values())  # type: ignore[return-value]


def test_everything_fits_a_large_room() -> None:
    one = pictured()
    found = fit([one], title="t", room=10**6)
    assert (found.shown, found.heads, found.full) == (6, 6, 6)
    header, _ = unpack(found.archive.ask("track/0"))
    assert [entry["thumbnail"] for entry in header["entries"]] == [[9, 9]] * 6


def test_pictures_get_coarser_before_heads_are_left_out() -> None:
    one = pictured(layers=2, heads=6, length=200, width=8)
    sides = []
    for room in (200_000, 50_000, 18_000):
        found = fit([one], title="t", room=room)
        assert characters(found.archive.packs) < room
        assert (found.shown, found.heads) == (12, 12)
        header, _ = unpack(found.archive.ask("track/0"))
        sides.append(header["entries"][0]["thumbnail"][0])
    assert sides == sorted(sides, reverse=True)
    assert (sides[0], sides[-1]) == (64, 16)


def test_a_coarser_picture_keeps_the_strongest_dot_of_each_block() -> None:
    one = pictured(layers=1, heads=1, length=200, width=8)
    fine = one.looked.heads[0].thumbnail
    found = fit([one], title="t", room=3_000)
    _, layer = (unpack(pack) for pack in split(found.archive.ask("moment/0/0")))
    coarse = layer[1]["thumbnails"].reshape(16, 16)
    assert (coarse == fine.reshape(16, 4, 16, 4).max((1, 3))).all()


def test_the_heads_that_stand_out_stay() -> None:
    one = pictured(layers=3, heads=8, length=80, width=8)
    found = fit([one], title="t", room=12_000)
    assert 1 < found.shown < 24
    header, _ = unpack(found.archive.ask("track/0"))
    places = {(entry["layer"], entry["head"]) for entry in header["entries"]}
    first = max(one.looked.heads, key=lambda head: head.standing)
    assert (first.layer, first.head) in places
    assert header["heads_in_model"] == 24


def test_no_room_still_shows_one_head() -> None:
    found = fit([pictured()], title="t", room=0)
    assert (found.shown, found.full) == (1, 0)


def test_a_long_head_goes_without_its_values_rather_than_not_at_all() -> None:
    one = pictured(layers=1, heads=1, length=700, width=32)
    whole = fit([one], title="t", room=400_000).archive
    partly = fit([one], title="t", room=150_000).archive
    assert "value" in unpack(whole.ask("detail/0/0/0"))[1]
    assert sorted(unpack(partly.ask("detail/0/0/0"))[1]) == ["column", "key", "lse", "query", "row"]


def test_inputs_that_do_not_fit_are_counted() -> None:
    attribution = attribution_of(*(f"text number {i} of these" for i in range(30)))
    inputs = [
        picture_attribution(attribution, row, title="t", decisions=(), verdict=None)
        for row in range(30)
    ]
    found = fit(inputs, title="t", room=20_000)
    assert 1 < found.inputs < found.given == 30
    assert len(found.archive.tracks) == found.inputs
    assert found.archive.tracks[1].name == "2: text number 1 of these"
    for track in found.archive.tracks:
        assert found.archive.ask(f"moment/{track.id}/0")


class Sizes(TorchDispatchMode):
    """Bytes of every tensor that is made meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for one in out if isinstance(out, tuple | list) else (out,):
            if isinstance(one, torch.Tensor):
                self.largest = max(self.largest, one.untyped_storage().nbytes())
        return out


def test_four_thousand_tokens_stay_far_from_a_whole_matrix() -> None:
    """One head of 4,000 x 4,000 weights takes 64 MB; no tensor here comes near."""
    tape = tape_of(layers=1, heads=1, length=4000, width=16, causal=True)
    face = LookFace("t", lambda: [picture_tape(tape, Choice(), title="t", verdict=None)])
    with Sizes() as sizes:
        cell = View(face)._repr_html_()
    assert sizes.largest < 20_000_000
    assert len(cell.encode()) < 2_000_000
    assert "1 of 1 heads, 1 of them in full" in cell


def test_the_memory_test_can_fail() -> None:
    """The broken twin: dense weights are caught."""
    with Sizes() as sizes:
        tape_of(layers=1, heads=1, length=2400, width=4)[0].matrix.materialize()  # type: ignore[union-attr]
    assert sizes.largest > 20_000_000


def test_fitting_leaves_the_look_as_it_was() -> None:
    one = pictured(layers=1, heads=2, length=80, width=8)
    fit([one], title="t", room=1_000)
    assert len(one.looked.heads) == 2
    assert one.looked.heads[0].thumbnail.shape == (64, 64)
