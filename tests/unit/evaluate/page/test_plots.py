"""Lines, ticks and labels: inside the picture, in order, and none over another."""

import re

import numpy as np
import pytest

from vitrine_export.evaluate.page import Kind, Plot, Series
from vitrine_export.evaluate.page.axes import spread, ticks, whole
from vitrine_export.evaluate.page.gaps import sentence, verdict
from vitrine_export.evaluate.page.html import Html, el
from vitrine_export.evaluate.page.parts import Gap
from vitrine_export.evaluate.page.plot import HEIGHT, WIDTH, bounds, draw
from vitrine_export.evaluate.page.words import cut, lasted, named, percent

NAN = float("nan")


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 0.19), (0.0, 1.0), (0.301, 0.3013), (-0.2, 0.7), (5, 5), (0, 2e7), (NAN, NAN)]
)
def test_ticks_are_few_rise_evenly_and_enclose_what_is_drawn(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert np.allclose(np.diff(found), found[1] - found[0])
    if low == low:  # noqa: PLR0124 - NaN
        assert found[0] <= low + 1e-9
        assert found[-1] >= high - 1e-9


def test_labels_move_apart_as_little_as_it_takes() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 5, 8, 40):
        wanted = rng.uniform(10, 110, count).tolist()
        found = np.array(spread(wanted, 12, 10, 200))
        order = np.argsort(wanted, kind="stable")
        assert (np.diff(found[order]) >= min(12, 190 / max(count - 1, 1)) - 1e-6).all(), (
            "none over another, in order"
        )
        assert found.min() >= 10 - 1e-6
        assert found.max() <= 200 + 1e-6
    assert spread([50, 100], 12, 0, 200) == [50, 100], "what does not touch stays"


def test_a_long_axis_names_round_places_and_both_ends() -> None:
    assert whole([1.0, 2.0, 3.0]) == [1, 2, 3]
    assert whole([float(i) for i in range(1, 21)]) == [1, 5, 10, 15, 20]
    assert whole([float(i) for i in range(1, 151)])[-1] == 150


def plot(**changes: object) -> Plot:
    series = [
        Series("a <b>", [0.1, NAN, 0.3]),
        Series("pipeline", [0.2, 0.3, 0.4], Kind.PIPELINE, [0.1, 0.2, NAN], [0.3, 0.4, NAN]),
        Series("nothing", [NAN, NAN, NAN]),
    ]
    values = {"title": "Recall@k", "xs": [1.0, 2.0, 3.0], "x_label": "k", "series": series, **changes}
    return Plot(**values)  # type: ignore[arg-type]


def test_lines_stay_inside_the_picture_and_gaps_are_left_out() -> None:
    drawn = draw(plot(names=["x", "y", "z"], counts=["1 q", "2 q", "3 q"]), bounds([plot()]))
    assert "nan" not in drawn
    points = [
        tuple(map(float, p.split(",")))
        for line in re.findall(r'points="([^"]+)"', drawn)
        for p in line.split()
    ]
    assert len(points) == 2 + 3 + 4
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert drawn.count("<circle") == 5
    assert "a &lt;b&gt;, k y" not in drawn
    assert drawn.index("a &lt;b&gt;, k x: 0.1000") < drawn.index("pipeline, k x: 0.2000"), (
        "the pipeline above the others"
    )


def test_a_single_place_and_a_single_value_can_be_drawn() -> None:
    one = plot(
        xs=[1.0], series=[Series("pipeline", [0.2], Kind.PIPELINE)], mark=1.0, mark_name="kept", zero=False
    )
    assert "nan" not in draw(one, bounds([one]))


def test_differences_in_words() -> None:
    ahead = Gap("kNN", "ndcg@20", 0.01, 0.002, 0.02, 0.05)
    level = Gap("EASE", "ndcg@20", 0.001, -0.002, 0.004, 0.01)
    behind = Gap("rules", "ndcg@20", -0.01, -0.02, -0.002, -0.05)
    assert sentence(ahead) == "Ahead of kNN by 5.0 % (NDCG@20 +0.0100, 95 % interval +0.0020 to +0.0200)."
    assert "chance" in sentence(level)
    assert sentence(behind).startswith("Behind rules by 5.0 %")
    assert verdict([ahead, level, behind]) == (
        "By NDCG@20 the pipeline is ahead of kNN, not to be told from EASE and behind rules."
    )
    assert verdict([]) == ""
    assert "Nothing can be said" in sentence(Gap("x", "mrr@20", NAN, NAN, NAN, NAN))


def test_words_of_numbers() -> None:
    assert named("popularity_bias") == "Popularity bias"
    assert named("mrr@10") == "MRR@10"
    assert percent(-0.051) == "−5.1 %"
    assert lasted(243.7) == "4 min 4 s"
    assert lasted(0.4) == "400 ms"
    assert cut("buy again by recency", 12) == "buy again b…"
    assert cut("青花瓷茶具套装", 8) == "青花瓷…"
    assert cut("short", 12) == "short"


def test_text_is_escaped_once_and_html_never() -> None:
    assert el("p", "a < b", Html("<b>c</b>"), None, ["d", ["&"]], class_="x y", hidden=False, open=True) == (
        '<p class="x y" open>a &lt; b<b>c</b>d&amp;</p>'
    )
    assert el("i", title='"><script>') == '<i title="&quot;&gt;&lt;script&gt;"></i>'
