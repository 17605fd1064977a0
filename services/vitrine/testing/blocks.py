"""`FeatureBlockContract`: the tests that a plugin's feature columns should pass."""

from collections.abc import Mapping
from typing import Any, cast

from vitrine.plugin import Batch, FeatureColumn
from vitrine.testing.base import PartContract
from vitrine.testing.module import NAME, check_budget, fail

# Of a text, as the server takes it.
_LONGEST = 200


class FeatureBlockContract(PartContract):
    """As `RankerContract`, for the columns that a plugin contributes.

        class TestSeasonColumns(FeatureBlockContract):
            plugin = vitrine_season

    `settings` and `bundle` are as they are there.
    """

    _hook = "vitrine_make_features"
    _method = "compute"

    def test_its_columns_are_well_formed(self) -> None:
        """Each has a name of its own, words for explanations, and a version."""
        block = self._part()
        for what in ("columns", "budget_ms", "compute"):
            if not hasattr(block, what):
                fail(f"the feature block has no `{what}`: vitrine.plugin.FeatureBlock says what it is")
        columns = block.columns
        if not isinstance(columns, tuple) or not columns:
            fail("`columns` must be a tuple of at least one vitrine.plugin.FeatureColumn")
        for column in columns:
            if not isinstance(column, FeatureColumn):
                fail(f"{column!r} is no column: make it a vitrine.plugin.FeatureColumn")
            name, text, version = cast(
                "tuple[object, object, object]", (column.name, column.text, column.version)
            )
            if not isinstance(name, str) or not NAME.fullmatch(name):
                fail(f"the column's name {name!r} is not usable: take at most 64 of a to z, 0 to 9 and _")
            if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
                fail(
                    f"the text of column '{name}' is {text!r}: say in 1 to {_LONGEST} characters what it is, explanations "
                    "show it"
                )
            if isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 1e9:
                fail(
                    f"the version of column '{name}' is {version!r}: make it a whole number, and a larger one whenever its "
                    "meaning changes"
                )
        names = [column.name for column in columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            fail(f"columns of one name: '{twice[0]}' is there twice, give each its own")
        check_budget(block.budget_ms, "the feature block's")

    def _call(self, part: Any, batch: Batch) -> Mapping[str, object]:
        answer = part.compute(batch)
        if not isinstance(answer, Mapping):
            raise TypeError(f"it answered a {type(answer).__name__}, not a mapping of columns by name")
        declared, given = {column.name for column in part.columns}, set(answer)
        if declared != given:
            raise KeyError(
                f"it declares {', '.join(sorted(declared))} and answered {', '.join(sorted(map(str, given)))}"
            )
        return answer

    def _may_be_nan(self, part: Any) -> str:  # noqa: ARG002 (rankers differ, columns do not)
        return ""
