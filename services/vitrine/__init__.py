"""Vitrine: decides what an online shop puts in its window for each shopper, in real time, over gRPC."""

__version__ = "0.1.0"
