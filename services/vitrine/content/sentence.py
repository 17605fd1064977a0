"""A sentence encoder: an ONNX model with its tokenizer, given at training and carried by the bundle."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from vitrine.config import InferenceConfig
from vitrine.content.model import Vectors, unit
from vitrine.content.text import sentence
from vitrine.domain.items import Item
from vitrine.errors import InferenceError, InvalidInput
from vitrine.inference import OnnxModel

log = logging.getLogger(__name__)

MODEL, TOKENIZER = "encoder/model.onnx", "encoder/tokenizer.json"
_MAX_TOKENS = 256
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


class SentenceEncoder:
    """Mean of the token vectors over the attention mask, brought to length 1 (Reimers & Gurevych, EMNLP 2019).

    Texts are encoded one at a time: then nothing is padded, and a text has the same vector in every batch.

    Attributes:
        dimensions: Length d of a vector.
        provider: What runs the model.
    """

    kind = "sentence"

    def __init__(self, model: bytes, tokenizer: bytes) -> None:
        """Makes an encoder from the contents of its two files.

        Raises:
            ValueError: One of them cannot be used; says which and why.
        """
        self._model_bytes, self._tokenizer_bytes = model, tokenizer
        try:
            self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        except Exception as error:  # noqa: BLE001 - the library raises bare exceptions
            raise ValueError(f"tokenizer.json is not a tokenizer ({error})") from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        # On a GPU each length of text would be a new shape, and it stalls on each.
        self._model = OnnxModel(model, InferenceConfig(provider="cpu"))
        self.provider = self._model.provider
        strange = set(self._model.inputs) - _INPUTS
        if strange or "input_ids" not in self._model.inputs:
            raise ValueError(
                f"the model's inputs are {', '.join(self._model.inputs)}; a sentence encoder takes input_ids, "
                "attention_mask and perhaps token_type_ids"
            )
        try:
            probe = self._token_vectors("a")
        except InferenceError as error:
            raise ValueError(str(error)) from None
        if probe.ndim != 3 or probe.shape[0] != 1:
            raise ValueError(
                f"the model's first output has shape {probe.shape}; wanted: batch, tokens, dimensions"
            )
        self.dimensions = int(probe.shape[2])

    @classmethod
    def open(cls, model: Path) -> Self:
        """Reads a model and the ``tokenizer.json`` beside it.

        Raises:
            InvalidInput: A file is missing or cannot be used.
        """
        tokenizer = model.with_name("tokenizer.json")
        for path in (model, tokenizer):
            if not path.is_file():
                raise InvalidInput(
                    "encoder",
                    f"{path} does not exist; give the path of an .onnx file with tokenizer.json beside it",
                )
        try:
            return cls(model.read_bytes(), tokenizer.read_bytes())
        except ValueError as error:
            raise InvalidInput("encoder", f"{model}: {error}") from None

    def encode(self, items: Sequence[Item]) -> Vectors:
        """``float32[m, d]``, unit length; a zero row for an item without text."""
        return self.encode_text([sentence(i) for i in items])

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """The same for free texts, such as queries."""
        sums = np.zeros((len(texts), self.dimensions))
        for row, text in enumerate(texts):
            if text:
                try:
                    sums[row] = self._token_vectors(text)[0].mean(axis=0, dtype=np.float64)
                except InferenceError as error:
                    log.warning("a text of %d characters has no vector: %s", len(text), error)
        return unit(sums)

    def files(self) -> Mapping[str, npt.NDArray[np.generic] | bytes]:
        """What to store in a bundle, by file name."""
        return {MODEL: self._model_bytes, TOKENIZER: self._tokenizer_bytes}

    def _token_vectors(self, text: str) -> npt.NDArray[np.generic]:
        encoded = self._tokenizer.encode(text)
        columns = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        feeds = {n: np.array([columns[n]], np.int64) for n in self._model.inputs}
        return self._model.run(feeds, budget=math.inf)[self._model.outputs[0]]
