"""`vitrine profile-request`: figures by stage, the picture of them, and what is wrong with a question."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from vitrine.api.common.v1 import common_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2 as pb
from vitrine.cli import profile_request
from vitrine.cli.app import app
from vitrine.cli.stage_bars import bar, bars
from vitrine.cli.stage_figures import profiled
from vitrine.domain.stages import Stage
from vitrine.errors import NotReady
from vitrine.wire.stages import stages_to_proto

MS = 1e-3


def requests() -> list[list[Stage]]:
    """99 alike, and one whose reranker took its time and that came with a stage of its own."""
    usual = [
        Stage("decode", 0.1 * MS, 0.1 * MS),
        Stage("source:popular", 1 * MS, 0.9 * MS),
        Stage("ranker:lightgbm", 4 * MS, 4 * MS),
        Stage("waiting", 0.5 * MS, 0),
    ]
    slow = [*usual[:2], Stage("ranker:lightgbm", 40 * MS, 8 * MS), usual[3], Stage("reasons", 2 * MS, 2 * MS)]
    return [usual] * 99 + [slow]


def test_the_figures_are_those_of_the_requests() -> None:
    told = profiled(requests(), [6 * MS] * 100)
    assert [s.name for s in told.stages] == [
        "decode",
        "source:popular",
        "ranker:lightgbm",
        "reasons",
        "waiting",
    ]
    by_name = {s.name: s for s in told.stages}
    assert by_name["ranker:lightgbm"].median == pytest.approx(4)
    assert by_name["ranker:lightgbm"].slow == pytest.approx(40)
    assert by_name["reasons"].median == 0, "who has no such stage spent nothing on it"
    assert by_name["source:popular"].cpu == pytest.approx(0.9)
    assert told.total.median == pytest.approx(5.6)
    assert told.largest.name == "ranker:lightgbm"
    assert told.client.median == pytest.approx(6)


def test_the_picture_fits_and_its_bars_are_in_proportion() -> None:
    console = Console(width=100, color_system=None)
    with console.capture() as shown:
        console.print(bars(profiled([requests()[0]] * 10, [6 * MS] * 10), 100))
    lines = shown.get().splitlines()
    assert lines[0].split() == ["stage", "median", "ms", "p99", "ms", "CPU", "ms", "share"]
    cells = {line.split()[0]: line.split()[1:] for line in lines[1:6]}
    room = len(cells["ranker:lightgbm"][-1])
    assert cells["ranker:lightgbm"] == ["4.00", "4.00", "4.00", "71%", "█" * room]
    assert cells["source:popular"] == ["1.00", "1.00", "0.90", "18%", "█" * round(room / 4)]
    assert cells["decode"] == ["0.10", "0.10", "0.10", "2%", "█"]
    assert cells["waiting"][:3] == ["0.50", "0.50", "9%"], "nobody measures the CPU of waiting"
    assert cells["total"] == ["5.60", "5.60", "5.00"]
    assert max(map(len, lines)) <= 100


def test_a_bar_shows_the_tail_behind_the_median() -> None:
    assert bar(0.5, 1.0, 10) == "█████░░░░░"
    assert bar(0.001, 0.001, 10) == "█"
    assert bar(0.0, 0.3, 10) == "░░░"


class Shop:
    """Answers like a server, an old one perhaps."""

    def __init__(self, *, tells: bool = True) -> None:
        self.asked: list[tuple[Any, dict[str, Any]]] = []
        self._tells = tells

    def recommend(self, *where: Any, **how: Any) -> pb.RecommendResponse:
        self.asked.append((where, how))
        lacks = common_pb2.Degradation(component="ranker:deep", message="[bold]off")
        stages = stages_to_proto(tuple(requests()[0])) if self._tells else None
        return pb.RecommendResponse(stages=stages, degraded=[lacks])


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return _serving(Shop(), monkeypatch)


def _serving(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    @contextmanager
    def there(address: str) -> Iterator[Shop]:
        yield shop

    monkeypatch.setattr(profile_request, "server_at", there)
    monkeypatch.setattr(profile_request, "console", Console(width=120, color_system=None))
    return shop


def test_it_asks_for_the_window_and_leaves_the_first_out(shop: Shop) -> None:
    command = ["profile-request", "--user", "ann", "--scene", "cart", "--basket", "p", "--repeat", "3"]
    result = CliRunner().invoke(app, [*command, "--deadline-ms", "100"])
    assert result.exit_code == 0, result.output
    assert len(shop.asked) == 4
    where, how = shop.asked[-1]
    assert where == ("ann", "cart", 20)
    assert (how["basket"], how["include_stages"], how["timeout"]) == (["p"], True, 0.1)
    assert shop.asked[0][1]["timeout"] == 5.0
    assert "cart · 20 items · ann  3 requests" in result.output
    assert "ranker:lightgbm takes the most of the slowest requests: 4.00 of 5.60 ms" in result.output
    assert "of a deadline of 100 ms" in result.output
    assert "degraded ranker:deep: in 3 of 3 requests" in result.output


def test_programs_get_json(shop: Shop) -> None:
    result = CliRunner().invoke(app, ["profile-request", "--repeat", "2", "--json"])
    told = json.loads(result.output)
    assert told["requests"] == 2
    assert told["largest_in_slowest"] == "ranker:lightgbm"
    lightgbm = next(stage for stage in told["stages"] if stage["name"] == "ranker:lightgbm")
    assert lightgbm == {"name": "ranker:lightgbm", "median_ms": 4.0, "p99_ms": 4.0, "cpu_median_ms": 4.0}
    assert told["client"]["cpu_median_ms"] is None
    assert told["total"]["median_ms"] == pytest.approx(5.6)


def test_an_older_server_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    _serving(Shop(tells=False), monkeypatch)
    result = CliRunner().invoke(app, ["profile-request"])
    assert isinstance(result.exception, NotReady)
    assert "older than this command" in str(result.exception)


def test_a_customer_and_a_visitor_are_one_too_many() -> None:
    result = CliRunner().invoke(app, ["profile-request", "--user", "a", "--anonymous", "b"])
    assert result.exit_code == 2
    assert "not both" in result.output
