"""`vitrine train` on the terminal."""

import importlib.util
import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from vitrine.bundle import load_bundle
from vitrine.cli import train as command
from vitrine.cli.train import require_packages, train_command
from vitrine.dataset import Dataset
from vitrine.errors import ConfigError, InvalidInput
from vitrine.features import column, names_of

app = typer.Typer(rich_markup_mode="markdown")
app.command()(train_command)
PNG = b"\x89PNG\r\n\x1a\n"


def missing(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Makes some modules look as if they were not installed."""
    real = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in modules else real(name, package)

    monkeypatch.setattr(command, "find_spec", find)


def test_it_says_what_was_trained_and_what_comes_next(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    result = CliRunner().invoke(
        app,
        [str(dataset.path), "--out", str(out), "--no-neural", "--label-windows", "1"],
        env={"COLUMNS": "160"},
    )
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    bundle = load_bundle(out)
    metrics = bundle.manifest.metrics
    for part in (
        bundle.version,
        "144 items",
        "64 numbers",
        f"Recall@20 {metrics['recall@20_linear']:.4f}",
        f"Recall@20 {metrics['recall@20_co_visitation']:.4f}",
        f"NDCG@20 {metrics['ndcg@20_lightgbm']:.4f}",
        bundle.manifest.off["interest"],
        "vitrine serve --bundle",
    ):
        assert part in text
    picture = tmp_path / "bundle-curves.png"
    assert f"Learning curves: {picture}" in text.replace(" /", "/").replace("curves:/", "curves: /")
    assert picture.read_bytes().startswith(PNG)
    assert bundle.manifest.parameters["label_windows"] == 1
    # The columns that decide, in words.
    names = names_of(bundle.manifest.models["lightgbm"].features)
    assert sum(column(name).text in text for name in names) >= 3


def test_everything_is_passed_on(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "shop.toml"
    config.write_text("[scenes.home]\ndiversity = 0.25\n")
    seen: dict[str, object] = {}

    def stop(_: Dataset, out: Path, **given: object) -> None:
        seen.update(given, out=out)
        raise InvalidInput("data", "enough")

    monkeypatch.setattr("vitrine_export.train.train", stop)
    arguments = [
        "--no-neural",
        "--no-rerank",
        "--label-windows",
        "2",
        "--device",
        "cpu",
        "--interest-minutes",
        "1.5",
    ]
    arguments += [
        "--interest-epochs",
        "4",
        "--trials",
        "6",
        "--tune-minutes",
        "2.5",
        "--config",
        str(config),
        "--resume",
        str(tmp_path / "work"),
        "--seed",
        "5",
    ]
    result = CliRunner().invoke(app, [str(dataset.path), *arguments])
    assert isinstance(result.exception, InvalidInput)
    parameters = seen["parameters"]
    told = [
        getattr(parameters, name)
        for name in (
            *("neural", "rerank", "label_windows", "device", "interest_epochs", "interest_minutes"),
            *("trials", "tune_minutes"),
        )
    ]
    assert told == [False, False, 2, "cpu", 4, 1.5, 6, 2.5]
    assert getattr(seen["config"], "scenes")["home"].diversity == 0.25  # noqa: B009 - it is an object here
    assert (seen["seed"], seen["resume"], seen["out"]) == (5, tmp_path / "work", dataset.path / "bundle")


def test_options_win_over_the_settings_of_a_kind(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def stop(*_: object, **given: object) -> None:
        seen.update(given)
        raise InvalidInput("data", "enough")

    monkeypatch.setattr("vitrine_export.train.train", stop)
    kind, config = tmp_path / "tuned.toml", tmp_path / "shop.toml"
    kind.write_text(
        "[training]\nneural = false\nneighbours = 200\nhalf_life_days = 30\n[training.reranker]\nleaves = 15\n"
        "[serving]\nseed = 1\n[serving.scenes.home]\ncandidates = 300\ndiversity = 0.2\n"
    )
    config.write_text("[scenes.home]\ndiversity = 0.3\n")
    arguments = ["--kind", str(kind), "--config", str(config), "--neighbours", "100"]
    result = CliRunner().invoke(app, [str(dataset.path), *arguments])
    assert isinstance(result.exception, InvalidInput)
    parameters, settings = seen["parameters"], seen["config"]
    # 100 is the default, too, and was asked for all the same.
    assert (parameters.neighbours, parameters.half_life_days, parameters.reranker.leaves) == (100, 30, 15)
    assert not parameters.neural
    home = settings.scenes["home"]
    assert (settings.seed, home.candidates, home.diversity) == (1, 300, 0.3)


@pytest.mark.parametrize(
    ("file", "given", "expected"),
    [
        ("", [], (0, None)),
        ("", ["--tune-minutes", "5"], (8, 5.0)),
        ("", ["--trials", "0", "--tune-minutes", "5"], (0, 5.0)),
        ("tune_minutes = 5", [], (8, 5.0)),
        ("trials = 30", ["--tune-minutes", "5"], (30, 5.0)),
        ("trials = 0", ["--tune-minutes", "5"], (8, 5.0)),
        ("trials = 0\ntune_minutes = 5", [], (0, 5.0)),
    ],
)
def test_minutes_alone_ask_for_trials(
    file: str,
    given: list[str],
    expected: tuple[int, float | None],
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Any] = []

    def stop(*_: object, parameters: object, **__: object) -> None:
        seen.append(parameters)
        raise InvalidInput("data", "enough")

    monkeypatch.setattr("vitrine_export.train.train", stop)
    (tmp_path / "kind.toml").write_text(f"[training]\n{file}\n")
    arguments = [str(dataset.path), "--kind", str(tmp_path / "kind.toml"), *given]
    assert isinstance(CliRunner().invoke(app, arguments).exception, InvalidInput)
    assert [(p.trials, p.tune_minutes) for p in seen] == [expected]


@pytest.mark.parametrize("resume", [False, True])
def test_stopping_says_what_is_left_and_how_to_go_on(
    resume: bool, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vitrine_export.train.train", interrupt)
    arguments = [str(dataset.path), "--out", str(tmp_path / "b")]
    arguments += ["--resume", str(tmp_path / "work dir")] if resume else []
    monkeypatch.setattr(sys, "argv", ["vitrine", "train", *arguments])
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "400"})
    assert result.exit_code == 130
    text = " ".join(result.output.split())
    assert f"{tmp_path / 'b'} is as it was before" in text
    if resume:
        assert f"kept in {tmp_path / 'work dir'}" in text
        assert f"vitrine train {dataset.path}" in text
        assert f"--resume '{tmp_path / 'work dir'}'" in text  # quoted for the shell
    else:
        assert "Nothing was kept; with --resume DIR" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("gone", "named", "advice"),
    [
        (("sklearn",), "scikit-learn, which is", "pip install 'vitrine-recommender[train]'"),
        (("torch",), "torch, which is", "--no-neural: that works without torch"),
        (("torch", "onnxscript"), "torch and onnxscript, which are", "--no-neural"),
        (("lightgbm",), "lightgbm, which is", "--no-rerank"),
    ],
)
def test_a_missing_package_is_one_sentence_with_the_fix(
    gone: tuple[str, ...], named: str, advice: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing(monkeypatch, *gone)
    error = CliRunner().invoke(app, [str(dataset.path)]).exception
    assert isinstance(error, ConfigError)
    text = str(error)
    assert named in text
    assert advice in text
    assert "pip install 'vitrine-recommender[train]'" in text
    assert "\n" not in text


def test_what_is_not_used_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "torch", "lightgbm", "matplotlib")
    require_packages(neural=False, rerank=False)
    with pytest.raises(ConfigError, match="lightgbm and torch"):
        require_packages(neural=True, rerank=True)


@pytest.mark.slow
def test_without_networks_torch_is_never_imported(dataset: Dataset, tmp_path: Path) -> None:
    """In an interpreter that refuses torch: the whole command, rerankers and picture included."""
    import subprocess

    code = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "onnx", "onnxscript"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
from vitrine.cli import main
main()
"""
    arguments = [
        "train",
        str(dataset.path),
        "--out",
        str(tmp_path / "b"),
        "--no-neural",
        "--label-windows",
        "1",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b-curves.png").is_file()
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text("utf-8"))
    assert set(manifest["models"]) == {"lightgbm"}


def test_no_picture_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vitrine.cli.train_report import save_picture
    from vitrine_export.train import picture

    curve = [0.1, 0.2]
    reranker = SimpleNamespace(curve=curve, lists=3, rounds=2)
    report = SimpleNamespace(
        out=tmp_path / "b",
        base=None,
        manifest=SimpleNamespace(version="0123"),
        rankers=SimpleNamespace(curves=[], deep=None, reranker=reranker),
    )
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "not installed" in save_picture(report)  # type: ignore[arg-type]
    monkeypatch.delitem(sys.modules, "matplotlib.figure")
    monkeypatch.setattr(picture, "picture_path", lambda _: tmp_path / "no" / "such" / "folder.png")
    assert "No such file" in save_picture(report)  # type: ignore[arg-type]
    reranker.curve = []
    assert save_picture(report) == ""  # type: ignore[arg-type]


def test_no_data_set(tmp_path: Path) -> None:
    error = CliRunner().invoke(app, [str(tmp_path)]).exception
    assert isinstance(error, InvalidInput)
    assert "is not a data set" in str(error)


def test_help_teaches_with_examples() -> None:
    text = " ".join(CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).output.split())
    for part in (
        "vitrine train data/shop --no-neural --no-rerank",
        "--resume data/work",
        "--until 2011-09-01",
    ):
        assert part in text
