"""A language model of characters, learned from the training texts.

Of characters rather than words: a field corpus is small, and in a language with long words many occur once or never.
Smoothing is Witten and Bell's (1991), interpolated: the more different characters follow a context of n characters in
the texts, the more the context of the last n - 1 counts. By hand rather than with KenLM, which is compiled, and whose
smoothing (Kneser-Ney) needs more text than this.
"""

from __future__ import annotations

import gzip
import json
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.files import replacing, write_text
from u2u_hf.hub.model_files import optional_file
from u2u_hf.memory import memory_problem
from u2u_hf.model_folder import ARPA, ARPA_WEIGHTS, LANGUAGE_MODEL
from u2u_hf.recognition.decoding import DELIMITER
from u2u_hf.records import U2UError

# One character each in n-grams; ARPA files spell them as usual.
START, END = "\x02", "\x03"
_NAMES = {START: "<s>", END: "</s>"}
_LOG10 = math.log(10)


@dataclass(frozen=True)
class LanguageModel:
    """Log-probabilities of characters in context, and their weight in decoding.

    Attributes:
        order: characters in the longest n-grams.
        log_probs: n-gram (a string) → natural log of the probability of its last character after the others.
        backoffs: n-gram → what is added if a longer one is not in `log_probs`, natural log.
        unknown: natural log of the probability of a character that the texts do not contain.
        weight: factor of the language model's log-probabilities, added to the recogniser's.
        bonus: added for each character, because a language model favours short texts.
    """

    order: int
    log_probs: dict[str, float]
    backoffs: dict[str, float]
    unknown: float
    weight: float = 0.5
    bonus: float = 0.0

    def log_prob(self, text: str, character: str) -> float:
        """Return the natural log of the probability that `character` follows `text`, which begins with `START`."""
        context, backoff = text[-(self.order - 1) :] if self.order > 1 else "", 0.0
        while (found := self.log_probs.get(context + character)) is None:
            if not context:
                return backoff + self.unknown
            backoff += self.backoffs.get(context, 0.0)
            context = context[1:]
        return backoff + found


def learn(texts: Iterable[str], order: int = 6) -> LanguageModel:
    """Return a language model of texts, with its default weight and bonus.

    Args:
        order: characters in the longest n-grams, 1 to 20.

    Raises:
        U2UError: the texts have no characters, or the order is invalid.
    """
    if not 1 <= order <= 20:
        raise U2UError(f"--order {order}: give a number of characters from 1 to 20, 6 for example")
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))  # context → next character → count
    for text in texts:
        characters = START + DELIMITER.join(text.split()) + END
        for at in range(1, len(characters)):
            for length in range(min(order - 1, at) + 1):
                counts[characters[at - length : at]][characters[at]] += 1
    if len(counts[""]) < 2:  # only END
        raise U2UError("the training texts hold no character to learn: look at the dataset's text column")
    uniform = 1 / (len(counts[""]) + 1)  # one more for unknown characters
    probabilities: dict[str, float] = {}
    backoffs: dict[str, float] = {}
    for context in sorted(counts, key=len):  # shorter contexts first
        following = counts[context]
        backoffs[context] = len(following) / (len(following) + sum(following.values()))
        for character, count in following.items():
            lower = probabilities[context[1:] + character] if context else uniform
            own = count / (len(following) + sum(following.values()))
            probabilities[context + character] = own + backoffs[context] * lower
    unknown = backoffs.pop("") * uniform
    logs = ({key: math.log(value) for key, value in table.items()} for table in (probabilities, backoffs))
    return LanguageModel(order, *logs, math.log(unknown))


def save(language_model: LanguageModel, folder: Path) -> None:
    """Write the language model into a recogniser's folder: n-grams in ARPA format, weight and bonus as JSON.

    Raises:
        U2UError: the folder cannot be written, or holds other files of these names.
    """
    require_own(folder)
    by_length: dict[int, list[str]] = defaultdict(list)
    for ngram in sorted(language_model.log_probs):
        by_length[len(ngram)].append(_line(ngram, language_model.log_probs[ngram], language_model.backoffs.get(ngram)))
    # START follows nothing and needs no probability, but ARPA stores its backoff beside one.
    by_length[1].append(_line(START, -99 * _LOG10, language_model.backoffs.get(START)))
    by_length[1].append(f"{language_model.unknown / _LOG10:.7f}\t<unk>")
    lines = ["\\data\\", *(f"ngram {length}={len(rows)}" for length, rows in sorted(by_length.items())), ""]
    for length, rows in sorted(by_length.items()):
        lines += [f"\\{length}-grams:", *rows, ""]
    with replacing(Path(folder) / LANGUAGE_MODEL / ARPA) as temporary:
        temporary.write_bytes(gzip.compress("\n".join([*lines, "\\end\\", ""]).encode("utf-8"), mtime=0))
    weights = {"weight": language_model.weight, "bonus": language_model.bonus}
    write_text(Path(folder) / LANGUAGE_MODEL / ARPA_WEIGHTS, json.dumps(weights, indent=2) + "\n")


def _line(ngram: str, log_prob: float, backoff: float | None) -> str:
    spelled = " ".join(_NAMES.get(character, character) for character in ngram)
    parts = [f"{log_prob / _LOG10:.7f}", spelled]
    return "\t".join([*parts, f"{backoff / _LOG10:.7f}"] if backoff is not None else parts)


def require_own(folder: Path) -> None:
    """Raise U2UError if a recogniser's folder has a language model that `save` did not write."""
    if not _is_own(path := Path(folder) / LANGUAGE_MODEL / ARPA_WEIGHTS):
        raise U2UError(f"{path}: was not made by language_model.py: move it away, or give --output_dir")


def _is_own(path: Path) -> bool:
    """Return whether the file of weights is missing or was written by `save`."""
    try:
        return not os.path.lexists(path) or set(json.loads(path.read_text(encoding="utf-8"))) == {"weight", "bonus"}
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
        lines = gzip.decompress(arpa_path.read_bytes()).decode("utf-8").split("\n")
        return _from_arpa(lines, float(weights["weight"]), float(weights["bonus"]))
    except Exception as error:  # of gzip, zlib, json and ours
        problem = memory_problem(error) or "it is damaged: make it again with recipes/language_model.py, or remove it"
        raise U2UError(f"{arpa_path.parent}: the language model cannot be read: {problem}") from error


def _from_arpa(lines: Sequence[str], weight: float, bonus: float) -> LanguageModel:
    characters = {name: character for character, name in _NAMES.items()}
    log_probs: dict[str, float] = {}
    backoffs: dict[str, float] = {}
    order = 0
    if "\\end\\" not in lines:
        raise ValueError("it has no end")
    for line in lines:
        if line.endswith("-grams:"):
            order = int(line[1:].split("-")[0])
        elif "\t" in line:
            log10, spelled, *backoff = line.split("\t")
            ngram = "".join(characters.get(part, part) for part in spelled.split(" "))
            log_probs[ngram] = float(log10) * _LOG10
            if backoff:
                backoffs[ngram] = float(backoff[0]) * _LOG10
    del log_probs[START]
    if not all(map(math.isfinite, (weight, bonus, *log_probs.values(), *backoffs.values()))):
        raise ValueError("a number is not finite")
    return LanguageModel(order, log_probs, backoffs, log_probs.pop("<unk>"), weight, bonus)
