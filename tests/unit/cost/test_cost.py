"""Time and memory of stages, how fast they grow, and the page of it."""

import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import numpy as np
import pytest

from vitrine.progress import quiet
from vitrine_export.cost.child import Measured
from vitrine_export.cost.growth import exponent, last_step
from vitrine_export.cost.meter import Meter, StageCost
from vitrine_export.cost.page import draw, render
from vitrine_export.cost.sizes import gowalla, simulated


def test_each_stage_has_its_own_time_and_peak() -> None:
    meter = Meter()
    meter("small: first detail", 0.1)
    meter("small: second detail", 0.2)
    time.sleep(0.05)
    meter("large", 0.3)
    block = np.ones(30_000_000)  # 240 MB
    del block
    meter("small again", 0.9)
    meter("small", 0.95)
    meter.finish()
    assert list(meter.stages) == ["starting", "small", "large", "small again"]
    assert 0.05 <= meter.stages["small"].seconds < 1
    # What a stage gave back is not the next one's.
    assert meter.stages["large"].peak_mb > meter.stages["small"].peak_mb + 200
    assert meter.stages["small again"].peak_mb < meter.stages["large"].peak_mb - 200


def test_growth_is_the_power_of_the_size() -> None:
    sizes = [1e3, 4e3, 2e4]
    assert exponent(sizes, [3 * n for n in sizes]) == pytest.approx(1)
    assert exponent(sizes, [n**2 for n in sizes]) == pytest.approx(2)
    assert exponent(sizes, [7, 7, 7]) == pytest.approx(0)
    # What every training costs hides growth among small sizes, and not in the last step.
    costs = [100 + n**1.5 / 1e3 for n in sizes]
    assert exponent(sizes, costs) < last_step(sizes, costs) < 1.5
    assert np.isnan(exponent([10], [1]))


def test_a_share_of_the_users_keeps_all_that_they_did(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("".join(f"{user} {user} {user + 1} {user + 2}\n" for user in range(200)))
    half = gowalla(0.5, path, tmp_path / "half", quiet)
    assert half.manifest.events == 300
    assert half.events().collect()["user_id"].value_counts()["count"].to_list() == [3] * 100
    quarter = gowalla(0.25, path, tmp_path / "quarter", quiet)
    users = set(half.events().collect()["user_id"])
    assert set(quarter.events().collect()["user_id"]) < users


def test_a_simulated_shop_has_about_as_many_events_as_were_asked_for(tmp_path: Path) -> None:
    found = simulated(30_000, tmp_path, tmp_path / "shop", quiet).manifest
    assert found.events == pytest.approx(30_000, rel=0.1)
    assert found.items == 20_000


def runs() -> dict[str, list[Measured]]:
    def run(events: int) -> Measured:
        stages = {"fit": StageCost(events / 1e3, events / 5e2, 100 + events / 1e3), "read": StageCost(1e-6)}
        return Measured(events, 50, events // 10, stages)

    return {"a shop": [run(1000), run(10_000), run(100_000)]}


def test_the_page_says_what_was_measured() -> None:
    text = render(runs(), {}, machine="a machine", commands=["make cost"], plot="cost.svg")
    assert "| a shop | 1.00 (1.00) | 1.00 (1.00) | 0.15 (0.26) |" in text
    assert "| a shop | 100,000 | 10,000 | 50 | 100.0 s | 200.0 s | 200 MB |" in text
    assert "| fit | 1.0 s, 101 MB | 10.0 s, 110 MB | 100.0 s, 200 MB |" in text
    assert "| read |" not in text
    assert "- a shop: 100.0 times the events took 100.0 times the CPU time and 2.0 times the memory." in text
    assert "All models are trained but the networks" in text
    assert "a machine" in text


def test_the_picture_is_the_same_for_the_same_numbers() -> None:
    picture = draw(runs())
    assert picture == draw(runs())
    ET.fromstring(picture)
    assert b"a shop: 1.00" in picture


@pytest.mark.slow
def test_a_child_measures_a_training_by_its_stages(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    rng = np.random.default_rng(0)
    path.write_text(
        "".join(f"{user} {' '.join(map(str, rng.permutation(60)[:12]))}\n" for user in range(120))
    )

    def child(*arguments: str) -> Measured:
        command = [sys.executable, "-m", "vitrine_export.cost.child", *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120)
        return msgspec.json.decode(done.stdout, type=Measured)

    made = child("make", "gowalla", "0.5", str(path), str(tmp_path / "data"))
    assert made.events == 720
    trained = child("train", "check-ins", str(tmp_path / "data"))
    assert (trained.events, trained.subjects) == (720, 60)
    assert {"co-visitation", "lists to learn from", "writing"} <= set(trained.stages)
    assert all(stage.peak_mb > 10 for stage in trained.stages.values())
    assert trained.seconds > 0
