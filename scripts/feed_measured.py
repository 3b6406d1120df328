"""Measure the feed on MovieLens 100k, and write what was measured into docs/feed.md.

    python scripts/feed_measured.py rivals          popularity, neighbors, EASE, BPR: a minute
    python scripts/feed_measured.py next SEED       the recommender, leave-one-out: six minutes
    python scripts/feed_measured.py fill SEED       the same in the random split: six minutes
    python scripts/feed_measured.py order           how much of it is the order: seconds
    python scripts/feed_measured.py rules           what rules do, to the feed of seed 0: minutes
    python scripts/feed_measured.py reasons         whether its reasons are true: minutes
    python scripts/feed_measured.py write           the measured parts of docs/feed.md

Each step keeps what it found in scripts/feed_measured.json; `next 0` leaves its feed in --work.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from scripts.feed_page import page  # noqa: E402
from zhuyi.explain import GradientAttention, Occlusion, Random, Received, Rollout  # noqa: E402
from zhuyi.recipes.feed import baselines  # noqa: E402
from zhuyi.recipes.feed.believing import certified  # noqa: E402
from zhuyi.recipes.feed.feed import Feed, steered  # noqa: E402
from zhuyi.recipes.feed.making import make_feed  # noqa: E402
from zhuyi.recipes.feed.movielens import Integers, Ratings, load  # noqa: E402
from zhuyi.recipes.feed.naming import Side, of_genre  # noqa: E402
from zhuyi.recipes.feed.protocol import (  # noqa: E402
    Ranked,
    Scorer,
    Split,
    best,
    leave_one_out,
    random_split,
    ranked,
    tested,
)
from zhuyi.recipes.feed.recommender import Form, Recommender  # noqa: E402
from zhuyi.recipes.feed.saving import load as load_feed  # noqa: E402
from zhuyi.recipes.feed.training import Plan, filling_scorer, scorer, train  # noqa: E402
from zhuyi.steer.reporting import Elsewhere  # noqa: E402
from zhuyi.steer.rules import Rules  # noqa: E402
from zhuyi.verify import Deletion, OtherRemoval, Sanity, Test, verify  # noqa: E402

KEPT = Path(__file__).with_suffix(".json")
PAGE = ROOT / "docs" / "feed.md"
GENRES = ("Comedy", "Action", "Romance", "Sci-Fi", "Horror", "Children's")
WEIGHTS = (0.05, 0.2, 0.5, 2.0, 5.0, 20.0)
STEPS = ("rivals", "next", "fill", "order", "rules", "reasons", "write")
PEOPLE = 60  # for the rules
JUDGED = 16  # for the reasons
VETOED = 300  # people of whom vetoes are tried
SWAPS = 10


def rivals(ratings: Ratings) -> dict[str, Any]:
    """All that the recommender is compared with, in both protocols."""
    films = len(ratings.films)
    found: dict[str, Any] = {}
    for name, split in splits(ratings).items():
        known = split.known()
        neighbors = baselines.chosen(
            lambda option: baselines.item_neighbors(split.train, films, int(option)),  # noqa: B023
            baselines.NEIGHBORS,
            split,
        )
        ridge = baselines.chosen(
            lambda option: baselines.ease(split.train, films, option),  # noqa: B023
            baselines.RIDGES,
            split,
        )
        models: dict[str, Scorer] = {
            "popularity": baselines.Popularity.fit(known, films),
            "neighbors": baselines.item_neighbors(known, films, int(neighbors)),
            "ease": baselines.ease(known, films, ridge),
            "bpr": baselines.bpr(split, baselines.BprPlan()),
        }
        found[name] = {model: kept(tested(one, split)) for model, one in models.items()}
        found[name]["chosen"] = {"neighbors": neighbors, "ridge": ridge}
    return found


def trained(ratings: Ratings, protocol: str, seed: int, work: Path) -> dict[str, Any]:
    """The recommender of a seed in one protocol."""
    split, began = splits(ratings)[protocol], time.process_time()
    plan, tell = Plan(seed=seed), lambda line: print(line, flush=True)
    if protocol == "next":
        folder = work / "feed" if seed == 0 else None
        model = make_feed(folder, ratings=ratings, plan=plan, tell=tell).feed.subject.model
        asked: Callable[[Recommender], Scorer] = scorer
    else:
        asked = filling_scorer
        form = Form(films=len(ratings.films))
        model = train(form, split, plan, asked=asked, tell=tell).model
    seconds = time.process_time() - began
    return {**kept(tested(asked(model), split)), "seconds": round(seconds)}


def splits(ratings: Ratings) -> dict[str, Split]:
    """Both protocols."""
    films = len(ratings.films)
    return {
        "next": leave_one_out(ratings.histories, films),
        "fill": random_split(ratings.histories, films, seed=0),
    }


def order(ratings: Ratings, feed: Feed) -> dict[str, Any]:
    """The last film of everybody, found from histories as they are and from shuffled ones."""
    split = leave_one_out(ratings.histories, len(ratings.films))
    generator, known = np.random.default_rng(0), split.known()
    length = feed.subject.model.form.length
    shuffled = [generator.permutation(one[-length:]) for one in known]
    score = scorer(feed.subject.model)
    return {
        "kept": kept(ranked(score(known), known, split.test)),
        "shuffled": kept(ranked(score(shuffled), known, split.test)),
    }


def rules(ratings: Ratings, feed: Feed) -> dict[str, Any]:
    """What rules do to the lists of some people, and what a veto holds."""
    split = leave_one_out(ratings.histories, len(ratings.films))
    order = np.random.default_rng(0).permutation(len(split.test))[:PEOPLE].tolist()
    known = [split.known()[place] for place in order]
    held = [split.test[place] for place in order]
    curves = [
        {"side": side, "weight": weight, **effect(feed, known, held, side, weight)}
        for side in ("seen", "shown", "*")
        for weight in WEIGHTS
    ]
    return {
        "people": PEOPLE,
        "vetoed": VETOED,
        "genres": list(GENRES),
        "curves": curves,
        "vetoes": vetoes(feed, split.known()[:VETOED]),
        "milliseconds": latency(feed, known),
    }


def effect(
    feed: Feed, known: Sequence[Integers], held: Sequence[Integers], side: Side, weight: float
) -> dict[str, float]:
    """Of one weight on each genre: films of the genre in the list of ten, before, after, by chance;
    how many films of the list stay; and what it costs to find the film that was held back."""
    rows: list[tuple[float, ...]] = []
    for genre in GENRES:
        about = {n for n, film in enumerate(feed.films) if genre in film.genres}
        rule = (Rules().boost if weight > 1 else Rules().damp)(of_genre(genre, side), weight)
        one = rule.rules[0]
        chance = Rules((replace(one, select=(Elsewhere(one.select, 0),)),))
        for seen, wanted in zip(known, held, strict=True):
            before, after = feed.scores(seen.tolist()), feed.scores(seen.tolist(), rule)
            first, then = (set(best(scores, seen, 10).tolist()) for scores in (before, after))
            other = set(best(feed.scores(seen.tolist(), chance), seen, 10).tolist())
            rows.append(
                (
                    len(first & about),
                    len(then & about),
                    len(other & about),
                    len(first & then),
                    float(ranked(before[None], [seen], [wanted]).ndcg[0]),
                    float(ranked(after[None], [seen], [wanted]).ndcg[0]),
                )
            )
    names = ("before", "after", "chance", "same", "ndcg_before", "ndcg_after")
    means = np.array(rows).mean(0).tolist()
    return {name: round(value, 4) for name, value in zip(names, means, strict=True)}


def vetoes(feed: Feed, known: Sequence[Integers]) -> list[dict[str, Any]]:
    """For each genre: its certificate, swaps that changed a bit, films of it that were shown."""
    subject, found = feed.subject, []
    generator = np.random.default_rng(0)
    for genre in GENRES:
        never = Rules().veto(of_genre(genre), id="never")
        about = [n for n, film in enumerate(feed.films) if genre in film.genres]
        having = [one for one in known if np.isin(one[-subject.model.form.length :], about).any()]
        changed = sum(_changed(feed, one, never, np.array(about), generator) for one in having)
        lists = [best(feed.scores(one.tolist(), never), one, 10) for one in known]
        shown = sum(int(np.isin(one, about).sum()) for one in lists)
        levels = [certified(feed, never, one.tolist()).level for one in having[:20]]
        found.append(
            {
                "genre": genre,
                "people": len(having),
                "swaps": SWAPS * len(having),
                "changed": changed,
                "shown": shown,
                "certified": len(levels),
                "exact": levels.count("exact"),
            }
        )
    return found


def _changed(
    feed: Feed,
    history: Integers,
    never: Rules,
    about: Integers,
    generator: np.random.Generator,
) -> int:
    """In how many swaps of the vetoed films for others of the genre a score changed by a bit."""
    subject = feed.subject
    codes = subject.codes([history])
    unseen = np.setdiff1d(about, history)
    rows = codes.repeat(SWAPS + 1, 1)
    places = np.flatnonzero(np.isin(codes[0].numpy(), about))
    for row in range(1, SWAPS + 1):
        others = generator.choice(unseen, len(places), replace=len(unseen) < len(places))
        rows[row, places] = torch.from_numpy(others)
    with steered(subject, never), torch.no_grad():
        scores = torch.cat([subject.model(row[None]) for row in rows])
    return int((scores[1:] != scores[:1]).any(1).sum())


def latency(feed: Feed, known: Sequence[Integers]) -> float:
    """Median milliseconds of a list with reasons under three rules."""
    some = Rules().boost(of_genre("Comedy"), 3).damp(of_genre("Drama"), 0.5)
    some = some.veto(of_genre("Horror"))
    spent = []
    for one in known[:40]:
        began = time.perf_counter()
        feed.list(one.tolist(), some)
        spent.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(spent), 1)


def reasons(ratings: Ratings, feed: Feed) -> dict[str, Any]:
    """Whether explanations of the first film of some people's lists are true, method by method."""
    split = leave_one_out(ratings.histories, len(ratings.films))
    order = np.random.default_rng(1).permutation(len(split.test))[:JUDGED].tolist()
    batch = [split.known()[place].tolist() for place in order]
    methods = (Occlusion(batch_size=256), GradientAttention(), Rollout(), Received(), Random())
    found = []
    for method in methods:
        tests: list[Test] = [Deletion(), OtherRemoval(), Sanity()]
        verdict = verify(feed.subject, batch, method, tests=tests)
        labels = [verdict.inputs.count(name) for name in ("trusted", "doubtful", "refuted")]
        told = [one.said.en for one in verdict.findings]
        found.append(
            {
                "method": type(method).__name__,
                "label": verdict.label,
                "inputs": labels,
                "told": told,
            }
        )
    return {"people": JUDGED, "methods": found}


def kept(found: Ranked) -> dict[str, list[float]]:
    """Scores of every person."""
    return {"ndcg": np.round(found.ndcg, 5).tolist(), "hit": found.hit.tolist()}


def main() -> None:
    """Do one step."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("out"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.step != "write":
        ratings = load()
        name = asked.step
        if name == "rivals":
            found: Any = rivals(ratings)
        elif name in ("next", "fill"):
            found = trained(ratings, name, asked.seed, asked.work)
            name = f"{name} {asked.seed}"
        else:
            feed = load_feed(asked.work / "feed").feed
            found = {"order": order, "rules": rules, "reasons": reasons}[name](ratings, feed)
        # Read only now: another step may have finished meanwhile.
        facts = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
        facts[name] = found
        KEPT.write_text(json.dumps(facts, sort_keys=True) + "\n", encoding="utf-8")
    else:
        facts = json.loads(KEPT.read_text("utf-8"))
        PAGE.write_text(page(facts, PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
