"""A recogniser's language model: characters and words of texts, with their weights in decoding.

Words that the texts contain are expected in their context; any other word is spelled as the character model spells. So
each character has a probability after any text, and the probabilities of all characters sum to one:

    share · (words in context, backing off to letters) + (1 - share) · letters
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from u2u_hf import model_folder
from u2u_hf.files import reason, write_text
from u2u_hf.hub.model_files import optional_file
from u2u_hf.memory import memory_problem
from u2u_hf.model_folder import ARPA, ARPA_WEIGHTS, ARPA_WORDS, LANGUAGE_MODEL
from u2u_hf.recognition import character_model, word_model
from u2u_hf.recognition.character_model import END, START, CharacterModel
from u2u_hf.recognition.decoding import DELIMITER
from u2u_hf.recognition.word_model import Spelling, WordModel
from u2u_hf.records import U2UError

_LEAST = 1e-300  # added, because the logarithm of 0 is no number
_WEIGHTS = {"weight", "bonus"}  # of models before there were words, which have no "share"


@dataclass(frozen=True)
class LanguageModel:
    """What characters are probable after a text, and how much this counts in decoding.

    Attributes:
        words: None for a model of characters alone.
        share: of the word model, 0 to 1; the characters have the rest.
        weight: factor of the language model's log-probabilities, added to the recogniser's.
        bonus: added for each character, because a language model favours short texts.
    """

    characters: CharacterModel
    words: WordModel | None = None
    share: float = 0.0
    weight: float = 0.5
    bonus: float = 0.0

    def start(self) -> State:
        """Return the state at the beginning of a text."""
        spelling = self.words.start(self.share) if self.words and self.share else None
        return State(self.characters, START, spelling, spelling.mass if spelling else 0.0)


class State:
    """The end of a text: what the next character depends on. It remembers what it was asked."""

    __slots__ = ("_characters", "_found", "_known", "_spelling", "_tail")

    def __init__(self, characters: CharacterModel, tail: str, spelling: Spelling | None, known: float):
        """Args: known: how probable it is that the word which is being spelled is taken from the word model, 0…1."""
        self._characters, self._tail = characters, tail
        self._spelling, self._known = spelling, known
        self._found: dict[str, tuple[float, Spelling | None, float]] = {}

    def log_prob(self, character: str) -> float:
        """Return the natural log of the probability of the next character; `END` is the end of the text."""
        return self._next(character)[0]

    def after(self, character: str) -> State:
        """Return the state when one more character is written."""
        _, spelling, known = self._next(character)
        if character == DELIMITER and spelling:
            spelling = spelling.next_word()
            known = spelling.mass
        order = self._characters.order
        return State(self._characters, f"{self._tail}{character}"[-max(order - 1, 1) :], spelling, known)

    def _next(self, character: str) -> tuple[float, Spelling | None, float]:
        """Return the log-probability of a character, and the spelling and `known` with it."""
        found = self._found.get(character)
        if found is None:
            found = self._found[character] = self._asked(character)
        return found

    def _asked(self, character: str) -> tuple[float, Spelling | None, float]:
        letters = self._characters.log_prob(self._tail, character)
        if self._spelling is None:
            return letters, None, 0.0
        if character not in (DELIMITER, END):
            spelling = self._spelling.longer(character)
            return self._mixed(spelling, letters, 0.0)
        # The end of a word: the words say how probable it is, the characters whether the text ends with it.
        other = self._characters.log_prob(self._tail, END if character == DELIMITER else DELIMITER)
        either = math.log(math.exp(letters) + math.exp(other) + _LEAST)
        return self._mixed(self._spelling.whole(), either, letters - either)

    def _mixed(self, spelling: Spelling, letters: float, more: float) -> tuple[float, Spelling, float]:
        rest = max(1 - self._known, 0.0)
        if not spelling.mass or not self._known:
            return (letters + math.log(rest + _LEAST) if self._known else letters) + more, spelling, 0.0
        known = self._known * spelling.mass / self._spelling.mass
        whole = known + rest * math.exp(letters) + _LEAST
        return math.log(whole) + more, spelling, min(known / whole, 1.0)


def learn(texts: Iterable[str], order: int = 6) -> LanguageModel:
    """Return a language model of texts, with its default weights.

    Args:
        texts: words separated by spaces; `character_model.GAP` stands for words that were left out.
        order: characters in the longest n-grams, 1 to 20.

    Raises:
        U2UError: the texts have no characters, or the order is invalid.
    """
    texts = list(texts)
    return LanguageModel(character_model.learn(texts, order), word_model.learn(texts))


def save(language_model: LanguageModel, folder: Path) -> None:
    """Write the language model into a recogniser's folder: n-grams in ARPA format, weights as JSON.

    The words are written only if they have a share. An earlier language model stays until all files are written.

    Raises:
        U2UError: the folder cannot be written, or holds other files of these names.
    """
    require_own(folder)
    own, new = Path(folder) / LANGUAGE_MODEL, Path(folder) / f".new_{LANGUAGE_MODEL}"
    weights = {name: getattr(language_model, name) for name in ("weight", "bonus", "share")}
    try:
        shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
        new.mkdir(parents=True)
        character_model.save(language_model.characters, new / ARPA)
        if language_model.words and language_model.share:
            word_model.save(language_model.words, new / ARPA_WORDS)
        write_text(new / ARPA_WEIGHTS, json.dumps(weights, indent=2) + "\n")
        # Weights go first and come last: if this is killed between, there is none, not a mixture of two.
        (own / ARPA_WEIGHTS).unlink(missing_ok=True)
        model_folder.remove(Path(folder), LANGUAGE_MODEL)
        own.mkdir(exist_ok=True)
        for path in sorted(new.iterdir(), key=lambda path: path.name == ARPA_WEIGHTS):
            shutil.move(path, own / path.name)
    except OSError as error:
        raise U2UError(f"{own}: cannot be written ({reason(error, own)})") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def require_own(folder: Path) -> None:
    """Raise U2UError if a recogniser's folder has a language model that `save` did not write."""
    if not _is_own(path := Path(folder) / LANGUAGE_MODEL / ARPA_WEIGHTS):
        raise U2UError(f"{path}: was not made by language_model.py: move it away, or give --output_dir")


def _is_own(path: Path) -> bool:
    """Return whether the file of weights is missing or was written by `save`."""
    try:
        return not os.path.lexists(path) or set(json.loads(path.read_text(encoding="utf-8"))) - {"share"} == _WEIGHTS
    except (OSError, ValueError, TypeError):
        return False


def load(source: str) -> LanguageModel | None:
    """Return the language model of a recogniser, or None if it has none.

    Args:
        source: folder or Hub name of the recogniser.

    Raises:
        U2UError: the files are damaged.
    """
    weights_path, arpa_path = (optional_file(source, f"{LANGUAGE_MODEL}/{name}") for name in (ARPA_WEIGHTS, ARPA))
    if weights_path is None or arpa_path is None:
        return None
    try:
        weights = json.loads(weights_path.read_text(encoding="utf-8"))
        numbers = {name: float(weights[name]) for name in _WEIGHTS} | {"share": float(weights.get("share", 0))}
        if not (all(map(math.isfinite, numbers.values())) and 0 <= numbers["share"] <= 1):
            raise ValueError("a weight is invalid")
        words_path = optional_file(source, f"{LANGUAGE_MODEL}/{ARPA_WORDS}") if numbers["share"] else None
        if numbers["share"] and words_path is None:
            raise FileNotFoundError(ARPA_WORDS)
        words = word_model.load(words_path) if words_path else None
        return LanguageModel(character_model.load(arpa_path), words, **numbers)
    except Exception as error:  # of gzip, zlib, json and ours
        problem = memory_problem(error)
        if isinstance(error, FileNotFoundError) and not Path(source).is_dir():  # it gave the others before
            problem = f"the Hub does not give its {ARPA_WORDS}: check the internet connection and try again"
        problem = problem or "it is damaged: make it again with recipes/language_model.py, or remove it"
        raise U2UError(f"{arpa_path.parent}: the language model cannot be read: {problem}") from error
