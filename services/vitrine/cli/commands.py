"""All commands of `vitrine`, in the order in which one needs them."""

from importlib import import_module

import typer

from vitrine import __version__

# Where each is: the module of this package, and the function or the group of further commands in it.
_COMMANDS = {
    "Start here": {"demo": "demo:demo_command"},
    "Data": {"import": "data:import_command", "simulate": "data:simulate_command"},
    "Models": {
        "train": "train:train_command",
        "tune": "tune:tune_command",
        "evaluate": "evaluate:evaluate_command",
        "batch": "batch:batch_command",
    },
    "Serving": {
        "load": "load:load_command",
        "serve": "serve:serve_command",
        "reload": "reload:reload_command",
        "recommend": "recommend:recommend_command",
        "explain": "explain:explain_command",
        "profile-request": "profile_request:profile_request_command",
        "plugins": "plugins:plugins_command",
        "config": "config:config_app",
    },
    "Plugins": {"plugin": "plugin:plugin_app"},
}


def make_app(command: str = "") -> typer.Typer:
    """The command line.

    Args:
        command: The command that is asked for, where that is known: nothing is imported for the others then, which are
            not there.
    """
    app = typer.Typer(
        name="vitrine",
        help="Decides what an online shop puts in its window for each shopper, in real time, over gRPC.\n\n"
        "First steps: `vitrine demo`. With your own logs: `vitrine import`, `train`, `load`, `serve`, `recommend`.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    known = {name for commands in _COMMANDS.values() for name in commands}
    for panel, commands in _COMMANDS.items():
        for name, place in commands.items():
            if command == name or command not in known:
                module, _, part = place.partition(":")
                found = getattr(import_module(f"vitrine.cli.{module}"), part)
                if isinstance(found, typer.Typer):
                    app.add_typer(found, name=name, rich_help_panel=panel)
                else:
                    app.command(name, rich_help_panel=panel)(found)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vitrine {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    del version
