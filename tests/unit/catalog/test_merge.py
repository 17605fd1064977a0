"""What an upsert changes and what it leaves."""

import pytest

from vitrine.catalog.merge import MASKABLE, merged
from vitrine.domain.items import Availability, Item
from vitrine.errors import InvalidInput

MUG = Item(
    item_id="mug",
    title="Mug",
    description="d",
    category_path=("Kitchen",),
    brand="B",
    price_micros=5,
    currency="EUR",
    availability=Availability.OUT_OF_STOCK,
    created=7.0,
    attributes={"a": "b"},
)


def test_a_new_item_is_in_stock_and_created_now() -> None:
    item = merged([Item(item_id="x", availability=0)], None, 99.0, lambda _: None)["x"]
    assert (item.availability, item.created) == (Availability.IN_STOCK, 99.0)


def test_a_whole_item_keeps_availability_and_created_time_when_they_were_not_sent() -> None:
    item = merged([Item(item_id="mug", title="New", availability=0)], None, 99.0, {"mug": MUG}.get)["mug"]
    assert (item.availability, item.created) == (Availability.OUT_OF_STOCK, 7.0)
    assert (item.title, item.description, item.brand, item.price_micros) == ("New", "", "", 0)


@pytest.mark.parametrize("path", MASKABLE)
def test_a_mask_changes_its_field_alone(path: str) -> None:
    sent = Item(
        item_id="mug",
        title="T",
        description="D",
        category_path=("C",),
        brand="X",
        price_micros=9,
        currency="GBP",
        availability=Availability.PREORDER,
        created=8.0,
        attributes={},
    )
    item = merged([sent], frozenset({path}), 99.0, {"mug": MUG}.get)["mug"]
    for field in Item.__struct_fields__:
        source = sent if field in MASKABLE[path] else MUG
        assert getattr(item, field) == getattr(source, field), field


def test_nothing_changes_when_nothing_is_different() -> None:
    assert merged([MUG, MUG], None, 99.0, {"mug": MUG}.get) == {}


def test_of_an_item_that_comes_twice_both_changes_count() -> None:
    sent = [Item(item_id="mug", title="One"), Item(item_id="mug", title="Two")]
    assert merged(sent, frozenset({"title"}), 99.0, {"mug": MUG}.get)["mug"].title == "Two"


def test_an_unknown_item_with_a_mask_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"items\[1\]\.item_id: no item 'tea'"):
        merged([MUG, Item(item_id="tea")], frozenset({"title"}), 0.0, {"mug": MUG}.get)
