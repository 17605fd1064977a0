"""Ranking: plugins score candidates, a weighted blend orders them, business rules and diversity have the last word."""

from vitrine.ranking.engine import RankingEngine, Scored
from vitrine.ranking.query import RankingQuery, ShopperQuery

__all__ = ["RankingEngine", "RankingQuery", "Scored", "ShopperQuery"]
