"""Interest vectors of items: one for each trained item, and a projection for those that come later."""

from dataclasses import dataclass

import numpy as np

from vitrine.bundle.files import BundleFiles
from vitrine.bundle.folder import AGAIN
from vitrine.bundle.manifest import MANIFEST
from vitrine.bundle.models import Model
from vitrine.content.model import Vectors
from vitrine.errors import BundleError
from vitrine.interest import InterestModel
from vitrine.interest.inputs import every_shape

MODEL = "interest"
VECTORS, PROJECTION = "interest.vectors.npy", "interest.projection.npy"
_INPUTS, _OUTPUTS = {"recent", "types", "ages", "history"}, {"short", "long", "interest"}
_MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class InterestTable:
    """What goes with the model "interest", as training hands it over.

    Attributes:
        vectors: ``float32[n, d]``, of the n items of the bundle.
        projection: ``float32[dc, d]`` or nothing; content vector times this is the vector of an item that is newer.
        length: How many events the encoder takes at most.
    """

    vectors: Vectors
    projection: Vectors | None = None
    length: int = 50

    def files(self) -> dict[str, Vectors]:
        """Its files by name."""
        return {VECTORS: self.vectors} | ({} if self.projection is None else {PROJECTION: self.projection})


def read_interest(files: BundleFiles, model: Model | None, n: int, content: int) -> InterestModel | None:
    """Reads the interest model of n items, or nothing.

    Args:
        files: The bundle.
        model: The encoder; without it there are no vectors either.
        n: Number of items.
        content: Length of a content vector, 0 when content is off.

    Raises:
        BundleError: Vectors or projection are missing or do not fit the items, the encoder or the content vectors.
    """
    if model is None:
        return None
    _check_encoder(files, model)
    length = files.manifest.interest_length
    if length is None or not 1 <= length <= _MAX_LENGTH:
        raise BundleError(
            f"{files.path / MANIFEST}: interest_length is {length} instead of 1 to {_MAX_LENGTH}; {AGAIN}"
        )
    vectors = files.array(VECTORS, "float32", (n, None))
    files.finite(VECTORS, vectors)
    d = vectors.shape[1]
    if model.golden["interest"].shape[1] != d:
        raise BundleError(
            f"{files.path / VECTORS}: vectors have {d} numbers and the model's answers "
            f"{model.golden['interest'].shape[1]}; {AGAIN}"
        )
    projection = None
    if PROJECTION in files:
        if not content:
            raise BundleError(f"{files.path / PROJECTION}: there are no content vectors to project; {AGAIN}")
        projection = files.array(PROJECTION, "float32", (content, d))
        files.finite(PROJECTION, projection)
    for inputs in every_shape(length, d):
        model.onnx.warm(inputs)
    return InterestModel(model.onnx, vectors, projection, length)


def _check_encoder(files: BundleFiles, model: Model) -> None:
    where, entry = files.path / model.entry.file, model.entry
    if entry.kind != "onnx" or set(entry.inputs) != _INPUTS or set(entry.outputs) != _OUTPUTS:
        raise BundleError(
            f"{where}: takes {', '.join(entry.inputs)} and answers {', '.join(entry.outputs)}, which is no interest "
            f"model; {AGAIN}"
        )
    history = model.golden["history"].shape
    if len(history) != 2 or any(model.golden[name].shape != history for name in _OUTPUTS):
        raise BundleError(f"{where}: does not answer a vector for each shopper; {AGAIN}")


def project(content: Vectors, model: InterestModel) -> Vectors:
    """``float32[m, d]``: vectors of items with content vectors ``float32[m, dc]``; zero without a projection.

    An item has the same vector whatever comes with it: items arrive one by one or all at once.
    """
    if model.projection is None:
        return np.zeros((len(content), model.dimensions), np.float32)
    # Not `@`, whose sums depend on the number of rows.
    found: Vectors = np.einsum("ij,jk->ik", content, model.projection)
    return found
