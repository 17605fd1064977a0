"""`vitrine explain` says in a sentence what the numbers say, and shows other people's texts letter by letter."""

import json
from typing import Self

import pytest
from typer.testing import CliRunner

from vitrine.api.common.v1 import common_pb2 as pb
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2
from vitrine.cli import explain
from vitrine.cli.app import app
from vitrine.cli.explain_words import sentence

HOSTILE = "lamp [blue] :star: [/b]"


def told(**changes: object) -> pb.Explanation:
    """Bought four times, and popular; too dear."""
    message = pb.Explanation(
        item_id="i",
        rank=3,
        list_size=412,
        candidates=420,
        sources=["popular"],
        decided_by="lightgbm",
        groups=[
            pb.GroupShare(name="history", text="what the shopper did with it", share=0.6),
            pb.GroupShare(name="item", text="its price", share=-0.5),
            pb.GroupShare(name="popularity", text="how popular it is", share=0.4),
        ],
        columns=[
            pb.ColumnShare(
                name="history.purchases",
                text="bought",
                group="history",
                value=1.6,
                reading="4 times",
                share=0.6,
            ),
            pb.ColumnShare(name="item.price", text="price", group="item", value=1, reading="×2", share=-0.5),
            pb.ColumnShare(
                name="item.popularity",
                text="popularity",
                group="popularity",
                value=0.1,
                reading="10%",
                share=0.4,
            ),
        ],
    )
    message.MergeFrom(pb.Explanation(**changes))  # type: ignore[arg-type]
    return message


def test_the_sentence_says_what_counted_most() -> None:
    assert sentence(told(), "ann") == (
        "Rank 3 of 412: mostly because ann bought it 4 times (60%), then how popular it is (40%); "
        "against it speaks its price."
    )


def test_what_did_not_raise_the_score_is_not_said_to_be_why() -> None:
    lowering = told()
    lowering.columns[0].share = -0.1
    lowering.columns.add(
        name="history.long_share",
        text="long-term interest",
        group="history",
        value=1,
        reading="100%",
        share=0.7,
    )
    assert "bought it" not in sentence(lowering, "ann")
    assert "long-term interest: 100%" in sentence(lowering, "ann")


def test_what_pulls_down_comes_first_where_it_weighs_more() -> None:
    said = sentence(told(groups=[pb.GroupShare(name="item", text="its colour", share=-2)]), "ann")
    assert said.startswith(
        "Rank 3 of 412: held back mostly by its price (20%; price: ×2), then its colour (80%)"
    )
    assert said.endswith("; for it speaks what the shopper did with it.")


def test_no_score_is_said_to_be_why_a_newcomer_has_its_place() -> None:
    said = sentence(told(decided_by="rules.newcomer_every"), "ann")
    assert said == "Rank 3 of 412, in a place kept for what is new and nobody has turned to yet."


def test_what_keeps_it_out_is_said_first() -> None:
    out = told(exclusions=[pb.Exclusion(rule="availability", text="it is out of stock")])
    assert sentence(out, "ann").startswith(
        "Not in the list, because it is out of stock (availability): mostly"
    )


def test_an_item_that_nothing_found_is_said_to_be() -> None:
    alone = pb.Explanation(item_id="i", rank=3, list_size=4, added=True)
    assert sentence(alone, "ann") == "No source found it; as one more candidate it is rank 3 of 4."
    alone.sources.append("popular")
    assert sentence(alone, "ann").startswith("It did not come among the candidates; as one more")


class Shop:
    """A client whose server answers with brackets everywhere."""

    def __init__(self, address: str) -> None:
        del address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def explain(self, *_: object, **__: object) -> recommendation_pb2.ExplainResponse:
        more = told(
            decided_by=f"d {HOSTILE}",
            sources=[f"s {HOSTILE}"],
            groups=[pb.GroupShare(name=f"g {HOSTILE}", text=f"w {HOSTILE}", share=0.1)],
            columns=[pb.ColumnShare(name=f"c {HOSTILE}", text=f"x {HOSTILE}", reading=f"v {HOSTILE}")],
            reason=pb.Reason(text=f"r {HOSTILE}"),
        )
        return recommendation_pb2.ExplainResponse(
            explanation=more, degraded=[pb.Degradation(component=f"p {HOSTILE}", message=f"m {HOSTILE}")]
        )

    def get_items(self, item_ids: list[str]) -> list[retrieval_pb2.Item]:
        return [retrieval_pb2.Item(item_id=i, title=f"紫砂壶 {HOSTILE}") for i in item_ids]


def test_an_explanation_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain.console, "width", 600)
    monkeypatch.setattr("vitrine.client.Vitrine", Shop)
    shown = CliRunner().invoke(app, ["explain", "--user", "ann", "--item", "i"])
    assert shown.exit_code == 0, shown.exception
    for kind in ("d", "s", "g", "w", "c", "x", "v", "r", "p", "m", "紫砂壶"):
        assert f"{kind} {HOSTILE}" in shown.output
    assert "Rank 3 of 412" in shown.output


def test_programs_get_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitrine.client.Vitrine", Shop)
    shown = CliRunner().invoke(app, ["explain", "--item", "i", "--json"])
    assert shown.exit_code == 0, shown.exception
    read = json.loads(shown.output)
    assert read["explanation"]["groups"][0] == {
        "name": "history",
        "text": "what the shopper did with it",
        "share": pytest.approx(0.6),
    }


def test_customer_and_visitor_together_are_refused() -> None:
    shown = CliRunner().invoke(app, ["explain", "--item", "i", "--user", "a", "--anonymous", "b"])
    assert shown.exit_code == 2
