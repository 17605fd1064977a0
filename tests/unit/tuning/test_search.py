"""The search itself, on measures that are known."""

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vitrine.errors import InvalidInput
from vitrine_export.tuning.journal import Journal, ctrl_c_held_back, opened, repair
from vitrine_export.tuning.quality import Floats
from vitrine_export.tuning.report import StageReport
from vitrine_export.tuning.search import _study, search
from vitrine_export.tuning.space import Values, dimension
from vitrine_export.tuning.stage import Found, Limits, Stage

N = 400
HALF = np.arange(N) % 2 == 0


def stage(measure: Callable[[Values], Floats]) -> Stage:
    space = (dimension("x", 1.0, 0.1, 100.0), dimension("n", 20, 5, 200, integer=True))
    return Stage(
        name="test",
        title="a test",
        metric="NDCG@20",
        space=space,
        measure=measure,
        choose=HALF,
        confirm=~HALF,
    )


def hill(values: Values) -> Floats:
    """Best at x = 20, whatever n; shoppers differ, and a little of it is noise that goes with the settings."""
    rng = np.random.default_rng(round(1000 * values["x"]) + round(values["n"]))
    height = 0.5 - 0.1 * np.log10(values["x"] / 20) ** 2
    shoppers = np.linspace(-0.2, 0.2, N)
    return np.asarray(height + shoppers + 0.01 * rng.standard_normal(N), np.float64)


def noise(values: Values) -> Floats:
    """The settings change who is well served, and not how well all are."""
    rng = np.random.default_rng(round(1000 * values["x"]) + round(values["n"]))
    return rng.random(N)


def never(_: Values) -> Floats:
    raise AssertionError("nothing is left to try")


def run(folder: Path | None, trials: int, measure: Callable[[Values], Floats] = hill, seed: int = 0) -> Found:
    with opened(folder, {"test": 1}) as journal:
        return search(stage(measure), journal, Limits(trials, None), seed)


def tried(found: Found) -> list[tuple[Values, float]]:
    return [(one.values, one.quality) for one in found.tried]


def test_the_settings_of_now_come_first_and_a_better_one_is_found() -> None:
    found = run(None, 25)
    assert found.tried[0].values == {"x": 1.0, "n": 20}
    assert found.better
    assert 5 < found.values["x"] < 80
    assert found.gain is not None
    assert found.gain.low > 0
    # 0.17 lower at 1 than at 20.
    assert found.gain.mean == pytest.approx(0.17, abs=0.03)
    assert len({one.values["n"] for one in found.tried}) > 10
    assert all(isinstance(one.values["n"], int) for one in found.tried)


def test_what_is_no_better_than_noise_is_not_taken() -> None:
    found = run(None, 25, noise)
    # The best of 25 looks better than the first where it was chosen, and is not elsewhere.
    assert found.best.quality > found.tried[0].quality + 0.01
    assert not found.better
    assert found.values == {"x": 1.0, "n": 20}


def test_one_seed_gives_one_result_and_another_gives_another() -> None:
    assert tried(run(None, 12)) == tried(run(None, 12))
    assert tried(run(None, 12)) != tried(run(None, 12, seed=1))


def test_a_search_that_was_cut_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    straight = tried(run(None, 14))
    calls = 0

    def dies(values: Values) -> Floats:
        nonlocal calls
        calls += 1
        if calls % 4 == 0:
            raise RuntimeError("the power went")
        return hill(values)

    for _ in range(3):
        with pytest.raises(RuntimeError):
            run(tmp_path / "search", 14, dies)
    assert tried(run(tmp_path / "search", 14)) == straight
    # Nothing is left to try.
    assert tried(run(tmp_path / "search", 14, never)) == straight


@pytest.mark.parametrize(("after", "times"), [("enqueue_trial", 1), ("ask", 2)])
def test_a_kill_before_the_first_trial_was_measured_is_no_end(
    after: str, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    straight = tried(run(None, 12))
    real = getattr(optuna.Study, after)

    class Killed(BaseException):
        """Nothing that comes after it is run."""

    def killed(*given: Any, **more: Any) -> None:
        real(*given, **more)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, after, killed)
        for _ in range(times):
            with pytest.raises(Killed):
                run(tmp_path / "search", 12)
    assert tried(run(tmp_path / "search", 12)) == straight
    with opened(tmp_path / "search", {"test": 1}) as journal:
        told = _study(stage(hill), journal).get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    # What Optuna learns from is what was measured.
    assert told[0].params == {"x": 1.0, "n": 20}


def test_the_estimator_proposes_after_so_many_at_random(tmp_path: Path) -> None:
    with opened(None, {}) as journal:
        four = tried(search(stage(hill), journal, Limits(8, None), 0, at_random=4))
    eight = tried(run(None, 8))
    assert four[:4] == eight[:4]
    assert four[4] != eight[4]


def test_a_damaged_last_line_costs_one_trial_at_most(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    before = tried(run(folder, 6))
    log = folder / "trials.log"
    whole = log.read_bytes()
    for left, more in (
        (len(whole) - 20, b""),
        (len(whole), b'{"op_code":6,"wor'),
        (len(whole), b"\x00" * 512 + b"\n"),
    ):
        log.write_bytes(whole[:left] + more)
        with opened(folder, {"test": 1}) as journal:
            assert journal.lost > 0
        assert [json.loads(line) for line in log.read_bytes().splitlines()]
        assert tried(run(folder, 6)) == before


def test_a_lock_of_a_process_that_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    run(folder, 1)
    (folder / "trials.log.lock").symlink_to(folder / "trials.log")
    run(folder, 2)


def test_a_whole_journal_is_left_alone(tmp_path: Path) -> None:
    assert repair(tmp_path / "none") == 0
    path = tmp_path / "log"
    path.write_bytes(b'{"a":1}\n{"b":2}\n')
    assert repair(path) == 0
    assert path.read_bytes() == b'{"a":1}\n{"b":2}\n'
    path.write_bytes(b'{"a":1}\nnull\n{"b":2}\n')
    assert repair(path) == 13
    assert path.read_bytes() == b'{"a":1}\n'


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="neither empty nor a search"), opened(tmp_path, {}):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    run(tmp_path / "search", 1)
    with pytest.raises(InvalidInput, match="other data, settings"), opened(tmp_path / "search", {"test": 2}):
        pass


def test_two_cannot_work_in_one_folder(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "search", {}),
        pytest.raises(InvalidInput, match="another `vitrine tune` works in"),
        opened(tmp_path / "search", {}),
    ):
        pass


def test_no_trial_begins_that_would_end_after_the_time() -> None:
    now = 0.0

    def slow(values: Values) -> Floats:
        nonlocal now
        now += 10.0
        return hill(values)

    def clock() -> float:
        return now

    limits = Limits(None, 35.0, clock)
    with opened(None, {}) as journal:
        found = search(stage(slow), journal, limits, 0)
    # How long a trial took is told by the real clock here, so only the moment itself ends it.
    assert len(found.tried) == 4
    assert not Limits(None, 35.0, clock).left(1, 1.0)
    assert Limits(None, 45.0, clock).left(1, 5.0)
    assert not Limits(None, 45.0, clock).left(1, 5.1)
    assert not Limits(3, None, clock).left(3, 0.0)


def test_the_first_trial_comes_however_late_it_is() -> None:
    with opened(None, {}) as journal:
        assert len(search(stage(hill), journal, Limits(None, 0.0), 0).tried) == 1


def test_stopping_by_hand_keeps_what_was_found(tmp_path: Path) -> None:
    calls = 0

    def stopped(values: Values) -> Floats:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return hill(values)

    found = run(tmp_path / "search", 10, stopped)
    assert found.stopped
    assert len(found.tried) == 4
    assert tried(run(tmp_path / "search", 10)) == tried(run(None, 10))


def test_who_is_asked_again_may_be_others_than_in_trials(tmp_path: Path) -> None:
    asked: list[Values] = []

    def again(values: Values) -> Floats:
        asked.append(values)
        return hill(values)[:100] - (0.5 if values["x"] > 1 else 0.0)

    different = replace(stage(hill), again=again, confirm=np.ones(100, np.bool_))
    for _ in range(2):
        with opened(tmp_path / "search", {}) as journal:
            found = search(different, journal, Limits(15, None), 0)
    # Measured once, and much worse there.
    assert asked == [found.best.values, found.tried[0].values]
    assert found.best.number > 0
    assert not found.better
    assert found.gain is not None
    assert found.gain.mean == pytest.approx(-0.33, abs=0.05)


def test_stopping_twice_leaves_the_best_unconfirmed() -> None:
    def stopped(_: Values) -> Floats:
        raise KeyboardInterrupt

    with opened(None, {}) as journal:
        found = search(replace(stage(hill), again=stopped), journal, Limits(15, None), 0)
    assert found.stopped
    assert not found.confirmed
    assert found.values == {"x": 1.0, "n": 20}
    assert "before the best was compared" in StageReport.of(stage(hill), found).verdict


def test_what_was_measured_and_is_damaged_is_measured_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.measured("s", {"x": 1}) is None
    journal.keep("s", {"x": 1}, np.array([1.0, 2.0]))
    kept = journal.measured("s", {"x": 1})
    assert kept is not None
    assert kept.tolist() == [1.0, 2.0]
    (path,) = (tmp_path / "measured").glob("*.npy")
    path.write_bytes(path.read_bytes()[:20])
    assert journal.measured("s", {"x": 1}) is None


def test_ctrl_c_waits_until_the_journal_is_written() -> None:
    written: list[str] = []

    def write() -> None:
        with ctrl_c_held_back():
            signal.raise_signal(signal.SIGINT)
            written.append("whole")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert written == ["whole"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
