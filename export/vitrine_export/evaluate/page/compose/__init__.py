"""Parts of a page out of what an evaluation has: lists, tables, trainings, a shop."""

from vitrine_export.evaluate.page.compose.chapter import chapter_of
from vitrine_export.evaluate.page.compose.curves import by_history, by_k
from vitrine_export.evaluate.page.compose.evidence import Evidence
from vitrine_export.evaluate.page.compose.familiar import by_familiarity
from vitrine_export.evaluate.page.compose.grids import classified, whole_lists
from vitrine_export.evaluate.page.compose.popularity import by_popularity
from vitrine_export.evaluate.page.compose.shoppers import people_of
from vitrine_export.evaluate.page.compose.tables import ablation_of, standing_of
from vitrine_export.evaluate.page.compose.training import importance_of, learned

__all__ = [
    "Evidence",
    "ablation_of",
    "by_familiarity",
    "by_history",
    "by_k",
    "by_popularity",
    "chapter_of",
    "classified",
    "importance_of",
    "learned",
    "people_of",
    "standing_of",
    "whole_lists",
]
