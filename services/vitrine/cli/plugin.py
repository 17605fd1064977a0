"""`vitrine plugin`: for who writes one."""

import typer

from vitrine.cli import plugin_new, plugin_try

plugin_app = typer.Typer(
    help="For ranking engineers: writes a new plugin, and tries one on real data.", no_args_is_help=True
)
plugin_app.command("new")(plugin_new.new_command)
plugin_app.command("try")(plugin_try.try_command)
