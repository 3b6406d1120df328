"""MovieLens: both forms read alike, in the order of time, and nothing else is taken for it."""

import gzip
import zipfile
from pathlib import Path

import pytest

from zhuyi.errors import DataUnavailable, InputError
from zhuyi.recipes.feed.movielens import GENRES, Film, histories_of, load

ITEMS = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "7\tToy Story\t1995\tAnimation Children's\n9\tHeat\t1995\tAction\n8\tHeat\t1995\tDrama\n"
)
RATINGS = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "3\t9\t1\t30\n1\t7\t5\t20\n3\t7\t4\t10\n1\t8\t2\t20\n3\t9\t5\t40\n"
)


def tables(folder: Path, ratings: str = RATINGS, items: str = ITEMS) -> tuple[Path, Path]:
    one, two = folder / "ml-100k.inter.gz", folder / "ml-100k.item.gz"
    one.write_bytes(gzip.compress(ratings.encode()))
    two.write_bytes(gzip.compress(items.encode()))
    return one, two


def official(folder: Path) -> Path:
    def film(number: str, title: str, *genres: str) -> str:
        flags = ["1" if name in genres else "0" for name in GENRES]
        return "|".join([number, title, "01-Jan-1995", "", "http://x", *flags])

    films = [
        film("7", "Toy Story (1995)", "Animation", "Children's"),
        film("9", "Heat (1995)", "Action"),
        film("8", "Heat (1995)", "Drama"),
    ]
    path = folder / "ml-100k.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ml-100k/u.item", "\n".join(films).encode("latin-1"))
        archive.writestr("ml-100k/u.data", RATINGS.partition("\n")[2])
    return path


def test_histories_are_in_the_order_of_time(tmp_path: Path) -> None:
    found = load(*tables(tmp_path), check=False)
    assert found.people == (1, 3)
    # equal times keep the file's order; a film that is rated twice counts once, the first time
    assert [one.tolist() for one in found.histories] == [[0, 2], [0, 1]]
    assert found.films == (
        Film(title="Toy Story (1995)", genres=("Animation", "Children's")),
        Film(title="Heat (1995)", genres=("Action",)),
        Film(title="Heat (1995) #8", genres=("Drama",)),
    )


def test_the_publishers_form_is_read_alike(tmp_path: Path) -> None:
    path = official(tmp_path)
    one, two = load(path, path, check=False), load(*tables(tmp_path), check=False)
    assert one.films == two.films
    assert [a.tolist() for a in one.histories] == [b.tolist() for b in two.histories]


@pytest.mark.parametrize(
    ("ratings", "items", "why"),
    [
        (RATINGS.replace("3\t9\t1\t30", "3\t9\t1"), ITEMS, "rating 1 must have 4 cells, got 3"),
        (RATINGS.replace("3\t9\t1", "3\t99\t1"), ITEMS, "film 99, which is not in the catalog"),
        (RATINGS.replace("1\t7\t5", "one\t7\t5"), ITEMS, "rating 2 must hold numbers"),
        (RATINGS.replace("rating:float", "stars:token"), ITEMS, "must have the columns"),
        (RATINGS, ITEMS.replace("9\tHeat", "7\tHeat"), "film 2 has the number 7 of another"),
        (RATINGS, ITEMS.replace("\tAction", ""), "film 2 must have 4 or 24 cells, got 3"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, ratings: str, items: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        load(*tables(tmp_path, ratings, items), check=False)


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must have 1,682 rows, got 3"):
        load(*tables(tmp_path))


def test_nothing_is_no_history() -> None:
    with pytest.raises(InputError, match="one rating at least"):
        histories_of([], [])


def test_without_data_it_says_how_to_get_it(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhuyi.recipes.data.cache_folder", lambda: None)
    with pytest.raises(DataUnavailable, match="files.grouplens.org.*no redistribution"):
        load()


def test_the_real_ratings(real_data: Path) -> None:
    found = load()
    assert (len(found), len(found.films)) == (943, 1682)
    counts = [len(one) for one in found.histories]
    assert (sum(counts), min(counts), max(counts)) == (100_000, 20, 737)
    assert found.films[0].title == "Toy Story (1995)"
