"""MovieLens 100k: 943 people, 1,682 films, 100,000 ratings with their time.

Two forms are read: the publisher's ml-100k.zip (u.data, u.item) and the three tables
ml-100k.inter/.item/.user with a header line. Nothing of either is kept in this project.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError
from zhuyi.recipes.archive import read_file
from zhuyi.recipes.data import fetch
from zhuyi.recipes.datasets import MOVIELENS
from zhuyi.recipes.tables import check_rows

Integers = npt.NDArray[np.int64]

#: In the order of the publisher's flags.
GENRES: Final = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
)
_INTER: Final = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
_ITEM: Final = ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq")


@dataclass(frozen=True, kw_only=True)
class Film:
    """One film.

    Args:
        title: with its year, as people write it; no two films of a catalog share one.
        genres: of `GENRES`, or whatever a catalog has.
    """

    title: str
    genres: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """Who watched what when.

    Args:
        films: the catalog; a film's number is its place here.
        histories: per person the films in the order of time (equal times in the file's order),
            each film once.
        people: per person the number that the file has.
    """

    films: tuple[Film, ...]
    histories: tuple[Integers, ...]
    people: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.histories)


def load(ratings: Path | None = None, films: Path | None = None, *, check: bool = True) -> Ratings:
    """Load the ratings; every one counts as "watched", whatever its stars.

    Args:
        ratings: ml-100k.inter(.gz), u.data or ml-100k.zip; None asks `fetch`.
        films: ml-100k.item(.gz), u.item or ml-100k.zip; None asks `fetch`.
        check: whether the numbers of ratings and films must be the published ones.

    Raises:
        InputError: with the line that does not fit.
        DataUnavailable: if it is not on this machine and cannot be downloaded; says how to get it.

    Not: ours to hand on: the license allows research and no redistribution.
    """
    counts = {file.name: file.rows for file in MOVIELENS.files}
    found_films = films or fetch("ml-100k.item")
    numbers, catalog = _films(_lines(found_films, "u.item", _ITEM))
    check_rows(len(catalog), counts["ml-100k.item"] if check else None, found_films.name)
    found_ratings = ratings or fetch("ml-100k.inter")
    rows = _ratings(_lines(found_ratings, "u.data", _INTER), numbers)
    check_rows(len(rows), counts["ml-100k.inter"] if check else None, found_ratings.name)
    return histories_of(rows, catalog)


def histories_of(rows: Sequence[tuple[int, int, float]], films: Sequence[Film]) -> Ratings:
    """(person, film's place, time) in any order, as histories; a film seen twice counts once.

    Raises: InputError: if there is no row.

    Example:
        >>> two = [Film(title="A (1995)", genres=("Drama",)), Film(title="B (1996)", genres=())]
        >>> histories_of([(7, 1, 30.0), (7, 0, 20.0)], two).histories[0].tolist()
        [0, 1]
    """
    if not rows:
        raise InputError("there must be one rating at least, got none")
    order = sorted(range(len(rows)), key=lambda place: rows[place][2])  # stable: ties keep order
    seen: dict[int, dict[int, None]] = {}
    for place in order:
        person, film, _ = rows[place]
        seen.setdefault(person, {}).setdefault(film)
    people = sorted(seen)
    return Ratings(
        films=tuple(films),
        histories=tuple(np.fromiter(seen[person], np.int64) for person in people),
        people=tuple(people),
    )


def _lines(path: Path, member: str, header: tuple[str, ...]) -> list[list[str]]:
    """Cells of every line; a table with a header line has exactly these columns."""
    data = read_file(path, member)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # the publisher's own titles
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0].split("\t") == list(header):
        return [line.split("\t") for line in lines[1:]]
    if ":token" in lines[0]:
        raise InputError(f"{path.name} must have the columns {', '.join(header)}, got {lines[0]!r}")
    return [line.split("|" if member == "u.item" else "\t") for line in lines]


def _films(rows: list[list[str]]) -> tuple[dict[str, int], list[Film]]:
    numbers: dict[str, int] = {}
    catalog: list[Film] = []
    titles = set[str]()
    for line, cells in enumerate(rows, start=1):
        if len(cells) == len(_ITEM):
            title = f"{cells[1]} ({cells[2]})" if cells[2] else cells[1]
            genres = tuple(cells[3].split())
        elif len(cells) == 5 + len(GENRES):
            title = cells[1].strip()
            genres = tuple(
                name for name, flag in zip(GENRES, cells[5:], strict=True) if flag == "1"
            )
        else:
            raise InputError(
                f"film {line} must have 4 or {5 + len(GENRES)} cells, got {len(cells)}"
            )
        if cells[0] in numbers:
            raise InputError(f"film {line} has the number {cells[0]} of another film")
        # A few films stand twice in the catalog; a rule must be able to name each.
        title = title if title not in titles else f"{title} #{cells[0]}"
        titles.add(title)
        numbers[cells[0]] = len(catalog)
        catalog.append(Film(title=title, genres=genres))
    return numbers, catalog


def _ratings(rows: list[list[str]], numbers: dict[str, int]) -> list[tuple[int, int, float]]:
    found = []
    for line, cells in enumerate(rows, start=1):
        if len(cells) != 4:
            raise InputError(f"rating {line} must have 4 cells, got {len(cells)}")
        if cells[1] not in numbers:
            raise InputError(f"rating {line} is of film {cells[1]}, which is not in the catalog")
        try:
            found.append((int(cells[0]), numbers[cells[1]], float(cells[3])))
        except ValueError:
            raise InputError(f"rating {line} must hold numbers, got {cells}") from None
    return found
