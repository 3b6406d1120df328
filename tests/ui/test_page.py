"""The page as a file: its size, its policy, and that no text in it can act."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.ui.synthetic import details, synthetic_look
from zhuyi.errors import InputError
from zhuyi.ui.as_json import verdict_as_json
from zhuyi.ui.looked import HeadPicture, Link, Looked, Tokens
from zhuyi.ui.report.build import build_page, save_page
from zhuyi.ui.report.detail import Detail

EVIL = "</script><img src=x onerror=alert(1)>%%SCRIPT%%{n}\u2028<!--<script>"


def manifest_of(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="manifest">(.*?)</script>', page, re.S)
    assert found is not None
    manifest: dict[str, object] = json.loads(found.group(1))
    return manifest


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
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource)\s*\(", small())


def test_the_page_carries_the_verdict_or_none() -> None:
    assert manifest_of(small())["verdict"] is None
    looked, matrices, values = synthetic_look(
        layers=1, heads=2, length=12, width=8, verdict="doubtful"
    )
    verdict = manifest_of(build_page(looked, details(matrices, values)))["verdict"]
    assert looked.checked is not None
    assert verdict == verdict_as_json(looked.checked)
    assert verdict["label"] == "doubtful"  # type: ignore[call-overload, index]


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
    manifest = manifest_of(page)
    assert manifest["method"] == manifest["model"] == EVIL


def test_the_hostile_test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: with plain JSON the same text does break out."""
    monkeypatch.setattr("zhuyi.ui.report.build.to_json", json.dumps)
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
    manifest = manifest_of(page)
    assert isinstance(manifest["detailed"], int)
    assert manifest["detailed"] >= 1
    assert len(asked) == manifest["detailed"], "a head that cannot fit is not even computed"
    assert asked[0].standing == heads - 1, "the head that stands out most comes first"
    assert manifest["errors"] == [0.5, 0.1]


def test_budget_decides_how_many_heads_get_details() -> None:
    looked, matrices, values = synthetic_look(layers=2, heads=4, length=70, width=16)
    full = build_page(looked, details(matrices, values))
    assert manifest_of(full)["detailed"] == 8
    budget = len(full.encode()) - 12_000
    less = build_page(looked, details(matrices, values), budget=budget)
    assert 0 < manifest_of(less)["detailed"] < 8  # type: ignore[operator]
    assert len(less.encode()) <= budget
    none = build_page(looked, details(matrices, values), budget=0)
    assert manifest_of(none)["detailed"] == 0


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
