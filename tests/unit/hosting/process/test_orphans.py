"""Nothing of a plugin's process outlives the server, however that ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.plugin_dist import write_plugin
from tests.unit.hosting.process.helpers import ranker, until

ROOT = Path(__file__).parents[4]
PLUGIN = ranker("""
    def score(self, batch):
        import os
        what = batch.contexts[0].query
        with open(what + ".part", "w") as file: file.write(str(os.getpid()))
        os.rename(what + ".part", what)
        match what:
            case "spin":
                while True: pass
            case "hold":
                import ctypes
                ctypes.PyDLL(None).sleep(60)
            case "idle":
                import threading, time
                def on():
                    while True: time.sleep(1)
                threading.Thread(target=on).start()
        return np.zeros(3, np.float32)
""")
SERVER = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from tests.unit.hosting.process.helpers import make_batch, start
plugin = start("zoo", processes=3)
with ThreadPoolExecutor(3) as threads:
    for what in sys.argv[1:]:
        threads.submit(plugin.call, "ranker", "score", make_batch(query=what), 600)
    time.sleep(60)
"""
KINDS = ["spin", "hold", "idle"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_is_gone_soon_after_the_server(tmp_path: Path, how: signal.Signals) -> None:
    write_plugin(tmp_path, "zoo", PLUGIN)
    path = os.pathsep.join([str(tmp_path), str(ROOT), *filter(None, sys.path)])
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, *KINDS], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}
    )
    try:
        until(lambda: all((tmp_path / kind).exists() for kind in KINDS))
        children = [int((tmp_path / kind).read_text()) for kind in KINDS]
        assert not any(map(gone, children))
    finally:
        server.send_signal(how)
        server.wait()
    until(lambda: all(map(gone, children)), 3)


def test_what_spins_ends_in_time_even_if_nobody_ends_it() -> None:
    code = "from vitrine.hosting.process.limits import end_after\nend_after(0.2)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=30)
    assert done.returncode == -signal.SIGALRM


def gone(pid: int) -> bool:
    try:
        # One that nobody reaps is gone, too.
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
    except OSError:
        return True
