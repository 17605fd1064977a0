"""What a reranker's trees cost: LightGBM's own prediction beside the same trees as a graph, in turns, on one input."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from vitrine.bundle import load_bundle
from vitrine.inference import TreeModel

_ROUNDS, _ROWS = 200, 500


def main() -> None:
    """Prints CPU milliseconds of a prediction of 500 rows, by each, as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    model = load_bundle(parser.parse_args().bundle).models["lightgbm"]
    trees = model.runner
    if not isinstance(trees, TreeModel):
        raise SystemExit("the bundle has no trees")
    golden = model.golden[model.entry.inputs[0]]
    x = np.ascontiguousarray(golden[np.arange(_ROWS) % len(golden)])
    ways: dict[str, Callable[[], npt.NDArray[np.float32]]] = {
        "LightGBM": lambda: trees._predict(x, contributions=False),
        "graph": lambda: trees.predict(x),
    }
    if not np.array_equal(ways["LightGBM"](), ways["graph"]()):
        raise SystemExit("the two do not agree to the last bit")
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            began = time.thread_time()
            way()
            spent[name].append(time.thread_time() - began)
    print(json.dumps({"trees": trees.trees, **{n: round(1000 * median(s), 3) for n, s in spent.items()}}))


if __name__ == "__main__":
    main()
