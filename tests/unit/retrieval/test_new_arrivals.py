"""What came into the shop lately."""

import msgspec
import numpy as np
import pytest

from tests.unit.retrieval.small_shop import ITEMS, NOW, Shop, columns, history
from vitrine.domain.profile import DAY, Counters, Profile
from vitrine.retrieval.query import RetrievalQuery
from vitrine.retrieval.sources import new_arrivals


def test_new_arrivals_nearest_first_then_newest(shop: Shop) -> None:
    assert list(columns(shop.ask("new_arrivals", 4), "new_arrivals")) == ["i0", "i1", "i2", "i3"]
    one = Counters(["Home > c2"], np.ones(1), np.ones(1), np.ones(1), np.full(1, NOW))
    brand = Counters(["b1"], np.ones(1), np.ones(1), np.ones(1), np.full(1, NOW))
    found = columns(
        shop.ask("new_arrivals", 9, profile=Profile(categories=one, brands=brand)), "new_arrivals"
    )
    assert list(found) == ["i5", "i1", "i2", "i3", "i7", "i8", "i0", "i4", "i6"]
    later = shop.retriever.retrieve(RetrievalQuery(NOW + 25 * DAY, sources={"new_arrivals": 9}))
    assert list(columns(later, "new_arrivals")) == ["i0", "i1", "i2", "i3", "i4", "i5"]
    earlier = shop.retriever.retrieve(RetrievalQuery(NOW - 5 * DAY, sources={"new_arrivals": 2}))
    assert list(columns(earlier, "new_arrivals")) == ["i5", "i6"], (
        "as of an earlier day the newest do not exist"
    )


def test_of_equally_new_arrivals_the_most_alike_come_first() -> None:
    together = [msgspec.structs.replace(i, created=NOW - DAY, category_path=(), brand="") for i in ITEMS]
    shop = Shop(items=together)
    assert set(columns(shop.ask("new_arrivals", 5, profile=history("i4")), "new_arrivals")) == {
        f"i{k}" for k in (0, 2, 4, 6, 8)
    }
    assert set(columns(shop.ask("new_arrivals", 4, profile=history("i3")), "new_arrivals")) == {
        f"i{k}" for k in (1, 3, 5, 7)
    }, "i9 is out of stock"
    # To a stranger none is like anything.
    assert len(set(columns(shop.ask("new_arrivals", 9), "new_arrivals").values())) == 1


def test_where_most_is_new_the_texts_of_a_few_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_arrivals, "_READ", 1)
    monkeypatch.setattr(new_arrivals, "_READ_LEAST", 4)
    found = columns(Shop().ask("new_arrivals", 4, profile=history("i8")), "new_arrivals")
    # The four newest, of them first what is like i8.
    assert list(found) == ["i0", "i2", "i1", "i3"]
