"""Callers can read which sources there are."""

import re
from pathlib import Path

from vitrine.retrieval.sources import SOURCE_NAMES

ROOT = Path(__file__).parents[3]


def test_the_protocol_names_every_source() -> None:
    proto = (ROOT / "protos/vitrine/api/retrieval/v1/retrieval.proto").read_text("utf-8")
    told = proto.partition("message SourceRequest {")[2].partition("string name")[0]
    assert sorted(re.findall(r'"(\w+)"', told)) == sorted(SOURCE_NAMES)
