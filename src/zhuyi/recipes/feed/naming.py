"""How rules call films: by whether they were seen or may be shown, by title, and by genre.

    seen/Toy Story (1995)/Animation/Children's/Comedy/     a film of the history
    shown/Toy Story (1995)/Animation/Children's/Comedy/    the same film in the list

So `seen/*/Comedy/*` are the comedies that a person watched, `shown/*/Comedy/*` those that may be
offered, `*/Comedy/*` both, and `*/Toy Story (1995)/*` one film wherever it stands.
"""

from typing import Literal

from zhuyi.recipes.feed.movielens import Film
from zhuyi.steer.selectors import Column

Side = Literal["seen", "shown", "*"]


def piece_name(film: Film, side: Literal["seen", "shown"]) -> str:
    """What a film is called in rules.

    Example:
        >>> piece_name(Film(title="Heat (1995)", genres=("Action", "Crime")), "seen")
        'seen/Heat (1995)/Action/Crime/'
    """
    return "/".join((side, film.title, *film.genres, ""))


def of_genre(genre: str, side: Side = "*") -> Column:
    """All films of a genre.

    Example:
        >>> of_genre("Comedy", "seen")
        Column(name='seen/*/Comedy/*')
    """
    return Column(f"{side}/*/{genre}/*" if side != "*" else f"*/{genre}/*")


def of_film(film: Film, side: Side = "*") -> Column:
    """One film."""
    return Column(f"{side}/{film.title}/*")
