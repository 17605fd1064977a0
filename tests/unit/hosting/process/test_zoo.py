"""Whatever a plugin does in its process, the server's call ends in time with a plain error, and the next ones work."""

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.plugin_dist import write_plugin
from tests.unit.hosting.process.helpers import make_batch, ranker, start, until
from vitrine.errors import PluginFailed, Timeout
from vitrine.hosting.process import IsolatedPlugin, keeper

SECONDS = 0.5
ZOO = ranker("""
    budget_ms, calls = 100.0, 0
    def score(self, batch):
        import ctypes, os, socket, stat, struct, sys, time
        self.calls += 1
        def fds(test): return [f for f in range(3, 64) if os.path.exists(f"/proc/self/fd/{f}") and test(os.fstat(f).st_mode)]
        def put(data): os.pwrite(fds(stat.S_ISREG)[0], data, 0)
        def tell(kind, number, length):
            os.write(fds(stat.S_ISSOCK)[0], struct.pack("<B3xIQd", kind, number, length, 0))
            # Or the true answer might come first.
            time.sleep(60)
        def forge(head, size=0):
            import msgspec
            text = msgspec.msgpack.encode(head)
            frame = struct.pack("<I", len(text)) + text + b"\\0" * (-(4 + len(text)) % 16 + size)
            put(frame)
            tell(5, self.calls, len(frame))
        match batch.contexts[0].query:
            case "spin":
                while True: pass
            case "hold the GIL": ctypes.PyDLL(None).sleep(60)
            case "sleep": time.sleep(60)
            case "read stdin": input()
            case "segfault": ctypes.string_at(0)
            case "abort": os.abort()
            case "exit": os._exit(0)
            case "leak":
                kept = []
                while True: kept.append(bytearray(1 << 20))
            case "leak slowly":
                global kept_for_good
                kept_for_good = [*globals().get("kept_for_good", ()), bytearray(30 << 20)]
            case "recurse in C":
                import faulthandler
                faulthandler._stack_overflow()
            case "close files": os.closerange(3, 4096)
            case "close all files": os.closerange(0, 4096)
            case "garbage": os.write(fds(stat.S_ISSOCK)[0], b"garbage" * 1000)
            case "garbage and spin":
                os.write(fds(stat.S_ISSOCK)[0], b"garbage")
                while True: pass
            case "garbage everywhere":
                for fd in range(3, 64):
                    try: os.write(fd, b"garbage" * 1000)
                    except OSError: pass
            case "too long": tell(5, self.calls, 1 << 60)
            case "overlapping": forge(["array", [["<f4", [3]], ["<f4", [3]]], [], 0.0], 12)
            case "another answer": forge(["columns", [], [], 0.0])
            case "question of nonsense":
                from vitrine.hosting.process.told import Ask
                batch.features._ask(Ask("__class__", ()))
            case "raise": raise ValueError("a secret " + "x" * 9000)
            case "leave": sys.exit("done")
            case "interrupt": raise KeyboardInterrupt
            case "write": batch.items.price_micros[0] = 0
            case "nothing": return None
            case "list": return [1.0, 2.0, 3.0]
            case "text": return np.array(["a", "b", "c"])
            case "print":
                for _ in range(20_000): print("x" * 99)
                os.write(1, b"y" * 1_000_000)
                return np.full(3, len(sys.stdin.read()), np.float32)
            case "wrong length": return np.zeros(7)
            case "fork":
                if os.fork() == 0: time.sleep(600)
                os._exit(0)
            case "wait": time.sleep(0.3)
        return np.full(3, os.getpid(), np.float32)
""")


def ask(plugin: IsolatedPlugin, what: str, seconds: float = SECONDS) -> list[float]:
    scores: list[float] = plugin.call("ranker", "score", make_batch((3,), query=what), seconds).tolist()
    return scores


def pid(plugin: IsolatedPlugin) -> int:
    return int(ask(plugin, "", 20)[0])


def works(plugin: IsolatedPlugin) -> bool:
    try:
        ask(plugin, "", 20)
    except PluginFailed as error:
        assert str(error) == "is being restarted"  # noqa: PT017
        return False
    return True


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IsolatedPlugin]:
    """All of them in one plugin, whose process is started again without waiting for long."""
    folder = tmp_path_factory.mktemp("zoo")
    write_plugin(folder, "zoo", ZOO)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setattr(keeper, "_MOST", 0.05)
        plugin = start("zoo", memory_mb=128)
        yield plugin
        plugin.close()


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("spin", "did not answer"),
        ("hold the GIL", "did not answer"),
        ("sleep", "did not answer"),
        ("segfault", "process ended"),
        ("abort", "process ended"),
        ("recurse in C", "process ended"),
        ("exit", "process ended"),
        ("leak", "out of memory"),
        ("close files", "process ended"),
        ("close all files", "process ended"),
        ("garbage", "nonsense"),
        ("garbage and spin", "did not answer|nonsense"),
        ("garbage everywhere", "nonsense"),
        ("too long", "nonsense"),
        ("overlapping", "nonsense"),
        ("question of nonsense", "nonsense"),
        ("another answer", "nonsense"),
    ],
)
def test_what_ends_its_process_costs_one_call(zoo: IsolatedPlugin, what: str, error: str) -> None:
    before = pid(zoo)
    started = time.monotonic()
    late = "did not answer" in error
    with pytest.raises((PluginFailed, Timeout), match=error):
        ask(zoo, what, SECONDS if late else 20)
    if late:
        assert time.monotonic() - started < SECONDS + 0.5
    until(lambda: works(zoo))
    assert pid(zoo) != before


def test_what_a_plugin_can_be_told_from_leaves_its_process_alone(
    zoo: IsolatedPlugin, caplog: pytest.LogCaptureFixture
) -> None:
    before = pid(zoo)
    for what, says in {
        "raise": "raised ValueError in score",
        "leave": "raised SystemExit in score",
        "interrupt": "raised KeyboardInterrupt in score",
        "write": "raised ValueError in score",
        "read stdin": "raised EOFError in score",
        "nothing": "answered NoneType instead of an array",
        "list": "answered list instead of an array",
        "text": "answered an array of str32",
    }.items():
        with pytest.raises(PluginFailed) as caught:
            ask(zoo, what, 20)
        assert str(caught.value) == says
        assert pid(zoo) == before
    traces = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "ValueError" in traces[0]
    assert len(traces[0]) < 4200
    assert ask(zoo, "wrong length", 20) == [0] * 7
    assert ask(zoo, "print", 20) == [0] * 3
    with pytest.raises(PluginFailed, match="raised AttributeError in no_such"):
        zoo.call("ranker", "no_such", make_batch(), 20)
    with pytest.raises(PluginFailed, match="raised AttributeError in compute"):
        zoo.call("block", "compute", make_batch(), 20)
    assert pid(zoo) == before


def test_a_slow_leak_ends_with_its_process(zoo: IsolatedPlugin) -> None:
    def leak() -> None:
        for _ in range(10):
            ask(zoo, "leak slowly", 20)

    with pytest.raises(PluginFailed, match="out of memory"):
        leak()
    until(lambda: works(zoo))
    ask(zoo, "leak slowly", 20)


def test_what_the_plugin_forked_ends_with_it(zoo: IsolatedPlugin) -> None:
    leader = pid(zoo)
    with pytest.raises((PluginFailed, Timeout)):
        ask(zoo, "fork")
    until(lambda: not members(leader))
    until(lambda: works(zoo))


def members(session: int) -> list[int]:
    """Processes of a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found.append(int(folder.name))
    return found


def test_one_that_is_killed_between_two_calls_comes_back_unasked(zoo: IsolatedPlugin) -> None:
    before = pid(zoo)
    os.kill(before, 9)
    until(lambda: not Path(f"/proc/{before}").exists())
    until(lambda: works(zoo))
    assert pid(zoo) != before


def test_a_reply_that_comes_too_late_is_never_another_call_s(zoo: IsolatedPlugin) -> None:
    before = pid(zoo)
    with pytest.raises(Timeout):
        ask(zoo, "wait", 0.15)
    until(lambda: works(zoo))
    assert pid(zoo) != before
    np.testing.assert_array_equal(ask(zoo, "wrong length", 20), np.zeros(7))
