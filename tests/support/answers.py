"""Comparing windows."""

from vitrine.api.recommendation.v1 import recommendation_pb2

Window = recommendation_pb2.RecommendResponse


def same_window(one: Window, other: Window) -> bool:
    """Whether two windows are the same to the last bit, but for what names the request."""
    left, right = Window(), Window()
    left.CopyFrom(one)
    right.CopyFrom(other)
    left.request_id = right.request_id = ""
    return bool(left == right)
