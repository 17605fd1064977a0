"""The shop in memory, and batches of windows out of it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from tests.support.world import World
from vitrine.app.batch import read_users, recommend_batch
from vitrine.app.combine import combine
from vitrine.app.memory import Memory
from vitrine.app.offline import OfflineShop
from vitrine.bundle import load_bundle
from vitrine.cli.batch import batch_command
from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine.domain.candidates import Candidates
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput
from vitrine.recommendation.query import WindowQuery

HALF = datetime(2026, 10, 2, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def shop(world: World) -> OfflineShop:
    return OfflineShop.open(Dataset.open(world.data), load_config(), load_bundle(world.bundle))


def batch(args: list[str]) -> str:
    app = typer.Typer()
    app.command()(batch_command)
    result = CliRunner().invoke(app, args)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_combined_candidates_keep_their_sources() -> None:
    one = Candidates(
        ["a", "b"], ("x", "y"), np.array([3, 2], np.uint32), np.array([[1, 2], [np.nan, 3]], np.float32)
    )
    two = Candidates(["c"], ("y", "z"), np.array([1], np.uint32), np.array([[4, np.nan]], np.float32))
    both, offsets = combine([one, Candidates.of_items([]), two])
    assert (both.source_names, both.item_ids, offsets.tolist()) == (
        ("x", "y", "z"),
        ["a", "b", "c"],
        [0, 2, 2, 3],
    )
    assert both.masks.tolist() == [0b011, 0b010, 0b010]
    np.testing.assert_array_equal(both.scores[2], np.array([np.nan, 4, np.nan], np.float32))


def test_a_batch_answers_as_one_by_one(shop: OfflineShop, world: World) -> None:
    queries = [WindowQuery(Subject(user), "home", 10) for user in world.shoppers(20)]
    for query, answer in zip(queries, shop.answers(queries), strict=True):
        assert answer.item_ids == [item.item_id for item in shop.recommend(query).items]


def test_nothing_from_after_the_moment_is_known(world: World) -> None:
    dataset = Dataset.open(world.data)
    memory = Memory.of(dataset, load_config(), until=HALF)
    last = max(state.last_time for state in memory.profiles.states.values())
    assert HALF - 86_400 < last < HALF
    table = dataset.items()
    assert table is not None
    late = set(table.filter(pl.col("created_time").dt.epoch("us") >= HALF * 1e6)["item_id"])
    assert late
    there = set(memory.store.catalog.ids)
    seen = dataset.events().filter(pl.col("time").dt.epoch("us") < HALF * 1e6).select("item_id").collect()
    assert not (late - set(seen["item_id"])) & there
    early = Memory.of(dataset, load_config(), until=HALF, early=True).store.catalog
    assert len(early) == len(table)
    assert early.created.max() == HALF


def test_without_times_the_order_counts(tmp_path: Path, world: World) -> None:
    dataset = Dataset.open(world.data)
    events = dataset.events().drop("time").collect()
    untimed = Dataset.write(tmp_path, events, dataset.items(), name="untimed", source="test", ordered=True)
    shop = OfflineShop.open(untimed, load_config())
    user = world.shoppers(1)[0]
    recent = shop.profile(Subject(user)).recent
    mine = events.filter((pl.col("user_id") == user) & (pl.col("type") != "impression"))["item_id"]
    assert list(recent.item_ids)[-5:] == mine.fill_null("").to_list()[-5:]
    assert shop.recommend(WindowQuery(Subject(user), "home", 5)).items
    with pytest.raises(InvalidInput, match="until: the events of this data set have no times"):
        OfflineShop.open(untimed, load_config(), until=HALF)


def test_users_from_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ann\n\n 李雷 \nann\n", "utf-8")
    (tmp_path / "b.csv").write_text("name,user_id\nx,0012\ny,\n", "utf-8")
    pl.DataFrame({"user_id": [7, None, 8]}).write_parquet(tmp_path / "c.parquet")
    assert [read_users(tmp_path / name) for name in ("a.txt", "b.csv", "c.parquet")] == [
        ["ann", "李雷"],
        ["0012"],
        ["7", "8"],
    ]
    (tmp_path / "d.csv").write_text("name\nx\n", "utf-8")
    (tmp_path / "e.txt").write_text("\n", "utf-8")
    (tmp_path / "f.txt").write_text("x" * 129, "utf-8")
    for name, message in (
        ("d.csv", "no column 'user_id'; it has name"),
        ("e.txt", "names nobody"),
        ("f.txt", "129 bytes"),
        ("none.txt", "no such file"),
    ):
        with pytest.raises(InvalidInput, match=message):
            read_users(tmp_path / name)


def test_unknown_users_get_what_is_popular(shop: OfflineShop) -> None:
    table = recommend_batch(shop, ["nobody-1", "nobody-2"], "home", 7)
    assert table.columns == ["query", "rank", "item", "score", "reason"]
    assert table["rank"].to_list() == [1, 2, 3, 4, 5, 6, 7] * 2
    assert table["item"][:7].to_list() == table["item"][7:].to_list()
    assert all(table["reason"])
    with pytest.raises(InvalidInput, match="unknown scene 'hom'"):
        recommend_batch(shop, ["nobody"], "hom", 7)


def test_the_command_writes_the_windows(world: World, tmp_path: Path) -> None:
    users = world.shoppers(70)
    (tmp_path / "users.txt").write_text("\n".join([*users, "stranger"]), "utf-8")
    out = tmp_path / "deep" / "windows.parquet"
    options = {
        "data": world.data,
        "bundle": world.bundle,
        "users": tmp_path / "users.txt",
        "limit": 5,
        "out": out,
    }
    said = batch([part for name, value in options.items() for part in (f"--{name}", str(value))])
    table = pl.read_parquet(out)
    assert table["query"].unique(maintain_order=True).to_list() == [*users, "stranger"]
    assert len(table) == 71 * 5
    assert "71 shoppers (1 of them unknown)" in " ".join(said.split())


def _clicks(folder: Path, *, ordered: bool, **columns: object) -> Dataset:
    items = ["a", "b", "c", "d"]
    events = pl.DataFrame({"event_id": items, "item_id": items, "type": "view", "user_id": "u", **columns})
    return Dataset.write(
        folder, events, pl.DataFrame({"item_id": items}), name="n", source="s", ordered=ordered
    )


def test_a_shopper_with_several_devices_keeps_the_order(tmp_path: Path) -> None:
    data = _clicks(tmp_path, ordered=True, anonymous_id=["x", "y", "x", "y"])
    recent = Memory.of(data, load_config()).profiles.get(Subject("u")).recent
    assert list(recent.item_ids) == ["a", "b", "c", "d"]
    assert (np.diff(recent.times) > 0).all()


def test_one_event_without_a_time_takes_nothing_from_what_is_popular(tmp_path: Path) -> None:
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    data = _clicks(tmp_path, ordered=False, time=[moment, None, moment, moment])
    memory = Memory.of(data, load_config())
    shares = memory.popularity.shares(memory.store.catalog.rows(["a", "b", "c", "d"]))
    np.testing.assert_allclose(shares, [1, 0, 1, 1], atol=1e-6)
