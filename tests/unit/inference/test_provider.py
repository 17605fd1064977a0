"""What a model runs on, and what is said when that is not there."""

import logging
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.unit.inference.conftest import WEIGHTS, affine
from vitrine.config import InferenceConfig
from vitrine.errors import ConfigError
from vitrine.inference import OnnxModel, check_runtime, provider

ROOT = Path(__file__).parents[3]
GPU_BUILD = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
CUDA = InferenceConfig(provider="cuda")


@pytest.fixture(autouse=True)
def as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    provider._cuda_problem.cache_clear()
    monkeypatch.setattr(provider, "_told", set())
    monkeypatch.setattr(provider, "_lost", threading.Event())


def test_both_runtimes_are_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda _name: "1.31.1")
    with pytest.raises(ConfigError, match="pip uninstall -y onnxruntime onnxruntime-gpu"):
        check_runtime()


def test_no_runtime_is_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    with pytest.raises(ConfigError, match=r"vitrine-recommender\[cpu\]"):
        check_runtime()


@pytest.mark.skipif(GPU_BUILD, reason="this installation has CUDA")
def test_cuda_without_its_runtime_is_refused_with_the_fix() -> None:
    with pytest.raises(ConfigError, match=r"'cuda' was demanded.*no CUDA.*vitrine-recommender\[gpu\]"):
        OnnxModel(affine(), CUDA)


class DeadDevice:
    """A runtime that offers CUDA on a machine that has none: raises, or takes the CPU without a word."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, silent: bool) -> None:
        real = onnxruntime.InferenceSession

        def session(model: bytes, options: Any, *, providers: list[Any], enable_fallback: int) -> Any:
            if len(providers) > 1 and not silent:
                raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
            return real(model, options, providers=providers[-1:], enable_fallback=enable_fallback)

        monkeypatch.setattr(onnxruntime, "InferenceSession", session)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
        monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load libcudart"))
        monkeypatch.setattr(provider, "check_runtime", lambda: "onnxruntime-gpu 1.31.1")


@pytest.mark.parametrize("silent", [True, False])
def test_cuda_without_a_device_is_refused_and_auto_takes_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    silent: bool,
) -> None:
    DeadDevice(monkeypatch, silent=silent)
    with pytest.raises(ConfigError, match=r"'cuda' was demanded.*nvidia-smi"):
        OnnxModel(affine(), CUDA)
    with caplog.at_level(logging.INFO):
        models = [OnnxModel(affine()) for _ in range(2)]
    assert [m.provider for m in models] == ["cpu", "cpu"]
    warning, info = (r.getMessage() for r in caplog.records)
    assert "models run on the CPU" in info
    assert "nvidia-smi" in warning
    assert capsys.readouterr().out == ""


def test_a_bad_model_is_not_blamed_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    DeadDevice(monkeypatch, silent=False)
    with pytest.raises(ValueError, match="ONNX Runtime cannot load the model"):
        OnnxModel(b"\x00garbage", CUDA)


def test_the_log_says_once_what_models_run_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert OnnxModel(affine(), InferenceConfig(provider="cpu")).provider == "cpu"
    assert [r.getMessage() for r in caplog.records] == [f"models run on the CPU ({check_runtime()})"]


def test_a_failing_run_prints_nothing() -> None:
    code = (
        "import numpy as np\n"
        "from tests.unit.inference.conftest import lookup\n"
        "from vitrine.errors import InferenceError\n"
        "from vitrine.inference import OnnxModel\n"
        "try: OnnxModel(lookup()).run({'i': np.array([99])})\n"
        "except InferenceError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert (done.stdout, done.stderr) == ("the model failed on its inputs\n", "")


@pytest.mark.gpu
def test_cuda_answers_as_the_cpu_does(cuda: InferenceConfig) -> None:
    x = np.random.default_rng(1).normal(size=(300, 4)).astype(np.float32)
    on_gpu, on_cpu = OnnxModel(affine(), cuda), OnnxModel(affine(), InferenceConfig(provider="cpu"))
    assert (on_gpu.provider, OnnxModel(affine()).provider) == ("cuda", "cuda")
    np.testing.assert_allclose(
        on_gpu.run({"x": x}, budget=60)["y"], on_cpu.run({"x": x})["y"], rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(on_cpu.run({"x": x})["y"], x @ WEIGHTS, rtol=1e-5, atol=1e-5)
