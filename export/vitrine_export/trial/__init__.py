"""The bench of a ranker: what one plugin is worth on real data, beside the others and in the scene that it is meant for.

Lists, splits and measures are those of `vitrine_export.evaluate`. What is here: the two pipelines that are compared
(`pipelines`), models to compare them on (`bundles`), what is shown (`measure`, `overlap`, `latency`, `examples`,
`faults`), and its forms (`report`, `page`, `writing`).
"""

from vitrine_export.trial.faults import PluginFault
from vitrine_export.trial.report import Trial
from vitrine_export.trial.run import try_plugin
from vitrine_export.trial.settings import Settings
from vitrine_export.trial.writing import write

__all__ = ["PluginFault", "Settings", "Trial", "try_plugin", "write"]
