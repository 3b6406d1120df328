"""Logged trainings in a notebook: the folder that an `AttentionLogger` wrote."""

from typing import Any

from rich.console import Console
from rich.text import Text

from zhuyi.core.record import Label, Said
from zhuyi.ui.live import FolderArchive, page_of_folder
from zhuyi.ui.notebook.believing import NOT_VERIFIED, SIGNS, WORDS
from zhuyi.ui.notebook.picturing import writable
from zhuyi.ui.terminal import printable
from zhuyi.ui.view.archive import Archive, TrackIndex
from zhuyi.ui.view.pack import split, unpack


class RunsFace:
    """The runs of a folder, step by step.

    Args:
        archive: reads the folder; it is read again whenever it is shown.
        title: what it is called.
    """

    height = 860

    def __init__(self, archive: FolderArchive, title: str) -> None:
        self._archive = archive
        self.title = writable(title)

    def page(self, budget: int) -> str:
        """The page, with as many steps as fit. Raises: InputError: if nothing was logged yet."""
        return page_of_folder(self._archive.path, budget, self.title)

    def lines(self) -> tuple[Said, ...]:
        """How much was logged, and the verdict on the last look of each input."""
        tracks = self._archive.tracks()
        looks = sum(track.written for track in tracks)
        inputs = "1 input" if len(tracks) == 1 else f"{len(tracks)} inputs"
        said = Said(
            en=f"{inputs}, {looks} looks logged; the page says how many it holds.",
            zh=f"{len(tracks)} 个输入，共记录 {looks} 次；页面上注明其中保留了多少次。",
        )
        beliefs = dict.fromkeys(_belief(self._last(track)) for track in tracks)
        return (said, *beliefs)

    def tell(self, console: Console) -> None:
        """A few lines an input."""
        console.print(Text(printable(self.title), "bold"))
        for track in self._archive.tracks():
            name = " · ".join(part for part in (track.run, track.name) if part) or track.id
            steps = f"steps {track.steps[0]} to {track.steps[-1]}"
            console.print(Text(printable(f"{name}: {steps}, {track.written} looks")))
            last = self._last(track)
            if last["decision"]:
                chance = "" if last["probability"] is None else f" ({last['probability']:.1%})"
                console.print(Text(printable(f"  at the last: {last['decision']}{chance}")))
            console.print(Text(printable(f"  {_belief(last).en}")))

    def archive(self, budget: int) -> Archive:
        """The folder itself: nothing is held in memory."""
        return self._archive

    def _last(self, track: TrackIndex) -> dict[str, Any]:
        """What the last look of a track decided."""
        moment = self._archive.ask(f"moment/{track.id}/{track.steps[-1]}")
        return unpack(split(moment)[0])[0]


def _belief(last: dict[str, Any]) -> Said:
    if last["verdict"] is None:
        return NOT_VERIFIED
    label: Label = last["verdict"]["label"]
    return Said(
        en=f"{SIGNS[label]} {WORDS[label].en} at the last look.",
        zh=f"{SIGNS[label]} 最后一次：{WORDS[label].zh}。",
    )
