"""The searches, one after the other: each begins with what the one before it found."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.hosting import Plugin
from vitrine.progress import Progress, part_of
from vitrine_export.exams.held_out import CART, HOME
from vitrine_export.resumed import key_of
from vitrine_export.train.base import History
from vitrine_export.train.linear import DEFAULT_RIDGE
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.rankers import RankerInputs, ranking_lists
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.tuning.journal import Journal
from vitrine_export.tuning.lists import kept_lists
from vitrine_export.tuning.models import models_stage, with_values
from vitrine_export.tuning.order import order_stage
from vitrine_export.tuning.report import StageReport, TuneReport
from vitrine_export.tuning.search import search
from vitrine_export.tuning.space import Values
from vitrine_export.tuning.space import told as said
from vitrine_export.tuning.stage import Found, Limits, Stage, Tried
from vitrine_export.tuning.weights import weights_stage

# After this share of the minutes the first search ends: what follows has to make lists first.
_FIRST = 0.4
# Shares of the bar: the first search, and making lists for each other one.
_FIRST_BAR, _LISTS_BAR = 0.3, 0.5
# Told each trial and the best so far.
Told = Callable[[Stage, Tried, Tried], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """All that the searches have in common; fields as the arguments of `tune`."""

    dataset: Dataset
    history: History
    config: Config
    seed: int
    plugins: Sequence[Plugin]
    journal: Journal
    report: TuneReport
    begun: float
    minutes: float | None
    trials: int | None
    progress: Progress
    told: Told

    def run(self, parameters: Parameters) -> None:
        """All of them. What was found before it is stopped by hand, is in the report."""
        try:
            groups = self._groups() if parameters.rerank else []
            chosen = self._models(parameters, _FIRST if groups else 1.0)
            for number, scenes in enumerate(groups):
                if self.report.stopped:
                    return
                first, width = number / len(groups), 1 / len(groups)
                part = part_of(self.progress, _FIRST_BAR, 1.0)
                until = _FIRST + (1 - _FIRST) * (first + width)
                self._orders(chosen, scenes, until, part_of(part, first, first + width))
        except KeyboardInterrupt:
            if not self.report.stages:
                raise
            self.report.stopped = True

    def _models(self, parameters: Parameters, until: float) -> Parameters:
        progress = part_of(self.progress, 0.0, _FIRST_BAR)
        stage = models_stage(self.history, parameters, self.config, self.seed, name="models")
        changed = self._searched("the item-item models", stage, until, progress)
        self._found("training", **changed)
        return with_values(parameters, changed)

    def _groups(self) -> list[tuple[str, ...]]:
        """Scenes that are asked together: all that have a reranker, which is one for them; each other by itself."""
        scenes = [name for name in (HOME, CART) if name in self.config.scenes]
        with_reranker = tuple(name for name in scenes if self.config.scenes[name].reranker)
        alone = [(name,) for name in scenes if name not in with_reranker]
        return [*([with_reranker] if with_reranker else []), *alone]

    def _orders(
        self, parameters: Parameters, scenes: tuple[str, ...], until: float, progress: Progress
    ) -> None:
        # Other models make other lists, on which earlier trials say nothing.
        key = key_of([asdict(parameters), scenes])
        data = kept_lists(
            self.journal.folder / f"lists-{key}",
            lambda: self._lists(parameters, scenes, key, part_of(progress, 0.0, _LISTS_BAR)),
        )
        scene = self.config.scenes[scenes[0]]
        title = "the reranker" if scene.reranker else f"the weights of {scenes[0]}"
        stage: Stage | str = self.report.off.pop("lists", "no lists could be made")
        if data is not None and scene.reranker:
            stage = order_stage(data, parameters.reranker, self.seed, name=f"reranker-{key}")
        elif data is not None:
            stage = weights_stage(data, scene, self.seed, name=f"weights-{key}", title=title)
        changed = self._searched(title, stage, until, part_of(progress, _LISTS_BAR, 1.0))
        if scene.reranker:
            self._found("training", "reranker", **changed)
        else:
            self._found("serving", "scenes", scenes[0], "weights", **changed)

    def _lists(
        self, parameters: Parameters, scenes: tuple[str, ...], key: str, progress: Progress
    ) -> RankingData | None:
        others = {HOME, CART} - set(scenes)
        shown = {name: scene for name, scene in self.config.scenes.items() if name not in others}
        work = self.journal.folder / f"models-{key}"
        work.mkdir(exist_ok=True)
        inputs = RankerInputs(
            dataset=self.dataset,
            history=self.history,
            parameters=parameters,
            config=self.config.model_copy(update={"scenes": shown}),
            seed=self.seed,
            ridge=DEFAULT_RIDGE if parameters.ridge is None else parameters.ridge,
            encoder=None,
            interest=None,
            folder=work,
            plugins=self.plugins,
        )
        made = ranking_lists(inputs, progress)
        shutil.rmtree(work, ignore_errors=True)
        if made.data is None:
            self.report.off["lists"] = made.off.get("lightgbm", "no lists could be made")
        return made.data

    def _searched(self, title: str, stage: Stage | str, until: float, progress: Progress) -> Values:
        """Searches until that share of the minutes is over; answers what is to change."""
        if isinstance(stage, str):
            self.report.off[title] = stage
            return {}
        limits = Limits(self.trials, None if self.minutes is None else self.begun + 60 * self.minutes * until)

        def each(stage: Stage, tried: Tried, best: Tried) -> None:
            detail = f"trial {tried.number + 1}: {stage.metric} {tried.quality:.4f}, best {best.quality:.4f}"
            progress(f"tuning {stage.title}: {detail}, {said(tried.values)}", limits.share(tried.number + 1))
            self.told(stage, tried, best)

        progress(f"tuning {stage.title}", 0.0)
        found: Found = search(stage, self.journal, limits, self.seed, each)
        report = StageReport.of(stage, found)
        self.report.stages.append(report)
        self.report.stopped |= found.stopped
        return report.changed

    def _found(self, *path: str, **values: Any) -> None:
        """Notes settings to change, in a table of a kind."""
        if values:
            table = self.report.found
            for name in path:
                table = table.setdefault(name, {})
            table.update(values)
