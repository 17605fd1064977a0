"""The command line imports what the command that is asked for needs, and is the same for whoever asks."""

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from vitrine.cli import main
from vitrine.cli.app import app
from vitrine.cli.commands import make_app

NAMES = list(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_alone_says_what_it_says_among_all(name: str) -> None:
    alone, among = (CliRunner().invoke(each, [name, "--help"]) for each in (make_app(name), app))
    assert alone.exit_code == among.exit_code == 0
    assert alone.output == among.output
    assert list(get_command(make_app(name)).commands) == [name]  # type: ignore[attr-defined]


@pytest.mark.parametrize("wanted", ["", "--version", "nonsense"])
def test_what_is_no_command_gets_all_of_them(wanted: str) -> None:
    assert list(get_command(make_app(wanted)).commands) == NAMES  # type: ignore[attr-defined]


def test_a_name_that_no_command_has_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["vitrine", "nonsense"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "No such command 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize("lacking", ["typer", "numpy", "apsw"])
def test_a_client_alone_is_told_to_install_a_server_whatever_else_brought_some_of_it(lacking: str) -> None:
    code = (
        "import sys\n"
        f"sys.modules['{lacking}'] = None\n"
        "sys.argv = ['vitrine', 'serve']\n"
        "from vitrine.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"vitrine: the command line needs '{lacking}'")
    assert "Traceback" not in done.stderr
