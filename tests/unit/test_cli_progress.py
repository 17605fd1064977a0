"""Progress on a terminal and in a log."""

import io

from rich.console import Console

from vitrine.cli.progress import in_words, progress, seconds_left


class Clock:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(width: int, terminal: bool, clock: Clock | None = None) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width, force_terminal=terminal, color_system=None), file


def test_time_left_is_the_pace_so_far_and_not_a_guess_at_the_start() -> None:
    assert seconds_left(100.0, 0.01) is None
    assert seconds_left(1.0, 0.5) is None
    assert seconds_left(30.0, 0.25) == 90.0
    assert seconds_left(30.0, 1.0) == 0.0


def test_times_are_round_words() -> None:
    words = [in_words(s) for s in (0.0, 7.0, 44.0, 100.0, 3_000.0, 4_900.0, 6_000.0)]
    assert words == ["1 s", "5 s", "45 s", "2 min", "50 min", "82 min", "1 h 40 min"]


def test_a_log_gets_a_line_a_step_and_one_every_half_minute() -> None:
    console, file = told(80, terminal=False)
    clock = Clock()
    with progress(console, clock) as report:
        report("reading", 0.0)
        for second in range(61):
            clock.now = float(second)
            report(f"interest: epoch 1 of 12, loss {second}", second / 200)
        report("writing [bold]", 1.0)
    lines = [line.strip() for line in file.getvalue().splitlines()]
    assert [line.rpartition("  ")[2] for line in lines] == [
        "reading",
        "interest: epoch 1 of 12, loss 0",
        "interest: epoch 1 of 12, loss 30",
        "interest: epoch 1 of 12, loss 60",
        "writing [bold]",
    ]
    assert "about 3 min left" in lines[2]
    assert lines[-1].startswith("60.0 s 100%")
    assert "left" not in lines[-1]


def test_a_terminal_shows_the_step_beside_the_bar_and_the_detail_below_it() -> None:
    console, file = told(60, terminal=True)
    detail = "epoch 3 of 12, loss 4.2, NDCG@20 0.3512, at most 40 s left [CPU (2 threads)]"
    with progress(console) as report:
        report("reading", 0.4)
        report(f"interest: {detail}", 0.3)  # the bar does not go back
    shown = file.getvalue()
    assert " 40%" in shown
    assert " 30%" not in shown
    assert "interest " in shown
    assert "loss 4.2, NDCG@20 0.3512" in shown
    assert "…" in shown  # cut to the width instead of wrapped
    assert max(len(line) for line in shown.replace("\x1b", "\n").splitlines()) <= 64
