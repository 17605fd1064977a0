"""The temporal protocol on Online Retail (UCI, Chen 2012): the figures that are published beside the data."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle import TrainingWindow, write_bundle
from vitrine.dataset import Dataset
from vitrine_export.evaluate import evaluate_temporal
from vitrine_export.evaluate.baselines import Baseline, BuyAgain, ItemKnn, RecentPopularity
from vitrine_export.evaluate.groups import baseline_lists
from vitrine_export.evaluate.metrics import measure
from vitrine_export.evaluate.temporal import split_by_time
from vitrine_export.importing import import_online_retail

SEPTEMBER = datetime(2011, 9, 1, tzinfo=UTC)
OCTOBER = datetime(2011, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def retail(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("retail")
    import_online_retail(shared_data / "online-retail" / "transactions.parquet", folder)
    return Dataset.open(folder)


@pytest.mark.data
def test_baselines_come_to_the_known_figures(retail: Dataset) -> None:
    split = split_by_time(retail, SEPTEMBER.timestamp(), OCTOBER.timestamp(), seed=0)
    assert (len(split.known), len(split.new), split.new_customers) == (960, 282, 299)
    unseen = split.known.targets.less(split.known.taken)
    some = np.flatnonzero(unseen.sizes)
    assert len(some) == 887
    explorers = split.known.take(some, unseen)
    popular = RecentPopularity(split.past, split.start)

    def figures(baseline: Baseline, *, new: bool) -> list[float]:
        queries = explorers if new else split.known
        lists = baseline_lists(baseline, queries, split.codes, 20, explorers.taken if new else None)
        return [float(v.mean()) for v in measure(lists, queries.targets, [20], ("recall", "ndcg")).values()]

    assert figures(popular, new=False) == pytest.approx([0.0706, 0.1065], abs=0.0015)
    assert figures(BuyAgain(popular), new=False) == pytest.approx([0.2527, 0.3395], abs=0.0015)
    assert figures(ItemKnn(split.past), new=True) == pytest.approx([0.0839, 0.0908], abs=0.002)


@pytest.mark.data
def test_the_protocol_runs_without_models(retail: Dataset, tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle", item_ids=["22423"], window=TrainingWindow(until=SEPTEMBER))
    report = evaluate_temporal(
        retail,
        start=SEPTEMBER.timestamp(),
        end=OCTOBER.timestamp(),
        bundle=tmp_path / "bundle",
        out=tmp_path,
        ablation=False,
    )
    known = {row.method: row.values for row in report.tables[0].rows}
    # What was bought before and what is popular: sources alone reach about what buy again does.
    assert known["pipeline"]["recall@20"] > 0.95 * known["buy again"]["recall@20"]
    assert known["pipeline"]["ndcg@20"] > 0.95 * known["buy again"]["ndcg@20"]
