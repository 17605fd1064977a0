"""Lists that a search keeps say the same when they are read again."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tests.unit.tuning.test_within import lists
from vitrine_export.train.parameters import RerankerSettings
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import held_out_fit, held_out_shoppers
from vitrine_export.tuning.lists import kept_lists

# No order of trees or weights depends on them, and they are not kept.
NOT_KEPT = {"vectors", "contributed"}


def made() -> RankingData:
    data = lists(400)
    rng = np.random.default_rng(2)
    return replace(
        data,
        names=("ranker:cf.share", "source:visits.share", *data.names[2:]),
        window=rng.integers(0, 3, len(data)).astype(np.int8),
        missed=rng.integers(0, 3, len(data)).astype(np.int32),
        weights={"cf": 1.0, "source:visits": 0.5},
    )


def never() -> RankingData:
    raise AssertionError("they are kept")


def test_all_that_an_order_depends_on_is_there_again(tmp_path: Path) -> None:
    data = made()
    first = kept_lists(tmp_path / "lists", lambda: data)
    again = kept_lists(tmp_path / "lists", never)
    assert first is data
    assert again is not None
    for field in fields(RankingData):
        if field.name not in NOT_KEPT:
            before, after = getattr(data, field.name), getattr(again, field.name)
            if isinstance(before, np.ndarray):
                assert before.dtype == after.dtype, field.name
                assert np.array_equal(before, after), field.name
            else:
                assert before == after, field.name


def test_trees_that_start_from_the_scene_do_so_after_a_cut(tmp_path: Path) -> None:
    data = made()
    kept_lists(tmp_path / "lists", lambda: data)
    again = kept_lists(tmp_path / "lists", never)
    assert again is not None
    settings = RerankerSettings(rounds=4, leaves=4, start=True)
    curves = [held_out_fit(d, held_out_shoppers(d.subjects, 0), settings, 0)[1] for d in (data, again)]
    assert curves[0] == curves[1]


def test_lists_from_before_there_were_weights_are_made_anew(tmp_path: Path) -> None:
    kept_lists(tmp_path / "lists", made)
    about = tmp_path / "lists" / "lists.json"
    told: dict[str, Any] = msgspec.json.decode(about.read_bytes())
    del told["weights"]
    about.write_bytes(msgspec.json.encode(told))
    again = kept_lists(tmp_path / "lists", made)
    assert again is not None
    assert again.weights == made().weights
