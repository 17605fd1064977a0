"""What a server's `/metrics` says."""

import urllib.request
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def samples(port: int) -> Iterator[Sample]:
    """Every sample of the server whose metrics are at that port of this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    families: Iterator[Metric] = iter(text_string_to_metric_families(text))
    for family in families:
        yield from family.samples
