"""The picture of how everything learned."""

import struct
from pathlib import Path
from types import SimpleNamespace

import pytest

from vitrine_export.neural import Curve, Epoch
from vitrine_export.train.picture import Panel, Run, curves, draw, panels, picture_path


def curve(name: str, rounds: int, *, measured: bool = True, best: int = 2) -> Curve:
    epochs = [Epoch(5.0 - i, 0.1 * i if measured else None, 1.0) for i in range(rounds)]
    return Curve(name, "NDCG@20", "CPU (1 thread)", epochs, best, "patience")


def report(
    *of: Curve,
    deep: tuple[Curve, ...] = (),
    trees: list[float] | None = None,
    last: Curve | None = None,
) -> SimpleNamespace:
    folds = SimpleNamespace(curves=deep) if deep else None
    reranker = None if trees is None else SimpleNamespace(curve=trees, lists=1234, rounds=2)
    base = SimpleNamespace(interest=None if last is None else SimpleNamespace(curve=last))
    return SimpleNamespace(rankers=SimpleNamespace(curves=list(of), deep=folds, reranker=reranker), base=base)


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_each_model_has_a_panel_and_folds_share_one() -> None:
    deep = (curve("deep", 4), curve("deep", 3), curve("deep", 2, measured=False))
    found = panels(report(curve("interest", 3), deep=deep, trees=[0.1, 0.3, 0.2]))  # type: ignore[arg-type]
    assert [panel.title for panel in found] == [
        "interest, CPU (1 thread)",
        "deep, CPU (1 thread), 2 folds",
        "lightgbm, 1,234 lists",
    ]
    # The fit on everybody has nothing held out: it says nothing of how good the network is.
    assert [len(run.loss) for run in found[1].runs] == [4, 3]
    assert found[2].runs == [Run((), [0.1, 0.3, 0.2], 2)]


def test_without_label_windows_the_last_fit_is_shown() -> None:
    last = curve("interest", 3, measured=False)
    assert curves(report(last=last)) == {"interest": [last]}  # type: ignore[arg-type]
    assert not panels(report())  # type: ignore[arg-type]


def test_the_picture_is_small_and_the_same_for_the_same_numbers() -> None:
    found = panels(report(curve("interest", 3), deep=(curve("deep", 50),), trees=[0.1] * 200))  # type: ignore[arg-type]
    png = draw(found, "bundle 0123456789ab")
    assert size(png) == (1350, 324)
    assert len(png) < 200_000
    assert png == draw(found, "bundle 0123456789ab")
    assert png != draw(found[:2])


@pytest.mark.parametrize("metric", [[], [float("nan")] * 3])
def test_what_was_not_measured_is_not_drawn(metric: list[float]) -> None:
    only_loss = Panel("interest", "epoch", "NDCG@20", [Run([3.0, 2.0, 1.0], metric, 0)])
    assert size(draw([only_loss])) == (450, 324)


def test_it_lies_beside_the_bundle_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    monkeypatch.chdir(bundle)
    for name in (bundle, Path()):
        assert picture_path(name) == tmp_path / "bundle-curves.png"
