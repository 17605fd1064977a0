"""The base models: those that learn from events and texts alone, and that candidates and features are made with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from vitrine.bundle import (
    ContentModel,
    DatasetRef,
    Factors,
    InterestTable,
    ItemItem,
    Manifest,
    ModelFile,
    Shoppers,
    TrainingWindow,
    Visits,
)
from vitrine.bundle.manifest import Parameter
from vitrine.bundle.writer import write_bundle
from vitrine.content.model import TextEncoder
from vitrine.content.text import text_hashes
from vitrine.dataset import Dataset
from vitrine.domain.ids import tie_keys
from vitrine.domain.items import Item
from vitrine.progress import Progress, part_of
from vitrine_export.train.co_visitation import fit_co_visitation
from vitrine_export.train.content import content_vectors, fit_encoder, text_items
from vitrine_export.train.factors import fit_factors
from vitrine_export.train.follows import fit_follows
from vitrine_export.train.interactions import Interactions, item_table, read_interactions
from vitrine_export.train.linear import fit_linear
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.shoppers import fit_shoppers
from vitrine_export.train.visits import fit_visits

if TYPE_CHECKING:
    from vitrine_export.train.interest import FittedInterest, InterestSettings

# Up to so many items one thread for linear algebra is enough. It does not suffer from a busy machine as several
# do that wait for each other, and its results do not depend on the number of cores.
ONE_THREAD_ITEMS = 6000


@dataclass(frozen=True, slots=True)
class History:
    """What base models learn from.

    Attributes:
        table: The items, in the order of a hash: neither the order of identifiers nor of appearance decides anything.
        interactions: The events on them.
        until: Nothing from this moment on is in it.
    """

    table: pl.DataFrame
    interactions: Interactions
    until: datetime | None

    @property
    def item_ids(self) -> list[str]:
        """The items by row."""
        return self.table["item_id"].to_list()


@dataclass(slots=True)
class BaseModels:
    """What was fitted to a history.

    Attributes:
        history: That history.
        items: The items by row, with their texts.
        co_visitation: Items that go together.
        linear: Items that predict each other.
        content: Content vectors.
        follows: What items are followed by.
        visits: Past visits.
        shoppers: Past shoppers.
        factors: Latent factors of the items.
        interest: The interest model.
        off: Part that is missing -> why.
    """

    history: History
    items: list[Item]
    co_visitation: ItemItem | None = None
    linear: ItemItem | None = None
    content: ContentModel | None = None
    follows: ItemItem | None = None
    visits: Visits | None = None
    shoppers: Shoppers | None = None
    factors: Factors | None = None
    interest: "FittedInterest | None" = None
    off: dict[str, str] = field(default_factory=dict)

    def write(
        self,
        out: Path,
        models: Sequence[ModelFile] = (),
        *,
        name: str = "",
        dataset: DatasetRef | None = None,
        off: dict[str, str] | None = None,
        metrics: dict[str, float] | None = None,
        parameters: dict[str, Parameter] | None = None,
        texts: dict[str, str] | None = None,
    ) -> Manifest:
        """Writes a bundle of them, and of the models that were fitted on top."""
        interest = self.interest
        return write_bundle(
            out,
            item_ids=self.history.item_ids,
            text_hashes=text_hashes(self.items),
            co_visitation=self.co_visitation,
            linear=self.linear,
            content=self.content,
            follows=self.follows,
            visits=self.visits,
            shoppers=self.shoppers,
            factors=self.factors,
            models=[*([interest.model] if interest else []), *models],
            interest=InterestTable(interest.vectors, interest.projection, interest.length)
            if interest
            else None,
            name=name,
            window=_window(self.history),
            dataset=dataset,
            off={**self.off, **(off or {})},
            metrics=metrics,
            parameters=parameters,
            texts=texts,
        )


def read_history(dataset: Dataset, until: datetime | None, seed: int) -> History:
    """Reads what happened before ``until``."""
    table = item_table(dataset, until)
    table = table[np.argsort(tie_keys(table["item_id"].to_list(), seed), kind="stable")]
    return History(table, read_interactions(dataset, table["item_id"].to_list(), until), until)


def fit_base(
    dataset: Dataset,
    history: History,
    parameters: Parameters,
    seed: int,
    *,
    ridge: float,
    encoder: TextEncoder | None,
    interest: "InterestSettings | None",
    hold_out: bool,
    again: bool = False,
    progress: Progress,
    checkpoint: Path | None = None,
) -> BaseModels:
    """Fits every base model that the data allows.

    Args:
        dataset: Where the history comes from.
        history: What to learn from.
        parameters: Settings.
        seed: Decides everything random.
        ridge: Ridge of the linear model.
        encoder: A text encoder that is there already; hashed words are fitted when not.
        interest: Settings of the interest model; ``None`` leaves it out.
        hold_out: Whether the interest model holds out its last weeks to know when to stop.
        again: Whether it is then trained again on everything.
        progress: Told how far it is.
        checkpoint: Folder of the interest model's checkpoint.
    """
    interactions = history.interactions
    models = BaseModels(history, text_items(history.table))
    with threadpool_limits(1 if len(models.items) <= ONE_THREAD_ITEMS else None):
        progress("co-visitation", 0.0)
        step = part_of(progress, 0.0, 0.15)
        models.co_visitation = fit_co_visitation(interactions, parameters, lambda s: step("co-visitation", s))
        content = part_of(progress, 0.15, 0.2)
        content("content vectors", 0.0)
        models.content = _content(dataset, models, parameters, seed, encoder, content)
        linear = part_of(progress, 0.2, 0.35)
        linear("linear model", 0.0)
        models.linear = fit_linear(
            interactions,
            parameters,
            seed,
            ridge,
            lambda share: linear("linear model", share),
            None if models.content is None else models.content.vectors,
        )
        follows = part_of(progress, 0.35, 0.4)
        follows("what follows what", 0.0)
        _ordered_or_not(models, parameters, seed, lambda s: follows("what follows what", s))
        for part, model in (("co_visitation", models.co_visitation), ("linear", models.linear)):
            if model is None:
                models.off[part] = "no shopper was interested in two items"
    if interest is None:
        models.off["interest"] = "neural models were not asked for"
        return models

    if not interactions.ordered:
        models.off["interest"] = "events have no order, so nothing follows from anything"
        return models

    from vitrine_export.train.interest import fit_interest

    models.interest = fit_interest(
        interactions,
        None if models.content is None else models.content.vectors,
        interest,
        seed,
        hold_out=hold_out,
        again=again,
        progress=part_of(progress, 0.4, 1.0),
        checkpoint=checkpoint,
    )
    if models.interest is None:
        models.off["interest"] = "too few shoppers came back to learn what follows from what"
    return models


def _ordered_or_not(
    models: BaseModels, parameters: Parameters, seed: int, progress: Callable[[float], None]
) -> None:
    """Fits what learns from the order of events; where there is none, what does without."""
    interactions = models.history.interactions
    if interactions.ordered:
        models.follows = fit_follows(interactions, parameters, progress)
        models.visits = fit_visits(interactions, parameters)
        models.off["shoppers"] = "visits are compared instead"
    else:
        # Whole shoppers are compared instead of their visits.
        models.shoppers = fit_shoppers(interactions, parameters, seed)
        models.off["follows"] = models.off["visits"] = "events have no order"
    models.factors = fit_factors(interactions, parameters, seed)
    for part, model in (("follows", models.follows), ("visits", models.visits)):
        if model is None:
            models.off.setdefault(part, "nothing came after anything")
    if models.shoppers is None:
        models.off.setdefault("shoppers", "no shopper was interested in two items")
    if models.factors is None:
        models.off["factors"] = (
            "no shopper was interested in two items" if parameters.factors else "they were not asked for"
        )


def _content(
    dataset: Dataset,
    models: BaseModels,
    parameters: Parameters,
    seed: int,
    encoder: TextEncoder | None,
    progress: Progress,
) -> ContentModel | None:
    has = dataset.has
    if not (has.text or has.categories or has.brands):
        models.off["content"] = "no item has a text, a category or a brand"
        return None
    chosen = encoder or fit_encoder(models.items, parameters, seed)
    if chosen is None:
        models.off["content"] = "no two items share a word"
        return None
    return content_vectors(models.items, chosen, lambda share: progress("content vectors", share))


def _window(history: History) -> TrainingWindow:
    interactions = history.interactions
    times = interactions.times if len(interactions) else None
    return TrainingWindow(
        first=None if times is None else datetime.fromtimestamp(float(times.min()), UTC),
        last=None if times is None else datetime.fromtimestamp(float(times.max()), UTC),
        until=history.until,
        events=len(interactions),
        subjects=interactions.subject_count,
    )
