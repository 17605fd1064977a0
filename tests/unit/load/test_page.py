"""The page says what was measured, what was reached, and what went wrong."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.load import modules, plots, readme
from tests.load.ghz import Load, Output, Percentile
from tests.load.measuring import Last, Measuring
from tests.load.page import Page, render
from tests.load.row import Row
from tests.load.run import Run
from tests.load.steps import Step, steps
from tests.load.suite import Measured, Suite


def run(rate: int, *, p99: float = 14.0, calls: int = 1000, good: int = 1000, lacked: int = 0) -> Run:
    points = [Percentile(percentage, int(ms * 1e6)) for percentage, ms in ((50, 4.0), (95, 9.0), (99, p99))]
    load = Load(config="recommend", address="a:1", messages=Path("r.bin"), seconds=10, rate=rate)
    # A run of ten seconds, or however long the calls took that ended well.
    output = Output(
        count=calls,
        total=10**10,
        rps=calls / 10,
        status_code_distribution={"OK": good},
        error_distribution={"refused": calls - good} if good < calls else {},
        latency_distribution=points,
    )
    stages = {f"ranker:{n}": n / 1e1 for n in range(12)} | {"waiting": 0.0}
    return Run.of(
        load,
        output,
        None,
        used=9.5,
        stages=stages,
        lacked={"ranking degraded (TIMEOUT)": lacked},
        generator=0.3,
        others=0.5,
    )


SUITE = Suite(
    asked={"recommend": "20,000 shoppers"},
    methods={"recommend": Measured(peak=200, single=run(0), half=run(100), runs=[run(50), run(100)])},
)


def of(*rows: Row, suite: Suite | None = None) -> str:
    return render(
        Page(
            command="scripts/bench",
            minutes=22.4,
            measured="Measured on 2026-11-22 at commit abc.",
            machine={"CPU": "a fast one"},
            shop={"items": "100,000"},
            rows=rows,
            suite=suite,
            pictures={"Latency by rate": "performance/latency.svg"},
            steps=[Step("One run instead of two", "3 ms", "2 ms", "make this", "A window")],
        )
    )


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (Row(what="a", value=1.234, bound=1.3), ["≤ 1.3", "**1.23**", "yes"]),
        (Row(what="a", value=1.4, bound=1.3), ["≤ 1.3", "**1.4**", "**no**"]),
        (Row(what="a", value=1.0, bound=1, strict=True), ["< 1", "**1**", "**no**"]),
        (Row(what="a", value=0.5, bound=0.5, at_most=False), ["≥ 0.5", "**0.5**", "yes"]),
        (Row(what="a", value=None, bound=2, note="no ghz"), ["≤ 2", "–", "–"]),
        (Row(what="a", value=None), ["stated", "–", "–"]),
    ],
)
def test_a_row_says_what_was_reached(row: Row, cells: list[str]) -> None:
    (line,) = [line for line in of(row).splitlines() if line.startswith("| a |")]
    assert [cell.strip() for cell in line.strip("|").split("|")][1:4] == cells


def test_why_there_is_no_figure_is_said() -> None:
    assert "- **a** – No ghz." in of(Row(what="a", value=None, note="no ghz"))


def test_times_under_load_and_what_went_wrong_stand_there() -> None:
    text = of(suite=SUITE)
    assert "| `Recommend` | 200/s | 4 ms | 4 ms | 9 ms | 14 ms | 9.5 ms; one caller 9.5 ms |" in text
    assert "Other programs used up to 0.5 cores" in text
    assert "### A window\n\n| what | before | after | today's figure |" in text
    assert "| One run instead of two | 3 ms | 2 ms | `make this` |" in text
    assert "![Latency by rate](performance/latency.svg)" in text


def test_a_rate_is_held_when_it_is_achieved_without_errors_and_with_all_parts() -> None:
    assert run(100).held
    assert not run(103).held
    # Two calls that did not begin at the ends weigh little in a long run, and a short one is not lost for them.
    assert run(10, calls=98, good=98).held
    assert not run(10, calls=95, good=95).held
    assert run(100, calls=1000, good=1000).errors == 0
    assert not run(100, good=998).held
    assert not run(100, lacked=2).held


def test_pictures_can_be_drawn_and_their_parts_add_up(tmp_path: Path) -> None:
    pictures = plots.draw(SUITE, tmp_path)
    assert list(pictures) == ["Latency by rate", "CPU per request by stage"]
    for path in pictures.values():
        assert ET.parse(path).getroot().tag.endswith("svg")
    spent = plots.parts(SUITE.methods["recommend"].half)
    assert sum(spent.values()) == pytest.approx(9.5)
    assert "waiting" not in spent


def test_the_committed_steps_can_be_read() -> None:
    assert all(step.what and step.before and step.after for step in steps())


def test_what_is_not_reached_is_told_first_with_what_it_would_take() -> None:
    rows = [
        Row(what="slow", value=2.8, bound=1.5, missed="it would take another language"),
        Row(what="quick", value=1.0, bound=1.5, missed="never shown"),
        Row(what="unknown", value=None, bound=2),
        Row(what="stated", value=7.0),
    ]
    text = of(*rows)
    assert text.index("## In short") < text.index("## How to read it") < text.index("## Figures")
    assert "- Of 3 figures that were to be reached, 1 is, 1 was not measured, and 1 is not:" in text
    assert "  - slow: 2.8 instead of ≤ 1.5: it would take another language." in text
    assert "never shown" not in text


def test_a_shop_can_be_sized_by_what_one_core_does() -> None:
    text = of(suite=SUITE)
    assert (
        "- `Recommend` on one core: 200 calls/s at most; at half of that, 4 ms at the median and 14 ms at p99"
        in text
    )
    # A hundred calls a second at half of the peak, 9.5 ms of CPU each.
    assert "1,000 windows a second take 10 cores' time, so some 10 such cores at half of the peak" in text


def test_figures_of_several_commits_say_which_is_of_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modules, "names", lambda: ["bare", "latency", "peers"])
    found = Measuring(tmp_path, [], lambda _: None)
    assert found.when() == ""
    found.last = dict.fromkeys(("bare", "latency", "peers"), Last(1.5, "2026-11-22", "abc"))
    assert found.when() == "Measured on 2026-11-22 at commit abc."
    assert found.minutes() == 4.5
    # Rows that are read from elsewhere say themselves when they were measured.
    found.last |= {"latency": Last(6.0, "2026-11-23", "def"), "peers": Last(0.0, "2026-11-24", "ghi")}
    assert found.when() == ("Measured bare on 2026-11-22 at commit abc; latency on 2026-11-23 at commit def.")


def test_the_figures_of_the_readme_stand_between_its_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    for short in ("up after 9.9 s", "up after 2.8 s"):
        readme.put([Row(what="start", value=1.0, short=short), Row(what="a", value=1.0)], SUITE, file)
    text = file.read_text()
    assert text.startswith(f"before\n{readme.BEGIN}\n\n| call, on one core |")
    assert text.endswith(f"- up after 2.8 s.\n\n{readme.END}\nafter\n")
    assert "| `Recommend`, 20 items of 500 candidates | 200/s | 4 ms | 4 / 14 ms | 9.5 ms |" in text
    assert "9.9" not in text
    file.write_text("no marks")
    with pytest.raises(RuntimeError, match="lacks the marks"):
        readme.put([], SUITE, file)


def test_the_readme_has_its_marks() -> None:
    text = (Path(__file__).parents[3] / "README.md").read_text()
    assert text.index(readme.BEGIN) < text.index(readme.END)
