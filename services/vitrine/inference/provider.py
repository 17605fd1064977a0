"""What a model runs on: the GPU where a session really gets it, else the CPU."""

import contextlib
import io
import logging
import tempfile
import threading
from functools import cache
from typing import Any, Literal

from vitrine.config import InferenceConfig
from vitrine.errors import ConfigError
from vitrine.inference.runtime import check_runtime

log = logging.getLogger(__name__)

Provider = Literal["cuda", "cpu"]

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_CUDA_OPTIONS = {
    # TF32 rounds to 10 bits of mantissa: outputs would differ from the CPU's by 1e-3.
    "use_tf32": "0",
    # By default the arena doubles each time; bundles are swapped in the memory that is there.
    "arena_extend_strategy": "kSameAsRequested",
    "cudnn_conv_algo_search": "HEURISTIC",
}
_INSTEAD = "or set provider = 'auto' or 'cpu' in [inference]"
_told: set[str] = set()
_telling = threading.Lock()
# Set once CUDA was asked for and the CPU was got.
_lost = threading.Event()


def open_session(model: bytes, settings: InferenceConfig) -> tuple[Any, Provider]:
    """Loads a model on the provider that the settings ask for and says what it got.

    Raises:
        ConfigError: ONNX Runtime is missing or installed twice, or CUDA was demanded and is not to be had.
        ValueError: The model cannot be loaded.
    """
    runtime = check_runtime()
    problem = "" if settings.provider == "cpu" else _cuda_problem() or _no_device(_lost.is_set())
    if settings.provider == "cpu" or problem:
        session = _load(model, settings)
    else:
        try:
            session = _session(model, settings, [(_CUDA, _CUDA_OPTIONS), _CPU])
        except Exception as error:  # noqa: BLE001 - the runtime's exceptions share no base class
            # The model or the device: what the CPU loads either is not the model's fault.
            session = _load(model, settings)
            problem = _no_device(True, f" ({_said(error)})")
        else:
            if session.get_providers()[0] == _CUDA:
                _tell(logging.INFO, f"models run on the GPU ({runtime})")
                return session, "cuda"
            # It says so on stderr each time that it is asked: once will do.
            _lost.set()
            problem = _no_device(True)
    if settings.provider == "cuda":
        raise ConfigError(f"provider 'cuda' was demanded: {problem}; {_INSTEAD}")
    if problem and runtime.startswith("onnxruntime-gpu"):
        _tell(logging.WARNING, f"models run on the CPU ({runtime}): {problem}")
    _tell(logging.INFO, f"models run on the CPU ({runtime})")
    return session, "cpu"


def open_on_cpu(model: bytes) -> Any:
    """Loads a model that runs on the CPU wherever others do, in one thread.

    Raises:
        ConfigError: ONNX Runtime is missing or installed twice.
        ValueError: The model cannot be loaded.
    """
    check_runtime()
    return _load(model, InferenceConfig(provider="cpu", threads=1))


def _no_device(is_so: bool, why: str = "") -> str:
    if not is_so:
        return ""
    return (
        f"ONNX Runtime finds no GPU that it can use{why}; check that `nvidia-smi` shows one, with a driver for "
        "CUDA 13, and that the libraries are there: `pip install 'vitrine-recommender[gpu]'`"
    )


@cache
def _cuda_problem() -> str:
    """Why the installed runtime cannot use CUDA, or nothing."""
    import onnxruntime as ort

    if _CUDA not in ort.get_available_providers():
        return (
            "the installed ONNX Runtime has no CUDA; run `pip uninstall -y onnxruntime` and "
            "`pip install 'vitrine-recommender[gpu]'`"
        )
    if hasattr(ort, "preload_dlls"):
        # Its own prints are no part of what the command line writes; what they mean is said above.
        with contextlib.redirect_stdout(io.StringIO()) as said:
            ort.preload_dlls()
        if said.getvalue():
            log.debug("loading CUDA: %s", said.getvalue().strip())
    return ""


def _load(model: bytes, settings: InferenceConfig) -> Any:
    try:
        return _session(model, settings, [_CPU])
    except Exception as error:  # noqa: BLE001 - the runtime's exceptions share no base class
        raise ValueError(f"ONNX Runtime cannot load the model ({_said(error)})") from None


def _said(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _session(model: bytes, settings: InferenceConfig, providers: list[Any]) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    # Many calls at once: each on its own core, and none that spins while it waits.
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What goes wrong is raised; the runtime need not print it too.
    options.log_severity_level = 4
    # External data would be looked for here: in a folder that is empty.
    with tempfile.TemporaryDirectory(prefix="vitrine-onnx-") as nothing:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", nothing)
        # Without its fallback, which prints, and swaps the provider behind our back when a run fails.
        return ort.InferenceSession(model, options, providers=providers, enable_fallback=0)


def _tell(level: int, text: str) -> None:
    """Logs a text once a process."""
    with _telling:
        if text in _told:
            return
        _told.add(text)
    log.log(level, "%s", text)
