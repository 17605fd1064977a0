"""Retrieval: a few hundred candidates out of the catalogue, from several sources."""

from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.query import RetrievalQuery
from vitrine.retrieval.retriever import Retriever

__all__ = ["Popularity", "RetrievalQuery", "Retriever"]
