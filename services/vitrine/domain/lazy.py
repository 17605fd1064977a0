"""What is computed when it is first asked for, and kept."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 (a decorator, as `property` is)
    """As `functools.cached_property`, without its lock, which until Python 3.12 is one for all instances.

    What runs for long, as a model does, would run for one request at a time. Two threads that ask the same instance at
    once may both compute.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = ""
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> "Self | T":
        if instance is None:
            return self
        # From then on it is found there, before this is asked.
        value = vars(instance)[self._name] = self._compute(instance)
        return value
