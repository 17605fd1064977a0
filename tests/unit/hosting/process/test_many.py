"""Several processes work side by side; who waits for one waits no longer than it has time."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.hosting.process.helpers import Start, make_batch, ranker, until
from vitrine.errors import PluginFailed, Timeout
from vitrine.hosting.process import IsolatedPlugin
from vitrine.hosting.process.keeper import Backoff

SLOW = ranker("""
    def score(self, batch):
        import os, time
        if batch.contexts[0].query == "crash": os.abort()
        if batch.contexts[0].query: time.sleep(float(batch.contexts[0].query))
        return np.full(3, os.getpid(), np.float32)
""")


def ask(plugin: IsolatedPlugin, query: str = "", seconds: float = 20.0) -> float:
    return float(plugin.call("ranker", "score", make_batch(query=query), seconds)[0])


def test_calls_run_side_by_side_and_the_one_too_many_waits_its_time(start: Start) -> None:
    plugin = start(SLOW, processes=2)
    with ThreadPoolExecutor(2) as threads:
        before = time.monotonic()
        two = [threads.submit(ask, plugin, "0.6") for _ in range(2)]
        time.sleep(0.1)
        with pytest.raises(Timeout, match="busy"):
            ask(plugin, seconds=0.1)
        assert time.monotonic() - before < 0.5
        # Waiting killed nobody, and one that can wait gets its turn.
        assert ask(plugin) in {call.result() for call in two}
        assert time.monotonic() - before < 1.1
        assert len({call.result() for call in two}) == 2


def test_one_that_crashes_leaves_the_calls_of_the_other_alone(start: Start) -> None:
    plugin = start(SLOW, processes=2)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(ask, plugin, "0.3")
        time.sleep(0.1)
        with pytest.raises(PluginFailed, match="process ended"):
            ask(plugin, "crash")
        assert ask(plugin) == slow.result()


def test_one_that_talks_between_two_calls_gets_no_other(start: Start) -> None:
    source = ranker("""
    def score(self, batch):
        import os, stat, threading
        if batch.contexts[0].query:
            (sock,) = (f for f in range(3, 64) if os.path.exists(f"/proc/self/fd/{f}") and stat.S_ISSOCK(os.fstat(f).st_mode))
            threading.Timer(0.1, os.write, (sock, b"garbage")).start()
        return np.full(3, os.getpid(), np.float32)
    """)
    plugin = start(source, processes=2)
    talker = ask(plugin, "talk")
    time.sleep(0.3)
    assert ask(plugin) != talker
    until(lambda: not Path(f"/proc/{int(talker)}").exists())


def test_who_waits_for_the_last_one_is_told_when_it_crashes(start: Start) -> None:
    plugin = start(SLOW, budget_ms=1)
    with ThreadPoolExecutor(2) as threads:
        late = threads.submit(ask, plugin, "30", 0.4)
        time.sleep(0.1)
        before = time.monotonic()
        with pytest.raises(PluginFailed, match="is being restarted"):
            ask(plugin)
        assert time.monotonic() - before < 5
        assert isinstance(late.exception(), Timeout)


def test_one_that_was_given_less_than_its_budget_is_left_to_finish(start: Start) -> None:
    plugin = start(SLOW, budget_ms=1500)
    before = ask(plugin)
    with pytest.raises(Timeout, match="did not answer"):
        ask(plugin, "0.5", 0.1)
    with pytest.raises(Timeout, match="busy"):
        ask(plugin, seconds=0.1)
    assert ask(plugin) == before
    with pytest.raises(Timeout, match="no time left"):
        ask(plugin, seconds=0)
    assert ask(plugin) == before
    # No longer than that.
    with pytest.raises(Timeout):
        ask(plugin, "30", 0.1)
    late = time.monotonic()
    until(lambda: answers(plugin))
    assert time.monotonic() - late < 10
    assert ask(plugin) != before


def test_a_call_that_is_over_gets_no_more_columns(start: Start) -> None:
    source = ranker("""
    def score(self, batch):
        import os, time
        if batch.contexts[0].query:
            time.sleep(0.3)
            batch.features.column("a")
        return np.full(3, os.getpid(), np.float32)
    """)
    plugin = start(source)
    before = ask(plugin)
    with pytest.raises(Timeout):
        ask(plugin, "late", 0.1)
    assert ask(plugin) == before


def test_many_threads_get_their_own_answers(start: Start) -> None:
    source = ranker("    def score(self, batch): return batch.items.trend * 2")
    plugin = start(source, processes=2)

    def many(seed: int) -> None:
        for turn in range(40):
            batch = make_batch((seed + 1, turn), seed=seed)
            answer = plugin.call("ranker", "score", batch, 30)
            assert answer.tobytes() == (batch.items.trend * 2).tobytes()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(many, range(6)))


def test_a_plugin_that_cannot_be_restarted_is_tried_again(start: Start, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    source = f"import pathlib\nassert not pathlib.Path({str(broken)!r}).exists()\n" + SLOW
    plugin = start(source)
    broken.touch()
    with pytest.raises(PluginFailed, match="process ended"):
        ask(plugin, "crash")
    time.sleep(1.0)
    with pytest.raises(PluginFailed, match="is being restarted"):
        ask(plugin)
    broken.unlink()
    until(lambda: answers(plugin))


def answers(plugin: IsolatedPlugin) -> bool:
    try:
        return ask(plugin) > 0
    except PluginFailed:
        return False


def test_a_plugin_that_became_another_is_not_used(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = start(SLOW)
    module = tmp_path / "zoo.py"
    module.write_text(module.read_text("utf-8").replace('"1.0"', '"2.0.0"'), "utf-8")
    with pytest.raises(PluginFailed):
        ask(plugin, "crash")
    until(lambda: "made something else" in caplog.text)
    with pytest.raises(PluginFailed, match="is being restarted"):
        ask(plugin)


def test_closing_while_a_process_starts_leaves_none(start: Start) -> None:
    plugin = start(SLOW)
    with pytest.raises(PluginFailed):
        ask(plugin, "crash")
    time.sleep(0.2)
    before = time.monotonic()
    plugin.close()
    assert time.monotonic() - before < 1.5


def test_restarts_come_soon_once_and_rarely_again_and_again() -> None:
    now = [0.0]
    backoff = Backoff(lambda: now[0])
    assert backoff.seconds() == pytest.approx(0.1)
    starts = 0
    while now[0] < 3600:
        now[0] += backoff.seconds()
        starts += 1
    # About one in fifteen seconds.
    assert 200 < starts < 300
    now[0] += 1000
    assert backoff.seconds() == pytest.approx(0.1)
