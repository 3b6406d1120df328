"""The measured parts of docs/feed.md, from the numbers that scripts/feed_measured.py kept."""

from typing import Any

import numpy as np

from zhuyi.recipes.intervals import Interval, bootstrap

_NAMES = {
    "popularity": "popularity",
    "neighbors": "neighbors of films (cosine)",
    "bpr": "BPR, width 64",
    "ease": "EASE",
}
_SIDES = {
    "seen": "films seen (attention)",
    "shown": "films to be shown (odds)",
    "*": "both, as on the page",
}
_PROTOCOLS = {"next": "last film", "fill": "random 10 %"}


def page(facts: dict[str, Any], text: str) -> str:
    """The page with its measured parts written anew; the rest stays as it is.

    Args:
        facts: what was measured.
        text: the page.
    """
    parts = {
        "standings": _standings(facts),
        "rules": _rules(facts["rules"]),
        "reasons": _reasons(facts["reasons"]),
    }
    for name, part in parts.items():
        begin = f"<!-- begin {name}: written by scripts/feed_measured.py -->\n"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(f"<!-- end {name} -->")
        if not (found and ended):
            raise ValueError(f"the page has no part {name!r}")
        text = f"{before}{begin}{part}<!-- end {name} -->{after}"
    return text


def _standings(facts: dict[str, Any]) -> str:
    rivals = facts["rivals"]
    seeds = {protocol: _seeds(facts, protocol) for protocol in _PROTOCOLS}
    lines = [
        "MovieLens 100k: 943 people, 1,682 films, every rating counts as watched. All films that a "
        "person has not seen are ranked; nothing is sampled. Means over people with 95 % intervals "
        "by drawing people with replacement; of the recommender the mean of "
        f"{len(seeds['next'])} seeds.",
        "",
        "| model | last film, NDCG@10 | HR@10 | random 10 %, NDCG@10 | HR@10 |",
        "|---|---|---|---|---|",
    ]
    rows = {
        shown: [rivals[protocol][name] for protocol in _PROTOCOLS] for name, shown in _NAMES.items()
    }
    rows["**attention recommender**"] = [_averaged(seeds[protocol]) for protocol in _PROTOCOLS]
    for shown, found in rows.items():
        cells = [str(_mean(one[score])) for one in found for score in ("ndcg", "hit")]
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    lines += ["", *_notes(rivals, seeds), _order(facts["order"])]
    return "\n".join([*lines, ""])


def _notes(rivals: dict[str, Any], seeds: dict[str, dict[int, dict[str, Any]]]) -> list[str]:
    each = {
        protocol: ", ".join(f"{np.mean(one['ndcg']):.4f}" for one in runs.values())
        for protocol, runs in seeds.items()
    }
    seconds = [one["seconds"] for runs in seeds.values() for one in runs.values()]
    chosen = [rivals[protocol]["chosen"] for protocol in _PROTOCOLS]
    return [
        "- Differences of NDCG@10, person by person: " + "; ".join(_gaps(rivals, seeds)) + ".",
        f"- Seeds, NDCG@10: last film {each['next']}; random {each['fill']}. A training took "
        f"{min(seconds)} to {max(seconds)} s of one core.",
        "- *Last film*: each person's last film in time is the test, the one before it the "
        "validation, the rest is learned from. This is what a feed does. The recommender is not "
        "trained again with the validation films; EASE, neighbors and popularity are.",
        "- *Random 10 %*: of each person's films 80 % are learned from, 10 % validate, 10 % are "
        "the test, at random. It is the protocol behind the 0.2768 that RecBole publishes for BPR "
        f"(our own BPR: {np.mean(rivals['fill']['bpr']['ndcg']):.4f}). Its NDCG counts several "
        "films a person, and what is held back lies between what is known, so it cannot be "
        "compared with the other column. Here the recommender is asked at every place of a "
        "history what is missing there: it knows the order of what was watched, which the others "
        "do not use. EASE is the best of all in this protocol all the same.",
        "- Chosen on the validation films: neighbors "
        f"{chosen[0]['neighbors']:g} and {chosen[1]['neighbors']:g}, EASE's ridge "
        f"{chosen[0]['ridge']:g} and {chosen[1]['ridge']:g}, the epoch of BPR, and of the "
        "recommender every fifth epoch; its other settings (width 64, two layers, two heads, 50 "
        "films, dropout 0.2) were taken as they are.",
    ]


def _order(found: dict[str, Any]) -> str:
    return (
        f"- How much of it is order: the feed of seed 0 finds the last film with "
        f"{np.mean(found['kept']['ndcg']):.3f}, and with histories shuffled "
        f"{np.mean(found['shuffled']['ndcg']):.3f}. On this site people rated long lists in the "
        "order in which they were shown, so a part of what comes next is the site's order and not "
        "a person's taste."
    )


def _gaps(rivals: dict[str, Any], seeds: dict[str, dict[int, dict[str, Any]]]) -> list[str]:
    found = []
    for protocol, shown in _PROTOCOLS.items():
        ours = np.array(_averaged(seeds[protocol])["ndcg"])
        for rival in ("bpr", "ease"):
            gap = _mean(ours - np.array(rivals[protocol][rival]["ndcg"]))
            assert gap.lower is not None
            assert gap.upper is not None
            told = "ahead of" if gap.lower > 0 else "behind" if gap.upper < 0 else "level with"
            found.append(f"{shown}, {told} {rival.upper()}: {gap}")
    return found


def _rules(found: dict[str, Any]) -> str:
    lines = [
        f"One rule on a genre ({', '.join(found['genres'])}), lists of ten of {found['people']} "
        "people, means over both. *By chance* is the same rule on as many random other films. "
        "NDCG@10 is that of the person's last film: what the wish costs in foresight.",
        "",
        "| rule on | weight | of the genre in the list: without, with | by chance "
        "| films that stay | NDCG@10 without, with |",
        "|---|---|---|---|---|---|",
    ]
    for one in found["curves"]:
        lines.append(
            f"| {_SIDES[one['side']]} | {one['weight']:g} | {one['before']:.2f}, "
            f"**{one['after']:.2f}** | {one['chance']:.2f} | {one['same']:.1f} of 10 "
            f"| {one['ndcg_before']:.3f}, {one['ndcg_after']:.3f} |"
        )
    total = {
        name: sum(one[name] for one in found["vetoes"])
        for name in ("swaps", "changed", "shown", "exact", "certified")
    }
    return "\n".join(
        [
            *lines,
            "",
            f"**Never.** A veto of each of these genres, for those of {found['vetoed']} people who "
            "watched one of it: "
            f"{total['swaps']:,} swaps of the vetoed films of a history for others of the genre "
            f"changed a bit of any score in **{total['changed']}** cases; **{total['shown']}** "
            f"films of the genre were shown in all lists; `certify` says exact in "
            f"**{total['exact']} of {total['certified']}** histories tried. What a veto cannot do: "
            "hide what the other films of a history give away.",
            "",
            f"A list with reasons under three rules takes {found['milliseconds']:.0f} ms (median "
            "of 40 people, on one of two cores shared with other work).",
            "",
        ]
    )


def _reasons(found: dict[str, Any]) -> str:
    lines = [
        f"The first film of {found['people']} people's lists: the films of the history are taken "
        "out in the order in which a method names them, and in random orders (`zhuyi.verify`). A "
        "reason on the page is what the odds lose when one film had never been watched, which is "
        "what Occlusion measures on probabilities.",
        "",
        "| method | verdict | lists trusted, doubtful, refuted | what the removal test found |",
        "|---|---|---|---|",
    ]
    for one in found["methods"]:
        counts = ", ".join(map(str, one["inputs"]))
        lines.append(f"| {one['method']} | {one['label']} | {counts} | {one['told'][0]} |")
    return "\n".join([*lines, ""])


def _seeds(facts: dict[str, Any], protocol: str) -> dict[int, dict[str, Any]]:
    """What was measured of each seed."""
    names = sorted(name for name in facts if name.startswith(f"{protocol} "))
    return {int(name.rpartition(" ")[2]): facts[name] for name in names}


def _averaged(runs: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Each person's scores, averaged over the seeds."""
    return {
        score: np.mean([one[score] for one in runs.values()], 0).tolist()
        for score in ("ndcg", "hit")
    }


def _mean(values: Any) -> Interval:
    numbers = np.asarray(values)
    return bootstrap(lambda drawn: float(numbers[drawn].mean()), len(numbers))
