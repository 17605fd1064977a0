"""Puts the parts together: all of a shop in one process, or one service of it."""
