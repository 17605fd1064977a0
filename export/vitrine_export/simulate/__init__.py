"""A small shop that does not exist, seeded: items, shoppers with tastes, and what they do."""

from vitrine_export.simulate.run import END, SimulationReport, simulate

__all__ = ["END", "SimulationReport", "simulate"]
