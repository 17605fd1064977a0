"""The training loop of all networks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.neural.conftest import CPU, Lines
from vitrine.errors import ConfigError, InvalidInput, VitrineError
from vitrine_export.neural import LoopSettings, choose_device, train_network
from vitrine_export.neural.checkpoint import FILE, load_checkpoint, save_checkpoint

SETTINGS = LoopSettings(epochs=6, patience=6, learning_rate=0.05)


def weights(task: Lines) -> list[np.ndarray]:
    return [tensor.numpy().copy() for tensor in task.network.state_dict().values()]


def test_training_goes_down_and_tells_how_far_it_is(lines: Lines) -> None:
    told: list[tuple[str, float]] = []
    curve = train_network(lines, SETTINGS, 0, CPU, lambda text, share: told.append((text, share)))
    assert curve.epochs[-1].loss < curve.epochs[0].loss / 2
    assert (curve.stopped, curve.device, len(curve.epochs)) == ("epochs", "CPU", 6)
    assert told[2][0].startswith("lines: epoch 3 of 6, loss ")
    assert ", accuracy -" in told[2][0]
    assert " s left [CPU]" in told[2][0]
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert not lines.network.training


def test_the_same_seed_gives_the_same_bits() -> None:
    tasks = [Lines() for _ in range(3)]
    state = torch.random.get_rng_state()
    for task, seed in zip(tasks, (0, 0, 1), strict=True):
        train_network(task, SETTINGS, seed, CPU)
    assert torch.equal(torch.random.get_rng_state(), state), "the caller's chance is left alone"
    for one, two in zip(weights(tasks[0]), weights(tasks[1]), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(weights(tasks[0])[0], weights(tasks[2])[0])


def test_it_stops_when_nothing_gets_better_and_keeps_the_best() -> None:
    task = Lines(worse_after=2)
    curve = train_network(task, LoopSettings(epochs=50, patience=3, learning_rate=0.05), 0, CPU)
    assert (curve.stopped, curve.best, len(curve.epochs)) == ("patience", 2, 5)
    assert curve.best_metric == curve.epochs[1].metric
    assert -best_loss(task) == curve.best_metric


def best_loss(task: Lines) -> float:
    with torch.no_grad():
        return float((task.network(task.x) - task.y).square().mean())


def test_without_held_out_data_the_last_weights_stay() -> None:
    curve = train_network(Lines(held_out=False), SETTINGS, 0, CPU)
    assert (curve.best, curve.best_metric, curve.stopped) == (6, None, "epochs")


def test_a_loss_that_is_no_number_is_said(lines: Lines) -> None:
    lines.y[3] = torch.nan
    with pytest.raises(VitrineError, match=r"'lines' diverged in epoch 1 \(the loss is nan\); give a lower"):
        train_network(lines, SETTINGS, 0, CPU)


def test_a_time_limit_ends_it(lines: Lines) -> None:
    curve = train_network(lines, LoopSettings(epochs=10**6, patience=10**6, time_limit=0.2), 0, CPU)
    assert curve.stopped == "time"
    assert curve.seconds < 5


@pytest.mark.parametrize("after", [1, 3, 5])
def test_going_on_from_a_checkpoint_changes_nothing(after: int, tmp_path: Path) -> None:
    whole, parts = Lines(), Lines()
    expected = train_network(whole, SETTINGS, 0, CPU)

    class Stopped(Exception):
        pass

    def stop(text: str, share: float) -> None:
        if f"epoch {after} of 6" in text and share == after / 6:
            raise Stopped

    with pytest.raises(Stopped):
        train_network(parts, SETTINGS, 0, CPU, stop, tmp_path / "folder")
    resumed = Lines()
    curve = train_network(resumed, SETTINGS, 0, CPU, checkpoint=tmp_path / "folder")
    for one, two in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(one, two)
    assert [(e.loss, e.metric) for e in curve.epochs] == [(e.loss, e.metric) for e in expected.epochs]
    assert curve.best == expected.best


def test_a_checkpoint_of_something_else_is_refused(lines: Lines, tmp_path: Path) -> None:
    train_network(lines, SETTINGS, 0, CPU, checkpoint=tmp_path)
    with pytest.raises(
        InvalidInput, match=r"resume: the checkpoint in .* was made with another seed; resume with"
    ):
        train_network(Lines(), SETTINGS, 1, CPU, checkpoint=tmp_path)
    with pytest.raises(InvalidInput, match="another epochs, patience; "):
        train_network(Lines(), LoopSettings(epochs=7, learning_rate=0.05), 0, CPU, checkpoint=tmp_path)


@pytest.mark.parametrize("how", ["cut", "garbage", "pickle"])
def test_a_damaged_checkpoint_is_refused(how: str, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {"seed": 0}, {"network": {"a": torch.ones(3)}})
    path = tmp_path / FILE
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif how == "garbage":
        path.write_bytes(b"nothing of the kind")
    else:
        np.savez(path, about=np.array([{"seed": 0}], object))
    with pytest.raises(InvalidInput, match=r"is damaged .*; remove it to train from the beginning"):
        load_checkpoint(tmp_path)


def test_no_checkpoint_is_no_error(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None


def test_a_gpu_is_taken_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").torch.type == "cpu"
    assert choose_device("auto").label.startswith("CPU (")
    with pytest.raises(ConfigError, match=r"finds no GPU .* give auto or cpu"):
        choose_device("cuda")
    with pytest.raises(ConfigError, match="'tpu' is not known; give auto, cpu or cuda"):
        choose_device("tpu")
