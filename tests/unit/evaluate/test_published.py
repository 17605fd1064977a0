"""Published figures are found by the size of the data, and only so."""

import math

import pytest

from vitrine_export.evaluate.published import published, tables


@pytest.mark.parametrize(
    ("protocol", "users", "items", "interactions", "method", "measure", "value"),
    [
        ("fixed-split", 29_858, 40_981, 810_128, "SimpleX", "recall@20", 0.1872),
        ("leave-one-out", 22_363, 12_101, 198_502, "S3-Rec", "hr@10", 0.0647),
        ("sessions", 126_168, 36_968, 685_984, "GCE-GNN", "mrr@20", 0.2872),
    ],
)
def test_a_known_data_set_is_recognised_by_its_size(
    protocol: str, users: int, items: int, interactions: int, method: str, measure: str, value: float
) -> None:
    found = published(protocol, users, items, interactions)
    assert found is not None
    assert {f.method: f.values for f in found.figures}[method][measure] == value
    assert published(protocol, users, items, interactions - 1) is None
    assert published("temporal", users, items, interactions) is None


def test_every_figure_is_a_share_and_has_a_source() -> None:
    for table in tables():
        assert table.source
        for figure in table.figures:
            assert figure.cite
            assert figure.values
            assert all(0 < value < 1 and not math.isnan(value) for value in figure.values.values())


def test_what_was_not_published_is_left_out() -> None:
    beauty = next(table for table in tables() if table.name == "Amazon Beauty")
    full = next(figure for figure in beauty.figures if figure.method == "SASRec, full softmax")
    assert full.values == {"hr@10": 0.0859, "ndcg@10": 0.0503}
