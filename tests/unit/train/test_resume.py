"""Going on from where a training was cut off."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine_export.neural import Curve, Epoch
from vitrine_export.train import Parameters, rankers, run, train
from vitrine_export.train.base import read_history
from vitrine_export.train.interest import InterestSettings
from vitrine_export.train.work import work_folder

SMALL = Parameters(dimensions=16, neural=False, rerank=False)


class Written(Exception):
    """Stands for whatever ends a process."""


def test_a_window_that_was_cut_off_is_fitted_as_it_was_begun(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[bool, int]] = []

    def fit_base(*_: object, interest: InterestSettings, hold_out: bool, **__: object) -> Any:
        def write(_: Path) -> None:
            raise Written

        asked.append((hold_out, interest.epochs))
        epochs = [Epoch(3.0, 0.2, 1.0), Epoch(2.0, 0.1, 1.0)]
        curve = Curve("interest", "NDCG@20", "CPU", epochs, best=1, stopped="epochs")
        return SimpleNamespace(interest=SimpleNamespace(curve=curve), write=write)

    monkeypatch.setattr(rankers, "fit_base", fit_base)
    inputs = rankers.RankerInputs(
        dataset=dataset,
        history=read_history(dataset, None, 0),
        parameters=Parameters(),
        config=load_config(),
        seed=0,
        ridge=1.0,
        encoder=None,
        interest=InterestSettings(epochs=5),
        folder=tmp_path,
    )
    for _ in range(2):
        with pytest.raises(Written):
            rankers.fit_rankers(inputs, progress=lambda *_: None)
    # Anything else would not go with the checkpoint that it left.
    assert asked == [(True, 5), (True, 5)]


@pytest.mark.parametrize(("out", "steps"), [("steps/bundle", "steps"), ("b", "b/steps"), ("b", "b")])
def test_a_bundle_is_not_cleared_away_with_the_steps(
    dataset: Dataset, tmp_path: Path, out: str, steps: str
) -> None:
    with pytest.raises(InvalidInput, match=r"resume: .* lie in each other; give a folder that is for this"):
        train(dataset, tmp_path / out, parameters=SMALL, resume=tmp_path / steps)
    assert not any(tmp_path.iterdir())


def test_steps_of_another_training_are_refused(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def attempt(data: Dataset, **changes: Any) -> None:
        with pytest.raises(KeyboardInterrupt):
            train(data, tmp_path / "b", resume=tmp_path / "steps", **{"parameters": SMALL, **changes})

    monkeypatch.setattr(run, "fit_base", cut)
    other = Dataset.write(
        tmp_path / "other",
        dataset.events().filter(pl.col("user_id") != "u1").collect(),
        dataset.items(),
        name="shop",
        source="test",
    )
    attempt(dataset)
    attempt(dataset)
    for data, changes in (
        (other, {}),
        (dataset, {"seed": 1}),
        (dataset, {"parameters": Parameters(dimensions=8, neural=False, rerank=False)}),
        (dataset, {"config": load_config().model_copy(update={"seed": 3})}),
    ):
        with pytest.raises(InvalidInput, match="belongs to a training with other data or settings"):
            attempt(data, **changes)
    # A file of the same name may be another encoder.
    monkeypatch.setattr(
        run, "_sentence_encoder", lambda path: SimpleNamespace(files=lambda: {"m": path.read_bytes()})
    )
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "model.onnx").write_bytes(bytes([number]))
    monkeypatch.setattr(run, "work_folder", lambda _, about: work_folder(tmp_path / "encoder-steps", about))
    attempt(dataset, encoder=tmp_path / "1" / "model.onnx")
    with pytest.raises(InvalidInput, match="other data or settings"):
        attempt(dataset, encoder=tmp_path / "2" / "model.onnx")


def test_a_cut_off_before_anything_was_kept_begins_again(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / ".training.json").write_bytes(b'{"ke')
    with work_folder(tmp_path / "steps", {"seed": 0}) as folder:
        assert (folder / "training.json").is_file()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "training.json").write_text("[1]")
    with (
        pytest.raises(InvalidInput, match="resume"),
        work_folder(tmp_path / "mine", {"seed": 0}),
    ):
        pass
    assert (tmp_path / "mine" / "training.json").read_text() == "[1]"


def test_two_trainings_cannot_work_in_one_folder(tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    with work_folder(steps, {"seed": 0}) as folder:
        (folder / "window-0").mkdir()
        with (
            pytest.raises(
                InvalidInput, match=r"resume: another `vitrine train` works in .*give another folder"
            ),
            work_folder(steps, {"seed": 0}),
        ):
            pass
        assert (folder / "window-0").is_dir()
    assert not steps.exists()
    # Where one was killed before it wrote what it is about.
    steps.mkdir()
    (steps / ".training.lock").touch()
    with work_folder(steps, {"seed": 0}):
        pass
