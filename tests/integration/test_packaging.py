"""The wheel as somebody else installs it: light for callers, a word of help for the rest, extras as promised."""

import email
import json
import re
import sys
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.support.installed import CONSTRAINTS, ROOT, build_wheel, fresh_environment, run

CLIENT = {"grpcio", "grpcio-status", "googleapis-common-protos", "protobuf"}
NOT_FOR_CALLERS = (
    "numpy",
    "lightgbm",
    "onnxruntime",
    "torch",
    "polars",
    "scipy",
    "pydantic",
    "typer",
    "apsw",
)
# Trains models; a server has none of it.
FOR_TRAINING = {"matplotlib", "onnx", "onnxscript", "scikit-learn", "torch"}
# Comes with torch, in versions that depend on its build.
WITH_TORCH = re.compile(r"torch|triton|(nvidia|cuda)-.*")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this working tree."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def caller(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a fresh environment with the wheel and what it alone requires."""
    return fresh_environment(tmp_path_factory.mktemp("caller") / "venv", str(wheel))


@pytest.mark.slow
def test_a_caller_gets_the_client_and_no_more(caller: Path) -> None:
    code = f"""
import importlib.util, json, sys
from vitrine.client import Unavailable, Vitrine, event
try:
    with Vitrine("127.0.0.1:1") as shop:
        shop.record_events([event("view", "ann", "mug")], timeout=2)
except Unavailable:
    answer = "unavailable"
heavy = {NOT_FOR_CALLERS!r}
print(json.dumps([answer, [h for h in heavy if importlib.util.find_spec(h)], [h for h in heavy if h in sys.modules]]))
"""
    done = run(caller, "python", "-W", "error", "-c", code)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["unavailable", [], []]


@pytest.mark.slow
def test_the_command_says_what_to_install(caller: Path) -> None:
    for arguments in (["--help"], ["serve"]):
        done = run(caller, "vitrine", *arguments)
        assert done.returncode != 0
        assert not done.stdout
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("vitrine: ")
        assert "pip install 'vitrine-recommender[cpu]'" in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2


@pytest.mark.slow
def test_the_stubs_are_typed_for_callers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    plugins = {path.name for path in (ROOT / "plugins").glob("vitrine_*")}
    assert tops == {"vitrine", "vitrine_export"} | plugins
    for needed in ("py.typed", "default.toml", "api/recommendation/v1/recommendation_pb2.pyi"):
        assert f"vitrine/{needed}" in names
    assert "vitrine_export/simulate/shop.toml" in names
    # What a plugin's author needs: the contract's tests, and what `vitrine plugin new` writes a package from.
    for_plugins = {n for n in names if n.startswith(("vitrine/testing/", "vitrine/cli/template/"))}
    templates = {p.name for p in (ROOT / "services" / "vitrine" / "cli" / "template").iterdir()}
    assert {f"vitrine/cli/template/{name}" for name in templates} | {
        "vitrine/testing/rankers.py"
    } <= for_plugins
    others = names - for_plugins
    assert not [n for n in others if "test" in n.lower()]
    assert not [n for n in names if n.endswith((".pyc", ".pkl", ".onnx", ".parquet"))]


def required(metadata: Message, extra: str = "") -> set[str]:
    """Requirements as name and rest, of one extra (or of none)."""
    found = set()
    for line in metadata.get_all("Requires-Dist", []):
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        extras = re.findall(r"extra == ['\"]([\w-]+)['\"]", marker)
        if extras == ([extra] if extra else []):
            found.add(requirement)
    return found


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.mark.slow
def test_extras_are_what_was_promised(metadata: Message) -> None:
    assert {"cpu", "gpu", "train", "dev"} <= set(metadata.get_all("Provides-Extra", []))
    assert {name_of(r) for r in required(metadata)} == CLIENT
    cpu, gpu = required(metadata, "cpu"), required(metadata, "gpu")
    assert {name_of(r) for r in cpu - gpu} == {"onnxruntime"}
    assert {name_of(r) for r in gpu - cpu} == {"onnxruntime-gpu"}
    shared = {name_of(r) for r in required(metadata, "serve")}
    assert {"numpy", "polars", "apsw", "lightgbm"} <= shared
    assert not shared & ({"onnxruntime", "onnxruntime-gpu"} | FOR_TRAINING)
    training = {name_of(r): r for r in required(metadata, "train")}
    assert set(training) >= FOR_TRAINING
    assert "==" not in training["torch"]
    versions = re.findall(r"(>=|<)3\.(\d+)", metadata["Requires-Python"])
    low, high = (int(dict(versions)[sign]) for sign in (">=", "<"))
    assert low == 11 <= sys.version_info.minor < high


def test_constraints_are_names_and_versions_only() -> None:
    lines = [line for line in CONSTRAINTS.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines
    wrong = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==\d[A-Za-z0-9.]*", line)]
    assert not wrong
    names = [name_of(line) for line in lines]
    assert len(names) == len(set(names))
    assert not {"vitrine-recommender", "pip", "setuptools", "wheel"} & set(names)


def test_constraints_leave_the_build_of_torch_open() -> None:
    """A wheel for the CPU alone, which sorts higher, must be able to win where pip is set up for it."""
    lines = CONSTRAINTS.read_text("utf-8").splitlines()
    assert not [line for line in lines if WITH_TORCH.fullmatch(name_of(line))]


def test_constraints_cover_what_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    constrained = {name_of(line): line for line in CONSTRAINTS.read_text("utf-8").splitlines()}
    extras = project["optional-dependencies"]
    wanted = [r for e in ("serve", "cpu", "gpu", "train", "dev") for r in extras[e]] + project["dependencies"]
    free = {project["name"], "torch"}
    assert not [r for r in wanted if name_of(r) not in constrained.keys() | free]
    # The two runtimes are one program: a model is not served by one and refused by the other.
    assert constrained["onnxruntime-gpu"].split("==")[1] == constrained["onnxruntime"].split("==")[1]
