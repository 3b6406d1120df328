"""The page as a file: its size, its policy, and that no text in it can act."""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.ui.synthetic import details, synthetic_look
from tests.ui.view.packed import index_of, moment_of, packs_of, track_of
from zhuyi.errors import InputError
from zhuyi.ui.as_json import verdict_as_json
from zhuyi.ui.looked import HeadPicture, Link, Looked, Tokens
from zhuyi.ui.view.archive import MemoryArchive, TrackIndex
from zhuyi.ui.view.detail import Detail
from zhuyi.ui.view.document import track_pack
from zhuyi.ui.view.page import build_page, bundle, page_of, save_page

EVIL = "</script><img src=x onerror=alert(1)>%%SCRIPT%%{n}\u2028<!--<script>"
FRONTEND = Path(__file__).parents[3] / "frontend" / "src"


def detailed(page: str) -> int:
    """How many heads carry details."""
    names = [name for name in packs_of(page) if name.startswith("detail/0/0/")]
    assert len(names) == len(moment_of(page)["details"])
    return len(names)


class Tags(HTMLParser):
    """Every tag with its attributes, and the text inside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, str]] = []
        self.data: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.data = []

    def handle_data(self, data: str) -> None:
        self.data.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.inside.append((tag, "".join(self.data)))


def small() -> str:
    looked, matrices, values = synthetic_look(layers=2, heads=3, length=12, width=16)
    return build_page(looked, details(matrices, values))


def test_policy_allows_exactly_the_script_and_style_inside() -> None:
    parsed = Tags()
    parsed.feed(small())
    policy = next(a["content"] for t, a in parsed.tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    script, style = (
        [text for tag, text in parsed.inside if tag == kind][-1] for kind in ("script", "style")
    )
    for text, directive in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy


def test_page_names_no_other_resource() -> None:
    parsed = Tags()
    parsed.feed(small())
    for tag, attributes in parsed.tags:
        assert "src" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert "style" not in attributes, tag
        if "href" in attributes:
            assert str(attributes["href"]).startswith(("#", "data:,")), tag


def test_the_page_says_so_in_both_languages_when_it_cannot_draw() -> None:
    page = small()
    assert '<html lang="en">' in page
    noscript = page[page.index("<noscript>") : page.index("</noscript>")]
    waiting = page[page.index('<div id="zhuyi">') : page.index('id="zhuyi-index"')]
    for words in (noscript, waiting):
        assert re.search(r"<p>[A-Z][a-z]+ .+</p>", words)
        assert re.search(r'<p lang="zh-Hans">[\u4e00-\u9fff].+</p>', words)


def test_the_title_is_the_models_name() -> None:
    looked, matrices, values = synthetic_look(layers=1, heads=1, length=12, width=8, label=EVIL)
    page = build_page(looked, details(matrices, values))
    assert "<title>zhuyi · &lt;/script&gt;&lt;img" in page
    assert "<title>zhuyi · synthetic/wave</title>" in small()


def test_the_script_runs_no_text_and_knows_no_address() -> None:
    script = bundle()
    forbidden = "eval( Function( insertAdjacentHTML outerHTML document.write XMLHttpRequest"
    for word in (*forbidden.split(" "), "WebSocket", "EventSource", "sendBeacon", "importScripts"):
        assert word not in script, word
    # Preact compares and writes innerHTML for one property, which none of our files sets.
    assert Counter(re.findall(r"innerHTML|dangerouslySetInnerHTML", script)) == {
        "innerHTML": 2, "dangerouslySetInnerHTML": 2,
    }  # fmt: skip
    # Names of markup languages, not addresses that anyone asks.
    assert set(re.findall(r"https?:[^\"'`\s]*", script)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/1998/Math/MathML",
    }
    assert len(re.findall(r"\bfetch\(", script)) == 2, "the index and one pack, in hosts/http.ts"


def test_no_file_of_the_view_writes_markup() -> None:
    files = [path for path in FRONTEND.rglob("*") if path.suffix in (".ts", ".tsx")]
    assert len(files) > 25
    for path in files:
        text = path.read_text(encoding="utf-8")
        found = re.findall(r"nnerHTML|outerHTML|insertAdjacent|https?://|\bstyle=[\"']", text)
        assert not found, f"{path.name}: {found}"


def test_the_page_carries_the_verdict_or_none() -> None:
    assert moment_of(small())["verdict"] is None
    looked, matrices, values = synthetic_look(
        layers=1, heads=2, length=12, width=8, verdict="doubtful"
    )
    verdict = moment_of(build_page(looked, details(matrices, values)))["verdict"]
    assert looked.checked is not None
    assert verdict == verdict_as_json(looked.checked)
    assert verdict["label"] == "doubtful"


def test_hostile_text_in_every_field_stays_data() -> None:
    looked, matrices, values = synthetic_look(
        layers=1, heads=2, length=12, width=8, label=EVIL, verdict="refuted"
    )
    looked = replace(
        looked,
        method=EVIL,
        reason=EVIL,
        kernels=(EVIL,),
        dtype=EVIL,
        device=EVIL,
        versions={EVIL: EVIL},
        unseen=(EVIL,),
        alternatives=((EVIL, 0.5),),
        sequences=(replace(looked.sequences[0], name=EVIL),),
        heads=tuple(replace(head, site=EVIL, kernel=EVIL, backend=EVIL) for head in looked.heads),
    )
    page = build_page(looked, details(matrices, values))
    parsed = Tags()
    parsed.feed(page)
    assert not [tag for tag, _ in parsed.tags if tag in ("img", "iframe", "object")]
    assert page.count("<script") == small().count("<script") - 4  # four heads fewer, no more
    assert index_of(page)["title"] == track_of(page)["model"] == moment_of(page)["method"] == EVIL


def test_hostile_names_of_runs_and_packs_stay_data() -> None:
    name = '"><img src=x onerror=alert(1)>'
    track = TrackIndex(id="0", run=EVIL, name=EVIL)
    looked, _, _ = synthetic_look(layers=1, heads=1, length=12, width=8)
    packs = {"track/0": track_pack(looked), name: b"x"}
    page = page_of(MemoryArchive(title=EVIL, tracks=(track,), packs=packs))
    parsed = Tags()
    parsed.feed(page)
    assert not [tag for tag, _ in parsed.tags if tag == "img"]
    assert index_of(page)["tracks"][0]["run"] == EVIL
    assert [a["data-zhuyi"] for t, a in parsed.tags if "data-zhuyi" in a] == [
        "words/zh",
        "track/0",
        name,
    ]


def test_the_hostile_test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: with plain JSON the same text does break out."""
    monkeypatch.setattr("zhuyi.ui.view.page.to_json", json.dumps)
    looked, matrices, values = synthetic_look(layers=1, heads=2, length=12, width=8, label=EVIL)
    parsed = Tags()
    parsed.feed(build_page(looked, details(matrices, values)))
    assert [tag for tag, _ in parsed.tags if tag == "img"]


def flat(heads: int, length: int) -> Looked:
    """A look with as many heads and tokens as asked, of random pictures (the worst to pack)."""
    generator = np.random.default_rng(0)
    labels = tuple(f"token{i}" for i in range(length))
    pictures = tuple(
        HeadPicture(
            layer=index // 12,
            head=index % 12,
            site=f"encoder.layer.{index // 12}.attention.self",
            kind="self",
            queries=0,
            keys=0,
            shape=(length, length),
            kernel="sdpa",
            backend="streaming",
            statistics={"reach": 1.0},
            thumbnail=generator.integers(0, 256, (64, 64), dtype=np.uint8),
            received=generator.integers(0, 256, length, dtype=np.uint8),
            links=tuple(Link(query=i, key=i, weight=0.5) for i in range(16)),
            standing=float(index),
            reason="+reach",
        )
        for index in range(heads)
    )
    looked, _, _ = synthetic_look(layers=1, heads=1, length=12, width=8)
    sequence = Tokens(name="text", labels=labels, special=(False,) * length)
    return replace(looked, heads=pictures, sequences=(sequence,), heads_in_model=heads)


@pytest.mark.parametrize(("heads", "length"), [(144, 512), (144, 4000)])
def test_large_pages_stay_below_five_megabytes(heads: int, length: int) -> None:
    generator = np.random.default_rng(1)
    asked: list[HeadPicture] = []

    def random_detail(head: HeadPicture) -> Detail:
        asked.append(head)
        arrays = {
            name: generator.normal(size=(length, 64)).astype(np.float16)
            for name in ("query", "key")
        }
        return Detail(
            kind="operator",
            arrays=arrays,
            scale=1.0,
            softcap=0.0,
            score_error=0.5,
            weight_error=0.1,
        )

    page = build_page(flat(heads, length), random_detail)
    size = len(page.encode())
    assert size < 5_000_000
    # BertViz writes every number of 144 x 512 x 512 as text: about 830 MB.
    assert detailed(page) >= 1
    assert len(asked) == detailed(page), "a head that cannot fit is not even computed"
    assert asked[0].standing == heads - 1, "the head that stands out most comes first"
    assert moment_of(page)["errors"] == [0.5, 0.1]


def test_budget_decides_how_many_heads_get_details() -> None:
    looked, matrices, values = synthetic_look(layers=2, heads=4, length=70, width=16)
    full = build_page(looked, details(matrices, values))
    assert detailed(full) == 8
    budget = len(full.encode()) - 12_000
    less = build_page(looked, details(matrices, values), budget=budget)
    assert 0 < detailed(less) < 8
    assert len(less.encode()) <= budget
    none = build_page(looked, details(matrices, values), budget=0)
    assert detailed(none) == 0


def test_same_look_same_page() -> None:
    assert small() == small()


def test_saving_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    save_page("first", path)
    assert path.read_text() == "first"
    save_page("second", path)
    assert path.read_text() == "second"
    with pytest.raises(InputError, match="folder that does not exist"):
        save_page("third", tmp_path / "nowhere" / "page.html")
    with pytest.raises(InputError, match="is a folder"):
        save_page("third", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]


def test_a_failed_write_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.html"
    save_page("first", path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        save_page("second", path)
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]
