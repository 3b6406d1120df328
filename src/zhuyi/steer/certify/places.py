"""Which positions a veto means in the calls, and what stands beside them."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import torch
from torch import Tensor

from zhuyi.core.record import Said
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.layout import Layout
from zhuyi.steer.rule import Rule
from zhuyi.steer.selectors import Matched, Selector, Text
from zhuyi.steer.when import holds

_ENOUGH: Final = 4  # rows below which numbers agree by chance


def meant(rule: Rule, layout: Layout) -> Matched:
    """The positions of a row that a rule is about today."""
    found = Matched()
    if not rule.holds_on(date.today()) or (rule.when and not holds(rule.when, layout.values)):
        return found
    for selector in rule.select:
        found |= selector.match(layout)
    return found


def keys_of(rule: Rule, call: Call) -> Tensor:
    """The positions of a call that a rule is about: bool "B L"."""
    return _marked([meant(rule, layout) for layout in call.reading.layouts], call)


def positions(selectors: Sequence[Selector], call: Call) -> Tensor:
    """The positions of a call that some selectors mean: bool "B L"."""
    rows = []
    for layout in call.reading.layouts:
        found = Matched()
        for selector in selectors:
            found |= selector.match(layout)
        rows.append(found)
    return _marked(rows, call)


def _marked(rows: Sequence[Matched], call: Call) -> Tensor:
    marked = torch.zeros(len(rows), call.length, dtype=torch.bool)
    for row, one in enumerate(rows):
        marked[row, sorted(one.positions)] = True
    return marked


def read_layouts(rule: Rule, calls: Sequence[Call]) -> tuple[Item, ...]:
    """What the rows say: is it matched whole, does it stand elsewhere, was it read before."""
    pairs = [(one, meant(rule, one)) for call in calls for one in call.reading.layouts]
    return (
        _matched(pairs),
        _cut(pairs),
        _copies(pairs, calls, rule),
        _cached(calls),
        _answered(pairs),
    )


def _matched(pairs: list[tuple[Layout, Matched]]) -> Item:
    rows = sum(bool(found.positions) for _, found in pairs)
    total = sum(len(found.positions) for _, found in pairs)
    numbers = {"rows": rows, "of": len(pairs), "positions": total}
    if not total:
        said = Said(
            en="the rule means nothing in these inputs, so nothing was tried",
            zh="规则在这些输入中不指任何内容，因此没有试验",
        )
        return Item(name="matched", state="failed", said=said, numbers=numbers)
    said = Said(
        en=f"it means {total} positions in {rows} of {len(pairs)} inputs",
        zh=f"它在 {len(pairs)} 条输入中的 {rows} 条里指 {total} 个位置",
    )
    return Item(name="matched", state="held", said=said, numbers=numbers)


def _cut(pairs: list[tuple[Layout, Matched]]) -> Item:
    cut = sum(len(found.cut) for layout, found in pairs if not layout.apart)
    whole = sum(len(found.cut) for layout, found in pairs if layout.apart)
    if whole and not cut:
        said = Said(
            en=f"{whole} pieces that also hold something beside it are vetoed whole, and all other "
            "pieces are found without it",
            zh=f"{whole} 个还含有旁边内容的片段被整个否决，其他片段的查找与它无关",
        )
        return Item(name="tokenizer", state="held", said=said, numbers={"positions": 0})
    if not cut:
        said = Said(
            en="no token holds both what is vetoed and something else",
            zh="没有词元同时含有被否决的内容和其他内容",
        )
        return Item(name="tokenizer", state="held", said=said, numbers={"positions": 0})
    said = Said(
        en=f"the tokenizer merged {cut} positions across the edge of what is vetoed: name the "
        "whole word",
        zh=f"分词器在 {cut} 个位置上越过了被否决内容的边缘：请写出整个词",
    )
    return Item(name="tokenizer", state="failed", said=said, numbers={"positions": cut})


def _copies(pairs: list[tuple[Layout, Matched]], calls: Sequence[Call], rule: Rule) -> Item:
    places, example = 0, ""
    for layout, found in pairs:
        for text in _texts(layout, found):
            others = Text(text).match(layout).positions - found.positions
            if others:
                places, example = places + len(others), example or text
    names = [_named_again(layout, found) for layout, found in pairs]
    names += [name for call in calls for name in _equal_columns(call, keys_of(rule, call))]
    example = example or next((name for name in names if name), "")
    places += sum(bool(name) for name in names)
    if not places:
        said = Said(
            en="the vetoed text stands nowhere else in its input",
            zh="被否决的文字在该输入中别处没有出现",
        )
        return Item(name="copies", state="held", said=said, numbers={"positions": 0})
    said = Said(
        en=f"{example!r} also stands at {places} positions that are not vetoed: veto them all",
        zh=f"“{example}”还出现在 {places} 个未被否决的位置：请否决每一处",
    )
    return Item(name="copies", state="failed", said=said, numbers={"positions": places})


def _texts(layout: Layout, found: Matched) -> set[str]:
    """The texts of the stretches that are vetoed, and of what matched."""
    texts, run = set(found.shown if layout.text else ()), list[int]()
    # Pieces that overlap (a word, and two words) are one text only by what matched.
    for place in range(0 if found.cut else layout.length + 1):
        if place in found.positions and place < len(layout.spans) and layout.spans[place]:
            run.append(place)
        elif run:
            first, last = layout.spans[run[0]], layout.spans[run[-1]]
            assert first is not None
            assert last is not None
            texts.add(layout.text[first[0] : last[1]])
            run = []
    return {text.strip() for text in texts if any(letter.isalnum() for letter in text)}


def _named_again(layout: Layout, found: Matched) -> str:
    """The name of a piece that is in part vetoed and in part not."""
    for piece in layout.pieces:
        hit = found.positions & set(piece.positions)
        if hit and hit != set(piece.positions):
            return piece.name
    return ""


def _equal_columns(call: Call, keys_BL: Tensor) -> list[str]:
    """Kept pieces whose numbers are those of a vetoed piece, up to unit and sign, in every row."""
    if call.kind not in ("values", "codes") or len(call.content) < _ENOUGH:
        return []
    content = call.content.detach().cpu().double().flatten(2 if call.content.dim() > 2 else 1)
    content = content if content.dim() > 2 else content[..., None]
    content = content - content.mean(0)
    sizes = content.square().sum(0)
    content = content / sizes.sqrt().clamp_min(1e-12)
    vetoed = keys_BL[:, call.leading :].all(0)
    found = []
    for piece in call.reading.layouts[0].pieces:
        for place in (one - call.leading for one in piece.positions):
            if vetoed[place] or not bool((sizes[place] > 0).any()):
                continue
            used = sizes[place] > 0
            for other in torch.nonzero(vetoed)[:, 0].tolist():
                both = (content[:, place] * content[:, other]).sum(0).abs()
                same = bool(((sizes[other] > 0) == used).all())
                if same and bool((both[used] > 1 - 1e-9).all()):
                    found.append(piece.name)
    return found


def _cached(calls: Sequence[Call]) -> Item:
    unknown = max(call.reading.unknown for call in calls)
    numbers = {"positions": unknown}
    if not unknown:
        said = Said(
            en="nothing was computed before the rule held", zh="规则生效之前没有计算过任何内容"
        )
        return Item(name="cache", state="held", said=said, numbers=numbers)
    said = Said(
        en=f"a cache holds {unknown} positions from before the rule, which may have read it: begin "
        "with an empty cache",
        zh=f"缓存中有 {unknown} 个位置在规则之前算出，可能已读过它：请从空缓存开始",
    )
    return Item(name="cache", state="failed", said=said, numbers=numbers)


def _answered(pairs: list[tuple[Layout, Matched]]) -> Item:
    """Answers in the input that were written after the vetoed text, and maybe in view of it."""
    later = 0
    for layout, found in pairs:
        if found.positions:
            first = min(found.positions)
            later += sum(
                role == "assistant" and place > first and place not in found.positions
                for place, role in enumerate(layout.roles)
            )
    if not later:
        said = Said(
            en="no answer in the input was written in view of it",
            zh="输入中没有在看到它之后写成的回答",
        )
        return Item(name="earlier answers", state="held", said=said, numbers={"positions": 0})
    said = Said(
        en=f"{later} positions are an earlier answer, which may have been written in view of it: "
        "drop that answer, or veto it too",
        zh=f"{later} 个位置是先前的回答，写成时可能看到了它：请去掉该回答，或一并否决",
    )
    return Item(name="earlier answers", state="failed", said=said, numbers={"positions": later})
