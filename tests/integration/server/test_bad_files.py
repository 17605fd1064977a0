"""Files, folders and ports that are wrong: the command ends with one line that names them and says what to do."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.world import AS_OF, World
from vitrine.app.options import ServeOptions
from vitrine.app.process import ServerProcess
from vitrine.cli import main
from vitrine.client import Vitrine


class Ended(NamedTuple):
    """How a command ended; `text` is all it printed, `last` the line that counts."""

    code: int
    text: str

    @property
    def last(self) -> str:
        return self.text.strip().splitlines()[-1]


def serve(*arguments: str | Path) -> Ended:
    """Runs `vitrine serve` as a process, which must end by itself."""
    command = [
        sys.executable,
        "-m",
        "vitrine",
        "serve",
        "--port",
        "0",
        "--metrics-port",
        "0",
        *map(str, arguments),
    ]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False
    )
    return Ended(done.returncode, done.stdout)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs a command that ends before it starts anything, in this process."""

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["vitrine", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        said = "" if code is None or isinstance(code, int) else str(code)
        return Ended(code if isinstance(code, int) else int(bool(said)), printed.out + printed.err + said)

    return run


def refused(ended: Ended, *says: str) -> None:
    assert ended.code != 0
    assert "Traceback" not in ended.text
    assert ended.last.startswith("vitrine: "), ended.text
    for part in says:
        assert part in ended.last


def flip_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.fixture
def bundle(world: World, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world.bundle, tmp_path / "bundle"))


@pytest.mark.parametrize("name", ["items.parquet", "linear.weights.npy", "manifest.json"])
def test_a_bundle_with_one_byte_changed_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    flip_a_byte(bundle / name)
    refused(
        serve("--bundle", bundle, "--store", tmp_path / "store"), f"bundle/{name}", "train the bundle again"
    )


def test_a_missing_bundle_or_file_of_it_is_named(bundle: Path, tmp_path: Path) -> None:
    (bundle / "items.parquet").unlink()
    refused(serve("--bundle", bundle, "--store", tmp_path / "store"), "bundle/items.parquet", "missing")
    ended = serve("--bundle", tmp_path / "nosuch", "--store", tmp_path / "store")
    refused(ended, "nosuch: no such bundle folder", "vitrine train DATA")


def test_a_store_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no store")
    refused(serve("--store", tmp_path / "file"), "file: cannot be used as a store directory")
    assert (tmp_path / "file").read_text() == "no store"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Path]]:
    store = tmp_path_factory.mktemp("taken") / "store"
    with ServerProcess(store=store, as_of=AS_OF) as server:
        yield server, store


def test_a_store_in_use_is_left_alone(running: tuple[ServerProcess, Path]) -> None:
    server, store = running
    refused(serve("--store", store), str(store), "another")
    with Vitrine(server.address) as shop:
        assert shop.recommend(None, "home", timeout=5).request_id


@pytest.mark.parametrize(
    ("option", "says"), [("--port", "stop the other server"), ("--metrics-port", "0 for none")]
)
def test_a_port_that_is_taken_is_named(
    running: tuple[ServerProcess, Path], tmp_path: Path, option: str, says: str
) -> None:
    port = running[0].port
    refused(serve("--store", tmp_path / "store", option, str(port)), f"port {port}", "is taken", says, option)


def test_a_port_that_another_program_has_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused(serve("--store", tmp_path / "store", "--port", str(port)), f"port {port}", "--port")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_interface_that_this_machine_has_not_is_named(tmp_path: Path, host: str) -> None:
    ended = serve("--store", tmp_path / "store", "--host", host)
    refused(ended, f"no address {host}", "--host")
    assert "taken" not in ended.last


@pytest.mark.parametrize("port", ["0", "65000"])
def test_metrics_find_a_port_where_1000_above_is_none(
    run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    told: list[ServeOptions] = []
    monkeypatch.setattr("vitrine.app.serve.serve", told.append)
    for arguments in ((), ("--metrics-port", "0"), ("--metrics-port", "9100")):
        assert run("serve", "--port", port, *arguments).code == 0
    assert run("serve", "--port", "64535").code == 0
    assert [options.metrics_port for options in told] == [0, None, 9100, 65535]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[scenes.home.weights]\n"source:pupular" = 3.0', "did you mean 'source:popular'?"),
        ("[scenes.home.weights]\ncontnet = 3.0", "did you mean 'content'?"),
        (
            "[plugins.nosuch]",
            "'nosuch'; known: cf, content, crowd, deep, factors, follows, interest, lightgbm, shoppers, visits; see `vi",
        ),
    ],
)
def test_a_name_that_nothing_installed_has_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "my.toml").write_text(text)
    refused(serve("--store", tmp_path / "store", "--config", tmp_path / "my.toml"), says)
    assert not (tmp_path / "store").exists()


CONFIGS = {
    "key": ("[profile]\nmax_itmes = 5", "unknown key 'profile.max_itmes'; did you mean 'max_items'?"),
    "key of a scene": ("[scenes.home]\ndiversty = 1", "'scenes.home.diversty'; did you mean 'diversity'?"),
    "rule of a scene": (
        "[scenes.home.rules]\nmax_per_brnd = 1",
        "'scenes.home.rules.max_per_brnd'; did you mean 'max_per_brand'?",
    ),
    "table": ("[profil]\nmax_items = 5", "'profil'; did you mean 'profile'?"),
    "value": ("[profile]\nmax_items = 'many'", "'profile.max_items'"),
    "range": ("[profile]\nlong_half_life_days = -1", "'profile.long_half_life_days'"),
    "not TOML": ("profile =", "not a valid TOML file"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_wrong_configuration_names_the_key(run: Callable[..., Ended], tmp_path: Path, name: str) -> None:
    text, says = CONFIGS[name]
    (tmp_path / "my.toml").write_text(text)
    refused(run("serve", "--config", tmp_path / "my.toml"), "my.toml", says)


def test_a_configuration_that_cannot_be_read_is_named(run: Callable[..., Ended], tmp_path: Path) -> None:
    refused(run("serve", "--config", tmp_path / "nosuch.toml"), "nosuch.toml: no such configuration file")
    refused(run("serve", "--config", tmp_path), "cannot be read as a configuration file")


def test_an_option_that_is_wrong_is_named(run: Callable[..., Ended]) -> None:
    for arguments, says in (
        (("--as-of", "yesterday"), "2011-09-01"),
        (("--as-off", "2026-01-01"), "--as-of"),
        (("--port", "99999"), "--port"),
        (("--freeze-clock",), "--as-of"),
    ):
        ended = run("serve", *arguments)
        assert ended.code == 2
        assert says in ended.text
        assert "Traceback" not in ended.text


EVENTS: dict[str, tuple[str, str | bytes, str]] = {
    "time": (
        "e.csv",
        "item_id,type,user_id,time\na,view,u,2026-01-01\nb,view,u,yesterday",
        "row 2, column time",
    ),
    "decimal comma": ("e.csv", 'item_id,type,user_id,value\na,view,u,"1,5"', "row 1, column value: '1,5'"),
    "attributes": ("e.csv", 'item_id,type,user_id,attributes\na,view,u,"{bad"', "row 1, column attributes"),
    "cells": ("e.csv", "item_id,type,user_id\na,view,u\nb,view,u,x", "row 2 has 4 cells"),
    "column": ("e.csv", "item,type,user_id\na,view,u", "no column item_id; rename 'item'"),
    "not UTF-8": ("e.csv", b"item_id,type,user_id\n\xff\xfe,view,u", "row 1 is not UTF-8"),
    "nothing": ("e.csv", "", "is empty; it needs the columns item_id and type"),
    "JSON": ("e.jsonl", '{"item_id":"a","type":"view","user_id":"u"}\n{oops', "row 2 is not one JSON object"),
    "Parquet": ("e.parquet", "PAR1 is not enough", "cannot be read"),
    "suffix": ("e.txt", "item_id", "must end in .parquet, .csv"),
}


@pytest.mark.parametrize("name", EVENTS)
def test_malformed_events_name_row_and_column(run: Callable[..., Ended], tmp_path: Path, name: str) -> None:
    file, content, says = EVENTS[name]
    (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(run("import", tmp_path / file, "--out", tmp_path / "out"), file, says)
    assert not (tmp_path / "out").exists()


def test_malformed_items_name_row_and_column(run: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("item_id,type,user_id\na,view,u")
    (tmp_path / "i.csv").write_text("item_id,price,currency\na,1.50,EUR\nb,cheap,EUR")
    ended = run("import", tmp_path / "e.csv", "--items", tmp_path / "i.csv", "--out", tmp_path / "out")
    refused(ended, "i.csv", "row 2, column price: 'cheap'")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["load", "train"])
def test_a_missing_data_set_is_named(run: Callable[..., Ended], tmp_path: Path, command: str) -> None:
    option = ("--store", tmp_path / "store") if command == "load" else ("--out", tmp_path / "bundle")
    refused(run(command, tmp_path / "nosuch", *option), "nosuch is not a data set", "vitrine import")
