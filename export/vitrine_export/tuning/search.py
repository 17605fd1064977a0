"""Tries settings one by one, as Optuna's tree-structured Parzen estimator proposes them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from vitrine_export.evaluate.bootstrap import paired
from vitrine_export.resumed import key_of
from vitrine_export.tuning.journal import Journal, ctrl_c_held_back
from vitrine_export.tuning.quality import Floats
from vitrine_export.tuning.space import Dimension, Values, starts, suggested
from vitrine_export.tuning.stage import Found, Limits, Stage, Tried

if TYPE_CHECKING:
    import optuna

# So many trials are drawn at random before the estimator has enough to go by, the settings of now among them.
_AT_RANDOM = 8


def search(
    stage: Stage,
    journal: Journal,
    limits: Limits,
    seed: int,
    told: Callable[[Stage, Tried, Tried], None] = lambda *_: None,
    *,
    to_the_end: bool = False,
    at_random: int = _AT_RANDOM,
) -> Found:
    """Searches, going on from what the journal holds.

    The estimator is that of Bergstra et al. (NIPS 2011, section 4), all settings together (multivariate). It is seeded
    anew for each trial, by its number: a search that was cut off proposes the same as one that was not.

    Args:
        stage: What to search.
        journal: Where trials are kept.
        limits: When it ends; the settings of now are measured in any case.
        seed: Decides everything random.
        told: Told each trial and the best so far.
        to_the_end: Whether Ctrl-C leaves it at once, for the caller to begin again; else what was found counts.
        at_random: After so many trials the estimator proposes them.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with ctrl_c_held_back():
        study = _study(stage, journal)
    found = Found(_earlier(stage, study))
    try:
        while not found.tried or limits.left(len(found.tried), found.tried[-1].seconds * (1 + stage.after)):
            found.tried.append(_next(stage, study, journal, len(found.tried), seed, at_random))
            told(stage, found.tried[-1], found.best)
    except KeyboardInterrupt:
        if to_the_end or not found.tried:
            raise
        found.stopped = True
    try:
        _confirm(stage, found, journal, seed)
    except KeyboardInterrupt:
        if to_the_end:
            raise
        found.stopped = True
    return found


def _study(stage: Stage, journal: Journal) -> "optuna.Study":
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    study = optuna.create_study(
        study_name=f"{stage.name}-{key_of([_range(d) for d in stage.space])}",
        storage=JournalStorage(JournalFileBackend(str(journal.path))),
        direction="maximize",
        load_if_exists=True,
    )
    for trial in study.get_trials(deepcopy=False):
        # One that waits was never begun, and may not be told: `_next` takes it.
        if trial.state is optuna.trial.TrialState.RUNNING:
            # Cut off; proposed again under the next number.
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _earlier(stage: Stage, study: "optuna.Study") -> list[Tried]:
    """The trials of earlier runs."""
    done = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    return [
        Tried(
            number,
            {d.name: trial.user_attrs["values"][d.name] for d in stage.space},
            float(trial.values[0]),
            float(trial.user_attrs["seconds"]),
        )
        for number, trial in enumerate(done)
    ]


def _next(
    stage: Stage, study: "optuna.Study", journal: Journal, number: int, seed: int, at_random: int
) -> Tried:
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    study.sampler = TPESampler(
        seed=int(np.random.default_rng([seed % 2**32, number]).integers(2**31)),
        n_startup_trials=at_random,
        multivariate=True,
    )
    with ctrl_c_held_back():
        # Killed after this line, it waits in the journal. (`skip_if_exists` also skips for one that was cut off.)
        if number == 0 and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            study.enqueue_trial(starts(stage.space))
        trial = study.ask()
        proposed = suggested(stage.space, trial)
    # What is there already stands as it is, unrounded.
    values = proposed if number else starts(stage.space)
    begun = time.monotonic()
    quality = stage.measure(values)
    journal.keep(stage.name, values, quality)
    seconds = time.monotonic() - begun
    value = float(np.nanmean(quality[stage.choose]))
    with ctrl_c_held_back():
        trial.set_user_attr("values", values)
        trial.set_user_attr("seconds", seconds)
        study.tell(trial, value)
    return Tried(number, values, value, seconds)


def _confirm(stage: Stage, found: Found, journal: Journal, seed: int) -> None:
    """Compares the best with the settings of now where it was not chosen."""
    best, now = found.best, found.tried[0]
    if best is not now:
        one, other = (_measured(stage, journal, tried.values) for tried in (best, now))
        _compare(stage, found, one, other, seed)
    found.confirmed = True


def _compare(stage: Stage, found: Found, one: Floats, other: Floats, seed: int) -> None:
    asked = stage.confirm & ~np.isnan(one) & ~np.isnan(other)
    users = None if stage.users is None else stage.users[asked]
    found.gain = paired(one[asked], other[asked], seed, users=users)
    found.better = bool(found.gain.low > 0)


def _measured(stage: Stage, journal: Journal, values: Values) -> Floats:
    """What settings reach where the best is confirmed: in trials, or measured for that."""
    name, measure = (
        (stage.name, stage.measure) if stage.again is None else (f"{stage.name} again", stage.again)
    )
    quality = journal.measured(name, values)
    if quality is None or len(quality) != len(stage.confirm):
        quality = measure(values)
        journal.keep(name, values, quality)
    return quality


def _range(dimension: Dimension) -> tuple[str, float, float, float]:
    return dimension.name, dimension.low, dimension.high, dimension.start
