"""What a step of training sees, and how lists are measured."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.unit.deep.lists import NAMES, make_lists
from vitrine_export.train.deep.network import DeepNetwork
from vitrine_export.train.deep.settings import DeepSettings
from vitrine_export.train.deep.task import DeepTask, components, thinned, useful, without_some
from vitrine_export.train.list_metrics import ndcg, owners


def test_positives_stay_and_others_are_drawn_anew() -> None:
    data = make_lists(size=40)
    data.labels[:40] = 0
    data.labels[40:80] = 1
    rng = np.random.default_rng(0)
    learned = np.arange(len(data)) % 10 > 0
    some, again = thinned(data, learned, 10, rng), thinned(data, learned, 10, rng)
    assert some.lists.tolist() == [i for i in range(2, len(data)) if i % 10]
    assert (useful(data) & learned).nonzero()[0].tolist() == some.lists.tolist()
    assert some.sizes.sum() == len(some.rows)
    np.testing.assert_array_equal(owners(data)[some.rows], np.repeat(some.lists, some.sizes))
    assert data.labels[some.rows].sum() == 3 * len(some.lists)
    assert some.sizes.mean() == pytest.approx(13, abs=0.7)
    assert set(some.rows.tolist()) != set(again.rows.tolist())


def test_all_is_kept_of_short_lists() -> None:
    data = make_lists(size=5)
    assert len(thinned(data, np.ones(len(data), np.bool_), 10, np.random.default_rng(0)).rows) == len(
        data.labels
    )


def test_a_missing_component_is_missing_from_a_whole_list() -> None:
    data = make_lists(200, dimensions=3)
    parts = components(NAMES)
    assert [part.tolist() for part in parts] == [[2, 3], [4]]
    told = {"features": data.features.copy(), "item": np.ones((len(data.labels), 3), np.float32)}
    without_some(told, parts, data.sizes, 0.25, np.random.default_rng(0))
    gone = np.isnan(told["features"]).reshape(400, 30, 5)[:, :, 2:]
    assert (gone == gone[:, :1]).all()
    np.testing.assert_array_equal(gone[:, :, 0], gone[:, :, 1])
    no_vector = (told["item"] == 0).reshape(400, -1)
    assert (no_vector == no_vector[:, :1]).all()
    for share in (gone[:, 0, 0].mean(), gone[:, 0, 2].mean(), no_vector[:, 0].mean()):
        assert share == pytest.approx(0.25, abs=0.06)
    np.testing.assert_array_equal(told["features"][:, :2], data.features[:, :2])


def test_the_loss_is_the_cross_entropy_of_each_list() -> None:
    data = make_lists(2, size=6)
    torch.manual_seed(0)
    network = DeepNetwork(data.features, None, (4,), 0.0)
    settings = DeepSettings(dropped=0.0, lists=3, negatives=100)
    steps = list(DeepTask(network, data, np.ones(4, np.bool_), settings, 0, torch.device("cpu")).losses(1))
    assert [share for share, _ in steps] == [0.5, 1.0]
    scores = network(torch.from_numpy(data.features)).detach().numpy().reshape(4, 6)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    each = -(logs * data.labels.reshape(4, 6)).sum(axis=1) / 3
    total = 3 * float(steps[0][1].detach()) + float(steps[1][1].detach())
    assert total == pytest.approx(each.sum(), rel=1e-5)


def test_the_metric_is_that_of_evaluation() -> None:
    data = make_lists(5)
    data = replace(data, missed=np.arange(10, dtype=np.int32))
    data.labels[:30] = 0
    scores = data.features[:, 0]
    each = []
    for i in range(1, 10):
        own = slice(30 * i, 30 * i + 30)
        hits = data.labels[own][np.argsort(-scores[own], kind="stable")][:20]
        ideal = sum(1 / math.log2(r + 2) for r in range(min(20, 3 + i)))
        each.append(sum(h / math.log2(r + 2) for r, h in enumerate(hits.tolist())) / ideal)
    assert ndcg(scores, data) == pytest.approx(np.mean(each))


def test_the_columns_of_a_plugin_come_and_go_together() -> None:
    names = ("item.price", "plugin:season.fits", "ranker:cf.share", "plugin:season.peak", "ranker:cf.rank")
    assert [part.tolist() for part in components(names)] == [[1, 3], [2, 4]]
