"""Texts of other people's making are shown letter by letter: brackets in them are no markup."""

from pathlib import Path
from typing import Self

import pytest
from typer.testing import CliRunner

from vitrine.api.common.v1 import common_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2
from vitrine.app.load import Loaded
from vitrine.cli import load, plugins, recommend
from vitrine.cli.app import app
from vitrine.dataset import Dataset
from vitrine.hosting import Plugin

HOSTILE = "lamp [blue] :star: [/b]"


class Shop:
    """A client whose server answers with brackets everywhere."""

    def __init__(self, address: str) -> None:
        del address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def recommend(self, *_: object, **__: object) -> recommendation_pb2.RecommendResponse:
        return recommendation_pb2.RecommendResponse(
            request_id=f"r {HOSTILE}",
            items=[
                recommendation_pb2.RecommendedItem(
                    item_id=f"i {HOSTILE}",
                    reason=common_pb2.Reason(text=f"why {HOSTILE}"),
                    scores={f"s {HOSTILE}": 1.0},
                )
            ],
            degraded=[common_pb2.Degradation(component=f"c {HOSTILE}", message=f"m {HOSTILE}")],
            versions=common_pb2.Versions(
                bundle=f"b {HOSTILE}", plugins=[common_pb2.PluginVersion(name=f"p {HOSTILE}", version="1")]
            ),
        )

    def get_items(self, item_ids: list[str]) -> list[retrieval_pb2.Item]:
        return [retrieval_pb2.Item(item_id=i, title=f"t {HOSTILE}") for i in item_ids]


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal on which nothing wraps."""
    for module in (recommend, plugins, load):
        monkeypatch.setattr(module.console, "width", 600)


@pytest.mark.usefixtures("wide")
def test_a_window_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitrine.client.Vitrine", Shop)
    shown = CliRunner().invoke(app, ["recommend", "--scores"])
    assert shown.exit_code == 0, shown.exception
    for kind in "risbpcmt":
        assert f"{kind} {HOSTILE}" in shown.output
    assert f"why {HOSTILE}" in shown.output


@pytest.mark.usefixtures("wide")
def test_the_title_of_a_window_is_shown_as_it_is() -> None:
    table = recommend.window_table(Shop("").recommend(), {}, title=HOSTILE, before={})
    with recommend.console.capture() as shown:
        recommend.console.print(table)
    assert HOSTILE in shown.get()
    assert " new " in shown.get()


@pytest.mark.usefixtures("wide")
def test_plugins_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Plugin(f"n {HOSTILE}", f"d {HOSTILE}", None, f"e {HOSTILE}")]
    monkeypatch.setattr("vitrine.hosting.discover", lambda: found)
    shown = CliRunner().invoke(app, ["plugins"])
    assert shown.exit_code == 0, shown.exception
    for kind in "nde":
        assert f"{kind} {HOSTILE}" in shown.output


@pytest.mark.usefixtures("wide")
def test_a_rejection_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = Loaded(items=0, accepted=0, duplicate=0, rejected=1, first_rejection=f"f {HOSTILE}")
    monkeypatch.setattr(Dataset, "open", lambda _: None)
    monkeypatch.setattr("vitrine.app.load.load_into_store", lambda *_, **__: done)
    shown = CliRunner().invoke(app, ["load", str(tmp_path / "[b]"), "--store", "[/b]"])
    assert shown.exit_code == 0, shown.exception
    assert f"f {HOSTILE}" in shown.output
    assert "[b]/bundle --store [/b]" in shown.output
