"""Export to ONNX, verified."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from vitrine.inference import OnnxModel
from vitrine_export.neural import export_onnx
from vitrine_export.neural.onnx_file import IR, OPSET, ExportError

RNG = np.random.default_rng(0)


class Sums(nn.Module):
    """Two inputs, one of them of any length."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, events: torch.Tensor, history: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        summed = events.sum(1)
        return self.linear(summed + history), torch.softmax(summed, dim=1)


@pytest.fixture(scope="module")
def inputs() -> dict[str, np.ndarray]:
    return {
        "events": RNG.normal(size=(4, 5, 3)).astype(np.float32),
        "history": RNG.normal(size=(4, 3)).astype(np.float32),
    }


def test_any_batch_and_length_runs_and_the_versions_are_pinned(inputs: dict[str, np.ndarray]) -> None:
    network = Sums()
    file = export_onnx("sums", network, inputs, ("a", "b"), tolerance=1e-5, dynamic={"events": 1})
    proto = onnx.load_from_string(file.data)
    assert [o.version for o in proto.opset_import if o.domain == ""] == [file.opset] == [OPSET]
    assert OPSET <= 21
    assert proto.ir_version == file.ir == IR <= 10
    model = OnnxModel(file.data)
    assert (model.inputs, model.outputs) == (("events", "history"), ("a", "b"))
    for rows, length in ((1, 1), (1, 9), (33, 2)):
        feeds = {
            "events": RNG.normal(size=(rows, length, 3)).astype(np.float32),
            "history": RNG.normal(size=(rows, 3)).astype(np.float32),
        }
        with torch.no_grad():
            expected = network(**{name: torch.from_numpy(a) for name, a in feeds.items()})
        found = model.run(feeds)
        np.testing.assert_allclose(found["a"], expected[0], atol=1e-5)
        np.testing.assert_allclose(found["b"], expected[1], atol=1e-5)
    golden = model.run(file.golden_inputs)
    for name, array in file.golden_outputs.items():
        assert array.dtype == np.float32
        np.testing.assert_allclose(golden[name], array, atol=1e-5)


def test_an_export_that_answers_otherwise_is_refused(
    inputs: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = OnnxModel.run

    def wrong(self: OnnxModel, feeds: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        answers = {name: array.copy() for name, array in run(self, feeds, **options).items()}
        if len(answers["a"]) == 1:
            answers["a"][0, 1] += 0.5
        return answers

    monkeypatch.setattr(OnnxModel, "run", wrong)
    with pytest.raises(
        ExportError,
        match=r"'sums', row 0 alone: output 'a' at index \(0, 1\) \(input row 0\) is .* in ONNX Runtime and .* in "
        r"PyTorch, 0\.\d+ apart where 1e-05 is allowed; the export is refused",
    ):
        export_onnx("sums", Sums(), inputs, ("a", "b"), tolerance=1e-5, dynamic={"events": 1})


def test_one_row_is_no_sample(inputs: dict[str, np.ndarray]) -> None:
    with pytest.raises(ExportError, match="1 rows cannot tell whether the export is right; give at least 2"):
        export_onnx("sums", Sums(), {n: a[:1] for n, a in inputs.items()}, ("a", "b"), tolerance=1e-5)
