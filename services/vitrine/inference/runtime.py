"""Which ONNX Runtime is installed."""

from importlib import metadata

from vitrine.errors import ConfigError

_CPU, _GPU = "onnxruntime", "onnxruntime-gpu"


def check_runtime() -> str:
    """Names the installed distribution of ONNX Runtime and its version, such as ``onnxruntime 1.31.1``.

    Raises:
        ConfigError: There is none, or both are there and overwrite each other's files; names the fix.
    """
    found = {name: version for name in (_CPU, _GPU) if (version := _version(name))}
    if len(found) == 2:
        raise ConfigError(
            f"{_CPU} and {_GPU} are both installed and overwrite each other's files; remove both with "
            f"`pip uninstall -y {_CPU} {_GPU}` and install one: `pip install 'vitrine-recommender[cpu]'` "
            "or `pip install 'vitrine-recommender[gpu]'`"
        )
    if not found:
        raise ConfigError(
            "ONNX Runtime is not installed; run `pip install 'vitrine-recommender[cpu]'`, "
            "or `[gpu]` on a machine with an NVIDIA GPU"
        )
    ((name, version),) = found.items()
    return f"{name} {version}"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
