"""All commands of `vitrine`, in the order in which one needs them."""

from collections.abc import Callable

import typer

from vitrine import __version__
from vitrine.cli import (
    batch,
    config,
    data,
    demo,
    evaluate,
    explain,
    load,
    plugin,
    plugins,
    profile_request,
    recommend,
    reload,
    serve,
    train,
    tune,
)

app = typer.Typer(
    name="vitrine",
    help="Decides what an online shop puts in its window for each shopper, in real time, over gRPC.\n\n"
    "First steps: `vitrine demo`. With your own logs: `vitrine import`, `train`, `load`, `serve`, `recommend`.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vitrine {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    del version


_COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Start here": {"demo": demo.demo_command},
    "Data": {"import": data.import_command, "simulate": data.simulate_command},
    "Models": {
        "train": train.train_command,
        "tune": tune.tune_command,
        "evaluate": evaluate.evaluate_command,
        "batch": batch.batch_command,
    },
    "Serving": {
        "load": load.load_command,
        "serve": serve.serve_command,
        "reload": reload.reload_command,
        "recommend": recommend.recommend_command,
        "explain": explain.explain_command,
        "profile-request": profile_request.profile_request_command,
        "plugins": plugins.plugins_command,
    },
}
for _panel, _commands in _COMMANDS.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_panel)(_command)
app.add_typer(config.config_app, name="config", rich_help_panel="Serving")
app.add_typer(plugin.plugin_app, name="plugin", rich_help_panel="Plugins")
