"""Isolation "process": a plugin in processes of its own, which may spin, crash or leak and harm only themselves."""

from vitrine.hosting.process.pool import IsolatedPlugin

__all__ = ["IsolatedPlugin"]
