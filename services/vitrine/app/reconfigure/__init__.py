"""The configuration of a running server: told, read again, and put in the place of the one before."""

from vitrine.app.reconfigure.reloader import ConfigReloader, Reconfigured, Standing, Using

__all__ = ["ConfigReloader", "Reconfigured", "Standing", "Using"]
