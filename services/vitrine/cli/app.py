"""The command line with all of its commands."""

from vitrine.cli.commands import make_app

app = make_app()
