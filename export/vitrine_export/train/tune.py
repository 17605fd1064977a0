"""Measures the models on the held-out end of the window and chooses what the data decides."""

from vitrine_export.train.co_visitation import fit_co_visitation
from vitrine_export.train.linear import fit_linear, is_ease
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.stages import Stages
from vitrine_export.train.validate import Holdout, popularity_recall, recall

_RIDGES = (3.0, 10.0, 30.0)
# Beyond so many items of the closed form, trying several ridges would take minutes: the cube of the items counts.
_MAX_TUNED_ITEMS = 6000
# Item by item the time grows with the items alone: to so many, a fit takes a minute or two.
_MAX_TUNED_LOCALLY = 50_000
# Beyond so many items, neighbours are not made a second time for the sake of a metric.
_MAX_VALIDATED_ITEMS = 100_000


def measure(
    holdout: Holdout,
    parameters: Parameters,
    seed: int,
    ridge: float,
    metrics: dict[str, float],
    clock: Stages,
) -> float:
    """Fills in the metrics and answers the ridge that did best."""
    metrics["validation_subjects"] = float(len(holdout.targets))
    metrics["recall@20_popular"] = popularity_recall(holdout)
    if model := fit_co_visitation(holdout.before, parameters, clock.within(0.05, 0.08)):
        metrics["recall@20_co_visitation"] = recall(model, holdout)
    if not is_ease(holdout.before, parameters) and holdout.before.item_count > _MAX_VALIDATED_ITEMS:
        return ridge
    most = _MAX_TUNED_ITEMS if is_ease(holdout.before, parameters) else _MAX_TUNED_LOCALLY
    several = parameters.ridge is None and holdout.before.item_count <= most
    ridges = _RIDGES if several else (ridge,)
    best: tuple[float, float] | None = None
    for step, candidate in enumerate(ridges):
        width = 0.07 / len(ridges)
        part = clock.within(0.08 + step * width, 0.08 + (step + 1) * width)
        fitted = fit_linear(holdout.before, parameters, seed, candidate, part)
        reached = recall(fitted, holdout) if fitted else 0.0
        if fitted and (best is None or reached > best[0]):
            best = (reached, candidate)
    if best:
        metrics["recall@20_linear"], ridge = best
    return ridge
