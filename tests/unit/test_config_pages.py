"""`vitrine config`: what it says of a file, and the page that is made of the models."""

from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from tests.support.plugin_dist import write_plugin
from tests.support.twins import Twins
from vitrine.app.changes import FIXED, changes, fixed_changes
from vitrine.app.fields import page, settings_page
from vitrine.app.pipeline import differences, pipelines
from vitrine.cli import config as command
from vitrine.cli import plugins as plugins_command
from vitrine.cli.app import app
from vitrine.config import Config, load_config
from vitrine.hosting import Plugin, discover

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal on which nothing wraps."""
    monkeypatch.setattr(command.console, "width", 600)


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "shop.toml").write_text(text, "utf-8")
    return tmp_path / "shop.toml"


def fields_of(model: type[BaseModel]) -> list[str]:
    return list(model.model_fields)


def test_the_page_in_the_documentation_is_that_of_the_models() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert written == page(), "run: vitrine config fields > docs/configuration.md"
    assert CliRunner().invoke(app, ["config", "fields"]).output == page()


def test_every_field_is_described() -> None:
    def models(model: type[BaseModel]) -> None:
        for name, field in model.model_fields.items():
            told = [
                a
                for a in (field.annotation, *getattr(field.annotation, "__args__", ()))
                if isinstance(a, type)
            ]
            for inner in told:
                if issubclass(inner, BaseModel):
                    models(inner)
            if not any(issubclass(t, BaseModel) for t in told):
                assert f"- `{name}`: " in page(), name
                assert field.description, name

    models(Config)
    assert "(restart)" not in page()
    assert page().count("restart)") == 9 + 6 + 2 + 2, "profile, inference, half-lives, shop and seed"


def test_the_example_of_the_page_is_a_configuration(tmp_path: Path) -> None:
    example = page().split("```toml\n")[1].split("```")[0]
    config = load_config(written(tmp_path, example))
    assert config.plugin("season").settings == {"months": 3}
    assert config.scenes["push"].rules.purchased_within_days == 90


def test_a_file_that_is_in_order_is_explained(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "[scenes.home]\ncandidates = 200\ndiversity = 0\n[scenes.home.sources]\ntrending = 0\n"
        "[scenes.push]\nsources = { popular = 5 }\nweights = { cf = 1.0 }\nrules = { max_per_brand = 2 }\n"
        "[plugins.deep]\nenabled = false\n[plugins.cf]\nisolation = 'process'\nbudget_ms = 7\n"
        "[plugins.cf.settings]\ntoken = 'secret'",
    )
    shown = CliRunner().invoke(app, ["config", "check", str(file)])
    assert shown.exit_code == 0, shown.output
    for said in (
        "Asks 6 sources for up to 630 candidates (bought_again 100, co_visitation 200,",
        "; the best 200 of them go to ranking.",
        "'lightgbm' decides the order alone; where it cannot answer, the weighted sum does.",
        "? the weight of 'source:trending' has no effect",
        "Shows at most 2 of a brand.",
        "Asks one source for up to 5 candidates (popular 5); all of them go to ranking.",
        "off: switched off (plugins.deep.enabled)",
        "in a process, 1,024 MB",
        "7 ms",
        "scenes.home.candidates = 200 (by default 500)",
        "scenes.push: a scene of this file",
        "plugins.cf.settings.token is set",
        "plugins.cf.settings: the plugin has no model of them",
        load_config(file).fingerprint,
    ):
        assert said in shown.output, said
    assert "secret" not in shown.output
    only = CliRunner().invoke(app, ["config", "check", str(file), "--scene", "push"])
    assert "Shows at most 2" in only.output
    assert "lightgbm" not in only.output.split("Other than")[0]


def test_a_file_that_is_wrong_is_refused_with_everything_that_is(tmp_path: Path) -> None:
    file = written(tmp_path, "sed = 1\nfeatures = ['nosuch']\n[scenes.home.weights]\ncontnet = 1\ncf = 'x'")
    shown = CliRunner().invoke(app, ["config", "check", str(file)])
    assert shown.exit_code == 1
    assert "4 things are wrong" in shown.output
    for said in (
        "'sed'; did you mean 'seed'?",
        "features: no ",
        "did you mean 'content'?",
        "scenes.home.weights.cf",
    ):
        assert said in shown.output
    assert "Asks" not in shown.output


def test_the_defaults_are_explained_and_differ_in_nothing() -> None:
    shown = CliRunner().invoke(app, ["config", "check"])
    assert shown.exit_code == 0
    assert "Other than" not in shown.output
    assert not differences(load_config(), load_config())


def test_a_plugin_that_cannot_be_used_is_off_with_its_cause() -> None:
    plugins = [p for p in discover() if p.name not in {"cf", "lightgbm"}]
    plugins.append(Plugin("cf", "shop-cf 1.0", None, "failed to load: ImportError: no module"))
    home = next(p for p in pipelines(load_config(), plugins) if p.scene == "home")
    off = {step.name: step.off for step in home.steps}
    assert off["cf"] == "failed to load: ImportError: no module"
    assert off["lightgbm"] == "not installed"
    assert not off["content"]
    assert "'lightgbm' should decide the order and is off: the weighted sum does." in home.words


def test_what_takes_a_restart_is_told_apart() -> None:
    usual = load_config()
    told = usual.model_dump()
    told |= {"shop": "other", "seed": 3, "features": ["x"]}
    told["retrieval"] |= {"popular_half_life_days": 3, "max_seeds": 3}
    told["profile"]["max_items"] = 3
    told["scenes"]["home"]["weights"]["cf"] = 3
    other = Config.model_validate(told)
    assert fixed_changes(usual, other) == [
        "shop",
        "seed",
        "profile.max_items",
        "retrieval.popular_half_life_days",
    ]
    assert {c.key for c in changes(usual, other)} - set(fixed_changes(usual, other)) == {
        "features",
        "retrieval.max_seeds",
        "scenes.home.weights.cf",
    }
    for key in FIXED:
        section: type[BaseModel] | None = Config
        for part in key.split("."):
            assert section is not None
            assert part in fields_of(section), key
            inner = section.model_fields[part].annotation
            section = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def test_the_settings_of_a_plugin_have_a_page_of_the_same_form() -> None:
    class Season(BaseModel):
        """How the season counts."""

        months: int = 3
        path: Path = Path("x")

    assert settings_page("season", Season).startswith(
        "### `[plugins.season.settings]`\n\nHow the season counts.\n\n- `months`: (whole number; default `3`)\n"
    )
    shown = CliRunner().invoke(app, ["config", "fields", "lightgmb"])
    assert "did you mean 'lightgbm'?" in str(shown.exception)


def test_a_bundle_tells_what_is_off_and_in_which_order_rankers_run(tmp_path: Path) -> None:
    twins = Twins.make(tmp_path / "bundles", 100)
    file = written(
        tmp_path,
        "[scenes.home.weights]\ndeep = 9\n[scenes.item_page]\nreranker = 'lightgbm'\n"
        "weights = { deep = 1.0, cf = 1.0 }\n[plugins.cf]\nbudget_ms = 77\n",
    )
    shown = CliRunner().invoke(app, ["config", "check", str(file), "--bundle", str(twins.folder)])
    assert shown.exit_code == 0, shown.output
    page = shown.output.split("Beside an item")[1].split("Beside the basket")[0]
    assert "77 ms" in page
    assert "as it declares" not in shown.output, "with a bundle the plugins say it"
    assert "With --bundle" not in shown.output
    # The network reads what the others say.
    assert page.index(" cf ") < page.index(" deep ") < page.index(" lightgbm ")
    (twins.folder / "linear.weights.npy").write_bytes(b"")
    damaged = CliRunner().invoke(app, ["config", "check", str(file), "--bundle", str(twins.folder)])
    assert damaged.exit_code == 1
    assert "linear.weights.npy" in str(damaged.exception)


def test_the_list_of_plugins_tells_which_scenes_use_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins_command.console, "width", 600)
    file = written(
        tmp_path,
        "features = ['content']\n[scenes.search.weights]\ndeep = 1\n[plugins.cf]\nisolation = 'process'\n"
        "[plugins.interest]\nenabled = false",
    )
    shown = CliRunner().invoke(app, ["plugins", "--config", str(file)])
    assert shown.exit_code == 0, shown.output
    rows = {
        cells[1]: cells
        for line in shown.output.splitlines()
        if len(cells := [c.strip() for c in line.split("│")]) > 2
    }
    assert rows["deep"][3:6] == ["ranker", "thread", "home, cart, search"]
    assert rows["lightgbm"][5] == "home*, cart*"
    assert rows["cf"][4] == "process"
    assert rows["interest"][6] == "switched off"
    assert rows["content"][6] == "refused"
    assert (
        "content is refused: features: plugin 'content' contributes no columns; it offers ranker"
        in shown.output
    )


def test_broken_plugins_are_listed_with_what_and_where_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plugin(tmp_path, "half_written", "VITRINE_CONTRACT = 1\nclass Ranker(:\n    pass\n")
    write_plugin(tmp_path, "without_pandas", "VITRINE_CONTRACT = 1\nimport pandsa\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(plugins_command.console, "width", 80)
    shown = CliRunner().invoke(app, ["plugins"])
    assert shown.exit_code == 0, shown.output
    assert f"{tmp_path / 'half_written.py'}, line 2: class Ranker(:\n" in shown.output
    assert f"{tmp_path / 'without_pandas.py'}, line 2: import pandsa\n" in shown.output
    assert "without_pandas failed to load: ModuleNotFoundError" in shown.output
    assert "…" not in shown.output, "nothing is cut off"
    assert "Traceback" not in shown.output + capsys.readouterr().err
