"""Events of a small shop where what follows what is known."""

from typing import Any

import numpy as np
import pytest

from vitrine_export.train.interactions import Interactions
from vitrine_export.train.interest import InterestSettings

KINDS, PER_KIND, DAY = 8, 10, 86_400.0


def settings(**changes: Any) -> InterestSettings:
    """Small and quick."""
    values: dict[str, Any] = {
        "dimensions": 16,
        "width": 16,
        "length": 20,
        "epochs": 6,
        "patience": 6,
        "batch": 64,
        "learning_rate": 5e-3,
        "device": "cpu",
    }
    return InterestSettings(**(values | changes))


def shop(
    *, seed: int = 0, shoppers: int = 200, dated: bool = True, kinds: tuple[int, ...] = tuple(range(KINDS))
) -> Interactions:
    """Each visit is about one kind, three items of it, and the next visit is about the next kind."""
    rng = np.random.default_rng(seed)
    who, what, when, types = [], [], [], []
    for shopper in range(shoppers):
        kind = int(rng.integers(KINDS))
        visits = np.sort(rng.uniform(0, 100, rng.integers(3, 8))) * DAY
        for time in visits:
            items = rng.choice(PER_KIND, 3, replace=False)
            for place, item in enumerate(items):
                who.append(shopper)
                what.append(kinds[kind % len(kinds)] * PER_KIND + int(item))
                when.append(time + 60 * place)
                types.append(6 if place == 2 else 2)
            kind += 1
    order = np.argsort(when, kind="stable")
    kind_of = np.array(types)[order].astype(np.int8)
    return Interactions(
        np.array(who, np.int32)[order],
        np.array(what, np.int32)[order],
        np.where(kind_of == 6, 1.0, 0.35),
        np.array(when)[order] if dated else None,
        shoppers,
        KINDS * PER_KIND,
        kind_of,
    )


@pytest.fixture(scope="session")
def events() -> Interactions:
    return shop()
