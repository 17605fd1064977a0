"""Who may import what, read from the source itself: the boundaries that keep the parts replaceable and callers light."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services" / "vitrine"
HEAVY = {"torch", "lightgbm", "onnxruntime"}
# What a caller's environment need not have.
SERVER_ONLY = {
    "apsw",
    "msgspec",
    "numpy",
    "pluggy",
    "polars",
    "pydantic",
    "rich",
    "scipy",
    "tokenizers",
    "typer",
}
# The folders that know nothing of the wire, less the modules that carry them over it.
DOMAIN = ("domain", "profile", "catalog", "retrieval", "ranking", "recommendation", "bundle", "content")
CARRIERS = {"service.py", "remote.py", "follower.py"}


def sources(folder: Path) -> list[Path]:
    found = [p for p in folder.rglob("*.py") if "api" not in p.relative_to(ROOT).parts]
    assert found, folder
    return found


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; for `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offenders(files: list[Path], *forbidden: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imports(path)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    ]


def test_the_runtimes_are_imported_in_one_folder() -> None:
    outside = [p for p in sources(ROOT / "services") if p.parent != SERVICES / "inference"]
    outside += sources(ROOT / "plugins")
    assert not offenders(outside, *HEAVY)
    assert not offenders(sources(SERVICES / "inference"), "torch")
    assert offenders(sources(SERVICES / "inference"), "onnxruntime")
    # LightGBM's package is imported nowhere: `inference.native_trees` calls its library.
    assert not offenders(sources(SERVICES), "lightgbm")


def test_the_runtimes_are_loaded_when_a_model_is() -> None:
    assert not loaded("import vitrine.inference") & HEAVY


def test_torch_is_imported_by_export_alone() -> None:
    assert not offenders(sources(ROOT / "services") + sources(ROOT / "plugins"), "torch")


@pytest.mark.parametrize("folder", DOMAIN)
def test_the_domain_knows_nothing_of_the_wire(folder: str) -> None:
    domain = [p for p in sources(SERVICES / folder) if p.name not in CARRIERS]
    assert not offenders(
        domain, "grpc", "grpc_status", "google", "vitrine.api", "vitrine.wire", "vitrine.client"
    )


def test_the_domain_does_not_know_the_command_line() -> None:
    files = [p for folder in DOMAIN for p in sources(SERVICES / folder)]
    assert not offenders(files, "vitrine.app", "vitrine.cli", "typer", "rich")


@pytest.mark.parametrize("module", ["plugin.py", "config.py", "dataset.py", "errors.py"])
def test_shared_modules_know_nothing_of_the_wire(module: str) -> None:
    assert not offenders([SERVICES / module], "grpc", "google", "vitrine.api", "vitrine.wire")


def test_converting_needs_no_channel() -> None:
    assert not offenders(sources(SERVICES / "wire"), "grpc")


def test_plugins_use_the_same_door_as_anybody() -> None:
    inside = (
        "grpc",
        "vitrine.api",
        "vitrine.app",
        "vitrine.wire",
        "vitrine.profile",
        "vitrine.recommendation",
    )
    assert not offenders(sources(ROOT / "plugins"), *inside)


def test_nothing_unpickles() -> None:
    everywhere = [p for f in ("services", "plugins", "export") for p in sources(ROOT / f)]
    assert not offenders(everywhere, "pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib")


def test_serving_does_not_need_training() -> None:
    """Only commands that train, import or evaluate reach for `vitrine_export`, and only when they are called."""
    serving = [p for p in sources(SERVICES) if p.parent != SERVICES / "cli"]
    assert not offenders(serving, "vitrine_export")


def loaded(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after running ``code``."""
    code += "\nimport sys, json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stdout))


def test_the_client_imports_only_light_things() -> None:
    modules = loaded("import vitrine.client")
    assert {"grpc", "google", "vitrine"} <= modules
    assert not modules & (SERVER_ONLY | HEAVY | {"uvloop", "prometheus_client", "sklearn"})


def test_the_command_line_starts_without_the_heavy_parts() -> None:
    modules = loaded("import vitrine.cli.app")
    assert not modules & (HEAVY | {"numpy", "polars", "scipy", "sklearn", "tokenizers", "grpc"})


def test_a_server_starts_without_what_only_training_or_the_command_line_need() -> None:
    modules = loaded("from vitrine.cli.commands import make_app; make_app('serve')")
    assert not modules & {"google", "numpy", "rich"}
    modules = loaded("import vitrine.app.serve")
    assert {"apsw", "grpc", "numpy", "vitrine"} <= modules
    assert not modules & (HEAVY | {"polars", "rich", "scipy", "sklearn", "tokenizers", "typer"})
