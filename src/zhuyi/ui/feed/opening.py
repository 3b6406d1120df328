"""From a folder to the page of its feed."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from zhuyi.errors import DataUnavailable, InputError
from zhuyi.recipes.datasets import MOVIELENS
from zhuyi.recipes.feed.making import make_feed
from zhuyi.recipes.feed.saving import FACTS, load
from zhuyi.ui.feed.asking import reading
from zhuyi.ui.feed.desk import FeedDesk, missing
from zhuyi.ui.server.posting import Get, Post
from zhuyi.ui.server.site import Site, page_files, plain_site
from zhuyi.ui.server.turns import Turn, Turns
from zhuyi.ui.steering.asking import read_yaml
from zhuyi.ui.steering.ruling import read_strange_yaml

TITLE: Final = "zhuyi · feed"
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class FeedSite:
    """The page of a feed, or of what is missing for one.

    Args:
        desk: the feed; None where there is none.
        why: what is missing then, and how to get it.
        tell: takes one line on a fault; nothing of a request is in it.
        title: for people.
    """

    desk: FeedDesk | None
    why: str = ""
    tell: Tell = lambda _: None
    title: str = TITLE

    def site(self, script: str | None = None, turns: Turns | None = None) -> Site:
        """The page, not guarded yet.

            /              the page         /feed.js, /page.css   what it is made of
            /desk          the catalog, people to try it as, what was measured
            /try           the list under rules, with its reasons
            /control       the same rules on random other films
            /verdict       whether the reasons may be believed, and what a veto may claim
            /rules         YAML as rules

        Args:
            script: another page than the one that comes with zhuyi.
            turns: the queue before the model; None for a new one.
        Returns: an ASGI application; put a `Guard` before it.
        Not:     safe by itself.
        """
        page = page_files(title=self.title, name="feed.js", script=script or bundle())
        desk = self.desk
        if desk is None:
            gets = [Get(path="/desk", work=lambda: missing(self.why))]
            return plain_site(page, gets=gets, turns=turns, tell=self.tell)
        read = reading(len(desk.feed.films))

        def rules_of(yaml: str, _: Turn) -> dict[str, object]:
            return {"rules": read_strange_yaml(yaml)}

        return plain_site(
            page,
            gets=[Get(path="/desk", work=desk.told)],
            posts=[
                Post(path="/try", kind="try", read=read, work=desk.tried),
                Post(path="/control", kind="control", read=read, work=desk.controlled),
                Post(path="/verdict", kind="verdict", read=read, work=desk.judged),
                Post(path="/rules", kind="rules", read=read_yaml, work=rules_of),
            ],
            turns=turns,
            tell=self.tell,
        )


def open_feed(folder: Path, tell: Tell = lambda _: None) -> FeedSite:
    """The page of a feed's folder.

    A folder that is not there, or is empty, becomes the feed of MovieLens 100k: the data is looked
    for (ZHUYI_DATA, the cache, its official address), the recommender trained and saved there.
    Where the data cannot be had, the page says how to get it.

    Args:
        folder: of a feed.
        tell: takes one line at a time.

    Raises: InputError: for a folder that holds something else, or a damaged feed.
    Cost:   about five minutes of one core where it must be trained.
    """
    if (folder / FACTS).is_file():
        return FeedSite(desk=FeedDesk(load(folder)), tell=tell)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} holds no feed ({FACTS}): name the folder of one, or a new folder to make it"
        )
    tell(f"making a feed in {folder} of {MOVIELENS.title} ({MOVIELENS.license})")
    try:
        saved = make_feed(folder, tell=tell)
    except DataUnavailable as error:
        tell(str(error))
        return FeedSite(desk=None, why=str(error), tell=tell)
    return FeedSite(desk=FeedDesk(saved), tell=tell)


def bundle() -> str:
    """The page's script: one ES module, built from `frontend/` and kept beside this file.

    Raises: InputError: where this copy of zhuyi was made without it.
    """
    path = files("zhuyi.ui.feed").joinpath("bundle", "feed.js")
    if not path.is_file():
        raise InputError("this copy of zhuyi lacks the page's script: run `make view` first")
    return path.read_text(encoding="utf-8")
