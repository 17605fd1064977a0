"""Ranking: plugins score candidates, a weighted blend orders them, business rules and diversity have the last word."""

from vitrine.ranking.engine import RankingEngine
from vitrine.ranking.query import RankingQuery, ShopperQuery
from vitrine.ranking.scoring import Scored

__all__ = ["RankingEngine", "RankingQuery", "Scored", "ShopperQuery"]
