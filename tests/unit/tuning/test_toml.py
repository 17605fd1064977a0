"""The file that is written is the file that is read."""

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vitrine_export.kinds import KINDS, Kind
from vitrine_export.train.parameters import Parameters, RerankerSettings
from vitrine_export.tuning.toml import merged, tables_of, written

NAMES = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=12),
)
TABLES = st.recursive(
    st.one_of(SCALARS, st.lists(SCALARS, max_size=3)),
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, TABLES, max_size=4))
def test_tables_are_read_as_they_were_written(tables: dict[str, object]) -> None:
    assert tomllib.loads(written(tables)) == tables


def test_tables_are_merged_key_by_key() -> None:
    base = {"a": {"x": 1, "y": {"z": 2}}, "b": 3}
    assert merged(base, {"a": {"y": {"w": 4}}, "b": {"c": 5}}) == {
        "a": {"x": 1, "y": {"z": 2, "w": 4}},
        "b": {"c": 5},
    }


def test_every_kind_comes_back_from_its_tables(tmp_path: Path) -> None:
    for name in KINDS:
        kind = Kind.load(name)
        path = tmp_path / f"{name}.toml"
        path.write_text(written(tables_of(kind.parameters, kind.serving)))
        again = Kind.load(str(path))
        assert again.parameters == kind.parameters
        assert again.config() == kind.config()


def test_settings_that_are_the_defaults_are_not_written() -> None:
    changed = Parameters(half_life_days=30, reranker=RerankerSettings(leaves=15))
    assert tables_of(Parameters(), {}) == {"training": {}, "serving": {}}
    assert tables_of(changed, {})["training"] == {"half_life_days": 30, "reranker": {"leaves": 15}}
