"""`vitrine config`: what a configuration file will do, what is wrong with it, and what may stand in one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vitrine.cli.installed import installed_plugins
from vitrine.cli.tables import plugin_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vitrine.app.pipeline import Pipeline, Step
    from vitrine.config import Config
    from vitrine.hosting import Plugin

console = Console()
config_app = typer.Typer(
    help="Explains a configuration file, and all that may stand in one.", no_args_is_help=True
)


@config_app.command("check")
def check_command(
    file: Annotated[
        Path | None,
        typer.Argument(help="A TOML file, as for `vitrine serve --config`; the defaults unless told."),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="The models that it will run with: says which rankers they leave off, and why."),
    ] = None,
    scene: Annotated[
        list[str] | None, typer.Option("--scene", "-s", help="Explain only this; repeatable.")
    ] = None,
) -> None:
    """Says what a server will do with a configuration file, or all that is wrong with it (exit code 1).

    - `vitrine config check shop.toml`
    - `vitrine config check shop.toml --bundle data/bundle`
    """
    from vitrine.app.check import wrong_names, wrong_uses
    from vitrine.app.pipeline import differences, unchecked
    from vitrine.config import load_config, read_config

    config, wrong = read_config(file)
    plugins = [plugin for plugin, _ in installed_plugins()]
    wrong += [*wrong_names(config), *wrong_uses(config, plugins)]
    if scene and (strange := sorted(set(scene) - set(config.scenes))):
        raise typer.BadParameter(
            f"no scene '{strange[0]}'; there are {', '.join(config.scenes)}", param_hint="--scene"
        )
    name = "the default configuration" if file is None else str(file)
    if wrong:
        _refuse(name, wrong)
    explained = _explained(config, plugins, bundle)
    for pipeline in explained:
        if not scene or pipeline.scene in scene:
            _show(pipeline)
    differs = differences(load_config(), config)
    if file is not None:
        console.print(Text("Other than by default", "bold"))
        _lines(differs or ["nothing"])
    for doubt in unchecked(config, plugins):
        console.print(Text(f"? {doubt}", "yellow"))
    if bundle is None:
        console.print(
            Text(
                "With --bundle this tells which rankers those models leave off, and who runs after whom.",
                "dim",
            )
        )
    console.print(
        Text(f"{name} is in order; its fingerprint is {config.fingerprint}.", "green"), soft_wrap=True
    )


@config_app.command("fields")
def fields_command(
    plugin: Annotated[
        str, typer.Argument(help="The settings of an installed plugin, instead of the file's own fields.")
    ] = "",
) -> None:
    """Prints every field with its type, default and description, as docs/configuration.md has them.

    - `vitrine config fields`
    - `vitrine config fields cf`
    """
    from vitrine.app.fields import page, settings_page
    from vitrine.errors import ConfigError
    from vitrine.validation import nearest

    if not plugin:
        typer.echo(page(), nl=False)
        return
    plugins = {found.name: found for found, _ in installed_plugins()}
    if plugin not in plugins:
        raise ConfigError(f"no installed package offers a plugin '{plugin}'; {nearest(plugin, plugins)}")
    if plugins[plugin].error:
        raise ConfigError(f"plugin '{plugin}' cannot be used: {plugins[plugin].error}")
    model = plugins[plugin].settings_model()
    typer.echo(f"plugin '{plugin}' has no settings model" if model is None else settings_page(plugin, model))


def _refuse(name: str, wrong: "Sequence[str]") -> None:
    errors = Console(stderr=True)
    things = "one thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
    errors.print(Text(f"{name}: {things} wrong; a server would refuse it", "bold red"), soft_wrap=True)
    for line in wrong:
        errors.print(Text(f"  • {line}"), soft_wrap=True)
    raise typer.Exit(1)


def _explained(config: "Config", plugins: "Sequence[Plugin]", folder: Path | None) -> "list[Pipeline]":
    from vitrine.app.pipeline import pipelines
    from vitrine.bundle import AttachedBundle, load_bundle
    from vitrine.catalog import Catalog
    from vitrine.ranking import RankingEngine

    if folder is None:
        return pipelines(config, plugins)
    catalog = Catalog(config.seed)
    attached = AttachedBundle(load_bundle(folder, config.inference), catalog)
    engine = RankingEngine(catalog, attached, config, plugins)
    try:
        return pipelines(config, plugins, engine.rankers)
    finally:
        engine.close()
        attached.close()


def _show(pipeline: "Pipeline") -> None:
    console.print(Text.assemble((pipeline.scene, "bold cyan"), "  ", (pipeline.description, "italic")))
    _lines(pipeline.words)
    for doubt in pipeline.doubts:
        console.print(Padding(Text(f"? {doubt}", "yellow"), (0, 0, 0, 2), expand=False))
    if pipeline.steps:
        console.print(_table(pipeline.steps))
    console.print()


def _table(steps: "Iterable[Step]") -> Table:
    table = plugin_table(console.width, "", "plugin", "counts", "from", "runs", "budget", "state")
    for place, step in enumerate(steps, 1):
        state = Text(f"off: {step.off}", "red") if step.off else Text("on", "green")
        table.add_row(
            str(place), Text(step.name), step.counts, Text(step.package), step.runs, step.budget, state
        )
    return table


def _lines(lines: "Iterable[str]") -> None:
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
