"""Loads an ONNX model for many concurrent callers."""

import tempfile
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from vitrine.errors import ConfigError
from vitrine.inference.runtime import check_runtime

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxModel:
    """One model, ready to run; safe to call from several threads.

    Attributes:
        inputs: Names of its inputs.
        outputs: Names of its outputs.
        output_shapes: Shape of each output; ``None`` or a name stands for any length.
        provider: What runs it, as ONNX Runtime tells after loading.
    """

    def __init__(self, model: bytes, *, provider: str = "cpu") -> None:
        """Loads a model from memory, so that what runs is what was verified.

        Args:
            model: The bytes of the file, without external data.
            provider: "cpu" or "cuda".

        Raises:
            ConfigError: ONNX Runtime is missing, installed twice, or lacks the provider.
            ValueError: The model cannot be loaded.
        """
        check_runtime()
        import onnxruntime as ort

        wanted = PROVIDERS[provider]
        options = ort.SessionOptions()
        # Many calls at once: each on its own core, and none that spins while it waits.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            # External data would be looked for here: in a folder that is empty.
            with tempfile.TemporaryDirectory(prefix="vitrine-onnx-") as nothing:
                options.add_session_config_entry(
                    "session.model_external_initializers_file_folder_path", nothing
                )
                session = ort.InferenceSession(model, options, providers=[wanted])
        except Exception as error:  # noqa: BLE001 - the runtime's exceptions share no base class
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ValueError(f"ONNX Runtime cannot load the model ({first})") from None
        if wanted not in session.get_providers():
            raise ConfigError(
                f"the model runs on {session.get_providers()[0]} although {provider!r} was demanded; "
                "check the driver and that 'vitrine-recommender[gpu]' is installed"
            )
        self._session = session
        self.provider: str = session.get_providers()[0]
        self.inputs: tuple[str, ...] = tuple(i.name for i in session.get_inputs())
        self.outputs: tuple[str, ...] = tuple(o.name for o in session.get_outputs())
        self.output_shapes: tuple[tuple[int | str | None, ...], ...] = tuple(
            tuple(o.shape) for o in session.get_outputs()
        )

    def run(self, feeds: Mapping[str, npt.NDArray[np.generic]]) -> list[npt.NDArray[np.generic]]:
        """Runs the model on named inputs and returns its outputs in order."""
        return list(self._session.run(None, dict(feeds)))
