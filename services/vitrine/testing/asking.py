"""How a part of a plugin is made and asked, and what its answers must look like whatever is tested."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from vitrine.plugin import Batch
from vitrine.testing import module
from vitrine.testing.module import fail
from vitrine.testing.shop import SmallShop, Window, small_shop

Answer = dict[str, npt.NDArray[np.float32]]

TOLERANCE = 1e-5


class Asking:
    """What all checks go by.

    Attributes:
        plugin: The module of the plugin.
        settings: Its settings, as they would stand in ``[plugins.NAME.settings]``.
        bundle: The folder of a bundle, for a plugin that cannot do without.
    """

    plugin: ModuleType
    settings: Mapping[str, Any] = MappingProxyType({})
    bundle: Path | None = None

    _hook: ClassVar[str]
    # What is called for every request.
    _method: ClassVar[str]

    @pytest.fixture(autouse=True)
    def _names_a_module(self) -> None:
        """Says so once in words, where every test would fail with an AttributeError."""
        if not isinstance(getattr(self, "plugin", None), ModuleType):
            fail(
                f"{type(self).__name__} does not say what it tests: write `plugin = NAME` in it, NAME being the imported "
                "module of the plugin"
            )

    def _shop(self) -> SmallShop:
        return small_shop(self.bundle)

    def _windows(self) -> dict[str, Window]:
        """Usual requests: shoppers who are known, items that are known."""
        shop = self._shop()
        return {
            "a buyer's front page": shop.window("buyer", 50),
            "a search in two languages": shop.window("browser", 40, about="search"),
            "an item page": shop.window("picky", 45, about="item"),
            "the basket of a regular customer": shop.window("regular", 60, about="basket"),
        }

    def _batch(self, part: Any, *windows: Window) -> Batch:
        return self._shop().batch(windows, self._after(part))

    def _part(self) -> Any:
        """What the hook makes."""
        __tracebackhide__ = True
        return module.make(self.plugin, self._hook, self.settings, self._shop().bundle)

    def _after(self, part: Any) -> Iterable[str]:
        """Rankers whose scores it reads."""
        return getattr(part, "after", ())

    def _call(self, part: Any, batch: Batch) -> Mapping[str, object]:
        """What it answers, by column."""
        raise NotImplementedError

    def _may_be_nan(self, part: Any) -> str:
        """Why NaN is not allowed, and what to do; empty when it is."""
        raise NotImplementedError

    def _answer(self, part: Any, batch: Batch, what: str, length: int | None = None) -> Answer:
        """What it answers for a batch, once that is known to be well formed."""
        __tracebackhide__ = True
        n = len(batch.items.ids) if length is None else length
        try:
            answer = self._call(part, batch)
        except Exception as error:
            advice = "servers meet that, so it must answer"
            if isinstance(error, ValueError) and "read-only" in str(error):
                advice = "arrays of a batch are read-only, so work on a copy of what you change"
            raise AssertionError(
                f"`{self._method}` raised {type(error).__name__} ({error}) for {what}: {advice}"
            ) from error
        checked = {}
        for name, column in answer.items():
            problem = _problem(column, n, self._may_be_nan(part))
            if problem:
                column_says = f"column '{name}' of `{self._method}`" if name else f"`{self._method}`"
                fail(f"{column_says} answered {problem} (asked for {what})")
            assert isinstance(column, np.ndarray)  # noqa: S101 (for the type checker: `_problem` has looked)
            checked[name] = column
        return checked

    @staticmethod
    def _same(wanted: Answer, got: Answer, sentence: str, tolerance: float = TOLERANCE) -> None:
        """Both are equal, NaN being equal to NaN."""
        __tracebackhide__ = True
        for name, column in wanted.items():
            other = got[name]
            close = np.isclose(column, other, rtol=tolerance, atol=tolerance, equal_nan=True)
            if not close.all():
                worst = int(np.argmax(~close))
                fail(
                    f"{f'{name}: ' if name else ''}{sentence} ({int((~close).sum())} of {len(column)} differ, "
                    f"candidate {worst} for one: {column[worst]} and {other[worst]})"
                )


def _problem(column: object, n: int, no_nan: str) -> str:
    """What is wrong with an answer and what to do; empty when nothing is."""
    if column is None:
        return "nothing: `return` the scores"
    if not isinstance(column, np.ndarray):
        return f"a {type(column).__name__}: answer a NumPy array, `np.asarray(…, np.float32)`"
    if column.dtype != np.float32:
        return f"{column.dtype}: add `.astype(np.float32)` to what it returns"
    if column.shape != (n,):
        return f"shape {column.shape} for {n} candidates: answer one number for each of `batch.items.ids`"
    if np.isinf(column).any():
        return "an infinite score: guard divisions and logarithms, with `np.maximum(x, 1e-9)` for example"
    if no_nan and np.isnan(column).any():
        return f"NaN: {no_nan}"
    return ""
