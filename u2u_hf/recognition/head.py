"""The head of a CTC model that somebody has trained, brought over to another alphabet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedTokenizer

from u2u_hf.recognition.decoding import DELIMITER
from u2u_hf.recognition.families.family import ModelFamily

_SPACES = (" ", "▁")  # word delimiters of vocabularies that name none
_MMS_LANGUAGE = "eng"  # whose adapters transformers loads if none is named


@dataclass(frozen=True)
class TrainedHead:
    """The labels of a trained head.

    Attributes:
        index: symbol → row; special tokens included.
        size: number of rows.
        blank, unknown, delimiter: rows, or None.
    """

    index: Mapping[str, int]
    size: int
    blank: int | None
    unknown: int | None
    delimiter: int | None

    def rows_for(self, tokenizer: PreTrainedTokenizer) -> dict[int, int]:
        """Return our label → the row that stands for the same, in either case, of each label that the head knows."""
        ours = tokenizer.get_vocab()
        special = {tokenizer.pad_token: self.blank, tokenizer.unk_token: self.unknown, DELIMITER: self.delimiter}
        rows = {label: special[s] if s in special else self._row(s) for s, label in ours.items()}
        return {label: row for label, row in rows.items() if row is not None}

    def _row(self, symbol: str) -> int | None:
        """Return the row of a character, or of its other case: many English recognisers know capitals alone."""
        forms = (symbol, symbol.upper(), symbol.lower())
        return next((self.index[form] for form in forms if form in self.index), None)


def trained_head(
    config: PreTrainedConfig, family: ModelFamily, vocabulary: Any, settings: Mapping[str, Any]
) -> TrainedHead:
    """Return the labels of a trained model.

    Args:
        vocabulary: of its vocab.json: symbol → row; or language → symbol → row, as MMS has it.
        settings: of its tokenizer_config.json.

    Raises:
        ValueError: the vocabulary does not fit the model.
    """
    if not isinstance(vocabulary, dict):
        raise ValueError("its vocabulary is damaged")
    if vocabulary and all(isinstance(value, dict) for value in vocabulary.values()):
        vocabulary = vocabulary.get(settings.get("target_lang") or _MMS_LANGUAGE, {})
    if not vocabulary or not all(isinstance(row, int) and row >= 0 for row in vocabulary.values()):
        raise ValueError("its vocabulary is damaged")
    if max(vocabulary.values()) >= config.vocab_size:
        raise ValueError(f"it has {config.vocab_size} outputs but a vocabulary of {len(vocabulary)}")
    named = {key: _content(settings.get(key)) for key in ("unk_token", "word_delimiter_token")}
    delimiters = (named["word_delimiter_token"], DELIMITER, *_SPACES)
    return TrainedHead(
        vocabulary,
        config.vocab_size,
        family.blank(config),
        vocabulary.get(named["unk_token"]),
        next((vocabulary[symbol] for symbol in delimiters if symbol in vocabulary), None),
    )


def read_vocabulary(vocabulary: Path | None, tokenizer: Path | None) -> Any:
    """Return the labels in a vocab.json, or in a tokenizer.json without one; None if there is neither.

    Raises:
        OSError, ValueError, LookupError, TypeError: the file is damaged.
    """
    if vocabulary:
        return json.loads(vocabulary.read_text(encoding="utf-8"))
    if not tokenizer:
        return None
    found = json.loads(tokenizer.read_text(encoding="utf-8"))
    model = found["model"]["vocab"]
    pairs = model.items() if isinstance(model, dict) else ((row[0], index) for index, row in enumerate(model))
    return dict(pairs) | {token["content"]: token["id"] for token in found.get("added_tokens", ())}


def _content(token: Any) -> Any:
    """Return a special token as text: some files have it with its properties."""
    return token.get("content") if isinstance(token, dict) else token


def brought_over(head: torch.nn.Linear, rows: Mapping[int, int], labels: int, std: float) -> torch.nn.Linear:
    """Return a head of so many labels, with rows of another one where `rows` has them and random ones elsewhere."""
    new = torch.nn.Linear(head.in_features, labels, dtype=head.weight.dtype)
    torch.nn.init.normal_(new.weight, std=std)
    torch.nn.init.zeros_(new.bias)
    with torch.no_grad():
        for label, row in rows.items():
            new.weight[label], new.bias[label] = head.weight[row], head.bias[row]
    return new
