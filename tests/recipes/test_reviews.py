"""SST-2 and ChnSentiCorp: standard splits, exact lines, no line lost to an odd character."""

import gzip
from pathlib import Path

import pytest

from zhuyi.errors import InputError
from zhuyi.recipes.reviews import PARTS, chnsenticorp, overlap, sst2

LOADERS = {"sst2": sst2, "chnsenticorp": chnsenticorp}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_sentences_and_labels(tmp_path: Path) -> None:
    path = written(tmp_path, "sst2_dev.tsv.gz", 'a "fine film\t1\nbad\u2028 one\x0b\t0')
    found = sst2("dev", path, check=False)
    assert found.sentences == ('a "fine film', "bad\u2028 one\x0b")
    assert found.labels.tolist() == [1, 0]
    path = written(tmp_path, "c.tsv.gz", "label\ttext_a\r\n1\t很好\r\n0\t不好\r\n")
    chinese = chnsenticorp("dev", path, check=False)
    assert chinese.sentences == ("很好", "不好")
    assert chinese.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("good\t1\nno label", "line 2 must have 2 cells, got 1"),
        ("good\t1\t1", "line 1 must have 2 cells, got 3"),
        ("good\tyes", "labels 0 and 1, got 'yes'"),
        ("good\t1", "must have 872 rows, got 1"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        sst2("dev", written(tmp_path, "sst2_dev.tsv.gz", text))


def test_a_chinese_file_without_its_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must begin with"):
        chnsenticorp("dev", written(tmp_path, "c.tsv.gz", "1\t很好\n"), check=False)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sst2_dev.tsv"
    path.write_bytes("很好\t1".encode("gbk"))
    with pytest.raises(InputError, match="must be UTF-8"):
        sst2("dev", path, check=False)


def test_overlap_by_hand(tmp_path: Path) -> None:
    one = sst2("train", written(tmp_path, "a.tsv.gz", "x\t1\ny\t0"), check=False)
    other = sst2("dev", written(tmp_path, "b.tsv.gz", "y\t0\nz\t1"), check=False)
    assert overlap({"train": one, "dev": other}) == {("train", "dev"): 1}


def test_the_real_splits(real_data: Path) -> None:
    sizes = {name: [len(load(part)) for part in PARTS] for name, load in LOADERS.items()}
    assert sizes == {"sst2": [6_920, 872, 1_821], "chnsenticorp": [9_600, 1_200, 1_200]}
    shared = overlap({part: sst2(part) for part in PARTS})
    assert max(shared.values()) <= 10
    assert sst2("train").labels.mean() == pytest.approx(0.52, abs=0.005)
