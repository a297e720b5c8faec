"""A recogniser's processor (feature extractor and tokenizer) read from its files, without transformers.

By hand, because transformers imports torch for a processor, which takes seconds, and an exported model needs of it only
the labels and whether samples are normalised. Only files as recipes/train.py writes them are read here; who has others
asks transformers (`model.load_processor`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from u2u_hf.data.inputs import KINDS, Inputs
from u2u_hf.frames import SAMPLING_RATE, delay_ms
from u2u_hf.hub.model_files import optional_file
from u2u_hf.model_folder import PREPROCESSOR, PROCESSOR, TOKENIZER, VOCABULARY
from u2u_hf.recognition.decoding import Labels

_TOKENIZER_CLASS = "Wav2Vec2CTCTokenizer"
# Special tokens and their names where tokenizer_config.json has none, in Wav2Vec2CTCTokenizer.
_SPECIAL = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}


class NotPlainError(ValueError):
    """The files are damaged, or not as recipes/train.py writes them; the message names the file."""


@dataclass(frozen=True)
class PlainProcessor:
    """What recognition needs of a processor.

    Attributes:
        inputs: the kind of its feature extractor.
        normalise: whether an exported model takes normalised samples, see `input_of_export`.
        labels: of its tokenizer, with the delay of the inputs.
    """

    inputs: Inputs
    normalise: bool
    labels: Labels


def plain_processor(source: str) -> PlainProcessor:
    """Return the processor of a recogniser.

    Args:
        source: folder or Hub name.

    Raises:
        NotPlainError: its files are not as recipes/train.py writes them.
        U2UError: `source` is neither a folder nor a model on the Hub, or may not be read.
    """
    nested = (_json(source, PROCESSOR) or {}).get(
        "feature_extractor"
    )  # which transformers prefers to a file of its own
    if nested is None:
        inputs, normalise = _extractor(_json(source, PREPROCESSOR), PREPROCESSOR)
    else:
        inputs, normalise = _extractor(nested, PROCESSOR)
    labels = _labels(_json(source, VOCABULARY), _json(source, TOKENIZER))
    return PlainProcessor(
        inputs, inputs.normalised and normalise, replace(labels, delay_ms=delay_ms(inputs.receptive_field))
    )


def _json(source: str, name: str) -> Any:
    path = optional_file(source, name)
    if path is None:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise NotPlainError(f"its {name} is damaged") from error
    if not isinstance(found, dict):
        raise NotPlainError(f"its {name} is damaged")
    return found


def _extractor(settings: Any, name: str) -> tuple[Inputs, bool]:
    """Return the kind of a feature extractor, and whether it normalises, from its settings in the file `name`."""
    settings = _required(settings, name)
    kinds = {kind.extractor: kind for kind in KINDS}
    kind, normalises = settings.get("feature_extractor_type"), settings.get("do_normalize", True)
    is_plain = isinstance(kind, str) and kind in kinds and isinstance(normalises, bool) and "auto_map" not in settings
    if not is_plain or settings.get("sampling_rate", SAMPLING_RATE) != SAMPLING_RATE:
        raise NotPlainError(f"its {name} is not as recipes/train.py writes it")
    return kinds[kind], normalises


def _labels(vocabulary: Any, settings: Any) -> Labels:
    """Return the labels of a Wav2Vec2CTCTokenizer, as `tokenizer.labels_of` does."""
    vocabulary, settings = _required(vocabulary, VOCABULARY), _required(settings, TOKENIZER)
    if sorted(filter(_is_label, vocabulary.values())) != list(range(len(vocabulary))):
        raise NotPlainError(f"its {VOCABULARY} does not number its labels from 0")
    special = {key: settings.get(key, name) for key, name in _SPECIAL.items()}
    # Tokens that the vocabulary lacks would be further labels.
    tokens = [value for key, value in settings.items() if key.endswith("_token")] + list(special.values())
    added = settings.get("added_tokens_decoder")
    is_plain = (
        settings.get("tokenizer_class") == _TOKENIZER_CLASS
        and settings.get("target_lang") is None
        and not any(settings.get(key) for key in ("extra_special_tokens", "additional_special_tokens", "auto_map"))
        and all(token is None or (isinstance(token, str) and token in vocabulary) for token in tokens)
        and isinstance(added, dict)
        and all(_content(token) in vocabulary and str(vocabulary[token["content"]]) == i for i, token in added.items())
        and special["pad_token"] is not None
    )
    if not is_plain:
        raise NotPlainError(f"its {TOKENIZER} is not as recipes/train.py writes it")
    in_order = sorted(vocabulary, key=vocabulary.__getitem__)
    symbols = tuple("" if symbol in special.values() else symbol for symbol in in_order)
    try:
        "".join(symbols).encode("utf-8")
    except UnicodeEncodeError as error:  # half a character, which JSON can spell
        raise NotPlainError(f"its {VOCABULARY} is damaged") from error
    return Labels(symbols, vocabulary[special["pad_token"]])


def _required(found: Any, name: str) -> Mapping[str, Any]:
    if not found or not isinstance(found, dict):
        raise NotPlainError(f"it has no {name}" if found is None else f"its {name} is damaged")
    return found


def _is_label(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _content(token: Any) -> str | None:
    content = token.get("content") if isinstance(token, dict) else None
    return content if isinstance(content, str) else None
