"""A page of invented figures: every part of it made by the functions that make real ones."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import scipy.sparse as sp

from vitrine_export.evaluate.classification import Pairs, classify
from vitrine_export.evaluate.lists import ItemSets, Lists
from vitrine_export.evaluate.metrics import measure
from vitrine_export.evaluate.page import Chapter, Entry, Kind, Offer, Page, People, Shopper, Thing
from vitrine_export.evaluate.page.compose import Evidence, chapter_of, importance_of, learned
from vitrine_export.evaluate.report import PIPELINE, Report, Row, Table
from vitrine_export.evaluate.temporal import Queries
from vitrine_export.train.picture import Panel, Run

QUERIES, ITEMS, K = 200, 300, 20
EVIL = '<script>alert("1")</script>'
CHINESE = "青花瓷茶具套装（六件）"
# How well each invented method knows what a shopper takes.
_SKILLS = {
    PIPELINE: 0.42,
    "cf": 0.36,
    "content": 0.2,
    "deep": 0.33,
    "− cf": 0.37,
    "− content": 0.41,
    "− deep": 0.4,
    "− lightgbm": 0.35,
    "popularity": 0.07,
    "recent popularity": 0.1,
    "buy again by count": 0.3,
    "buy again by recency": 0.28,
    "item kNN": 0.31,
    "Markov chain": 0.22,
    "sequential rules": 0.24,
    "EASE": 0.355,
}


def targets(seed: int = 0) -> ItemSets:
    """Some items of a catalogue in which few are popular."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, ITEMS + 1)
    draws = rng.choice(ITEMS, (QUERIES, 4), p=weights / weights.sum())
    return ItemSets.of_pairs(np.repeat(np.arange(QUERIES), 4), draws.ravel(), QUERIES)


def lists(skill: float, wanted: ItemSets, seed: int = 1) -> Lists:
    """Lists that hold what was taken with some probability, the nearer to the top the better the method."""
    rng = np.random.default_rng(seed + int(1000 * skill))
    scores = 0.01 + rng.random((QUERIES, ITEMS)) / np.arange(1, ITEMS + 1) ** 0.3
    known = rng.random(len(wanted.items)) < skill
    scores[wanted.queries[known], wanted.items[known]] += rng.random(int(known.sum()))
    return Lists.top(scores, rng.integers(0, 2**60, ITEMS).astype(np.uint64), K)


def panels() -> Sequence[Panel]:
    """A network in two folds, one that stands alone, and trees."""
    rounds = np.arange(1, 13)
    folds = [Run((2 / rounds + f).tolist(), (0.3 - 0.2 / rounds + f / 50).tolist(), 9) for f in (0.1, 0.2)]
    tower = Run((1 / rounds).tolist(), [0.1, 0.2, 0.25, float("nan"), 0.26, *[0.25] * 7], 5)
    trees = 0.4 - 0.1 * np.exp(-np.arange(1, 121) / 20)
    return [
        Panel("deep, cpu, 2 folds", "epoch", "NDCG@20", folds),
        Panel("interest, cpu", "epoch", "NDCG@20", [tower]),
        Panel("lightgbm, 12,000 lists", "trees", "NDCG@20", [Run((), trees.tolist(), 96)]),
    ]


def shopper(number: int) -> Shopper:
    """One with a title that is a script, one in Chinese and one without."""
    things = [
        Thing("i1", EVIL),
        Thing("i2", CHINESE),
        Thing("i3"),
        Thing("i4", "white hanging heart t-light holder"),
    ]
    window = [
        Offer(
            thing,
            f"Shoppers who took {CHINESE} also took this." if place % 2 else "You bought it before.",
            ("co_visitation", "linear", "bought_again")[: 1 + place % 3],
            taken=place == number % 5,
            known=thing.item == "i4",
        )
        for place, thing in enumerate(
            things + [Thing(f"x{n}", f"regency cakestand {n} tier") for n in range(8)]
        )
    ]
    history = [Thing(t.item, t.title, "bought · 2× · 5 days before") for t in things]
    took = [window[number % 5].thing, Thing("i9", "set of 3 cake tins pantry design")]
    return Shopper(
        f"1{number:04}",
        "37 events, last seen 3 days before",
        history,
        window,
        took,
        basket=things[:1] if number else (),
    )


def report(methods: dict[str, Lists], wanted: ItemSets) -> Report:
    """As a run makes it: one table with everything, one without each part."""
    values = {name: measure(of, wanted, [10, K]) for name, of in methods.items()}
    rows = [Row(name, {m: float(v.mean()) for m, v in found.items()}) for name, found in values.items()]
    note = "Scene 'home'. Targets: everything that the customer took in the window."
    return Report(
        "temporal",
        "Online Retail",
        1314835200.0,
        1317427200.0,
        K,
        0,
        bundle="5f1c0d",
        config="a1b2c3",
        tables=[
            Table(
                "known",
                "Known customers, all items",
                QUERIES,
                [r for r in rows if "−" not in r.method],
                [],
                note,
            ),
            Table(
                "known_ablation",
                "The same for some",
                QUERIES,
                [r for r in rows if "−" in r.method or r.method == PIPELINE],
            ),
        ],
        counts={"target events before": 370_931, "known customers": 960},
        seconds={"split": 0.4, "training": 243.7, "windows": 31.0},
        milliseconds=8.13,
        missing={"ranker:deep: was too slow": 3},
    )


def evidence(methods: dict[str, Lists], wanted: ItemSets) -> Evidence:
    """What stands behind the first table."""
    rng = np.random.default_rng(3)
    history = sp.csr_array(sp.random_array((QUERIES, ITEMS), density=0.05, rng=rng))
    queries = Queries(
        [f"u:{n}" for n in range(QUERIES)], wanted.within(np.zeros(ITEMS, bool)), wanted, history
    )
    two = Pairs(wanted.queries, wanted.items, wanted.items[::-1])
    scores = rng.random((2, len(two))) + np.array([[0.5], [0]])
    source = "Author & Other 2021, SIGIR, table 2"
    return Evidence(
        "known",
        queries,
        methods,
        ("recall@20", "ndcg@20"),
        np.bincount(wanted.items, minlength=ITEMS) * 3,
        ("cf", "content", "deep"),
        users=np.arange(QUERIES) // 2,
        people=People([shopper(n) for n in range(10)], "In 70 % of all queries something was found."),
        lists={PIPELINE: {"coverage@20": 0.61, "novelty@20": 9.7}, "popularity": {"coverage@20": 0.02}},
        classification={PIPELINE: classify(two, scores[0], scores[1], 0.7)},
        published=[
            Entry("LightGCN", {"recall@20": 0.31, "ndcg@20": 0.21}, Kind.PUBLISHED, citation=source),
            Entry("SimpleX <2021>", {"recall@20": 0.47}, Kind.PUBLISHED, citation=source),
        ],
    )


@cache
def chapter() -> Chapter:
    """A chapter in which nothing is missing."""
    wanted = targets()
    methods = {name: lists(skill, wanted) for name, skill in _SKILLS.items()}
    command = "vitrine evaluate --protocol temporal --data DIR --from 2011-09-01 --to 2011-10-01 --out OUT"
    made = chapter_of(report(methods, wanted), [evidence(methods, wanted)], command=command)
    shares = {
        "history.purchases": 0.3,
        "ranker:cf.share": 0.25,
        "ranker:cf.rank": 0.1,
        "taste.category": 0.05,
    }
    return replace(made, learning=learned(panels()), importance=importance_of(shares), missing={})


def demo_page() -> Page:
    """One full chapter, one with little in it, and one with nothing."""
    full = chapter()
    little = replace(
        full, title=f"Gowalla {CHINESE}", protocol="fixed-split", curves=(), learning=None, people=None
    )
    nothing = Chapter(
        f"Empty {EVIL}", "sessions", "Nothing was asked.", missing={"curves": "there are no queries"}
    )
    return Page(
        "Recommendations, measured", [full, little, nothing], machine="Some CPU, 2 cores", made="2026-11-22"
    )
