"""Texts that have no recording, for the language model: in the spelling of the transcripts, and only what is of use.

Left out and counted are words with characters that the recogniser does not have, sentences of another language, copies,
and sentences of the validation and test splits, whose scores would else be too good.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from u2u_hf.corpus.folder import files_below
from u2u_hf.corpus.text_rules import DEFAULT_RULES, TextRules
from u2u_hf.formats.texts import read_texts, suffixes
from u2u_hf.hub.model_files import optional_file
from u2u_hf.progress_bar import progress_bar, write_line
from u2u_hf.recognition.character_model import GAP
from u2u_hf.recognition.decoding import DELIMITER, Labels
from u2u_hf.records import Skipped, U2UError
from u2u_hf.training.familiarity import Familiarity

OTHER_CHARACTERS = "with characters that the recogniser does not have"
OTHER_LANGUAGE = "that are spelled like another language"
HELD_OUT = "of sentences in validation or test, whose scores they would make too good"
COPIES = "of sentences that were there already"

_SENTENCE_ENDS = ".!?…。！？"
# A sentence with a greater share of words with other characters is left out whole.
_MOST_OTHER_WORDS = 1 / 3
_JUDGED_ALONE = 20  # characters; the shorter sentences of a part are judged together
# A part with a greater share of sentences of another language is left out whole: the rest look familiar by chance.
_MOST_FOREIGN = 0.7
_FEWEST_WORDS = 3  # shorter sentences are said again and again: they are neither copies nor held out
_WORDS_IN_LIST = 1.3  # words a line, at most: then sentences do not begin and end with them


@dataclass(frozen=True)
class Part:
    """Lines of a file that are of one language: all of it, or a column of a table."""

    path: str
    name: str
    lines: Sequence[str]


@dataclass
class OutsideText:
    """What was chosen from texts.

    Attributes:
        sentences: words separated by spaces; `GAP` stands for words that were left out.
        words: file → words that are used.
        left_out: reason → words that are not. examples: reason → the first sentence.
        characters: those that the recogniser does not have → words with them.
        skipped: files that cannot be read.
    """

    sentences: list[str] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    characters: Counter[str] = field(default_factory=Counter)
    skipped: list[Skipped] = field(default_factory=list)

    def leave_out(self, reason: str, sentence: str, words: int) -> None:
        """Count words that are not used; `sentence` is where they stand."""
        self.left_out[reason] += words
        self.examples.setdefault(reason, sentence)

    def report(self) -> str:
        """Return what a user should know, in lines."""
        total = self.words.total() + self.left_out.total()
        lines = [f"texts: {self.words.total():,} of {total:,} words are used, in {len(self.sentences):,} sentences"]
        lines += [f"  {path}: {count:,} words" for path, count in self.words.items()]
        for reason, count in self.left_out.most_common():
            lines.append(f"  not used: {count:,} words {reason}, such as: {self.examples[reason][:70]}")
        if self.characters:
            found = " ".join(f"{character} ({count:,})" for character, count in self.characters.most_common(12))
            lines.append(f"  these characters (and words with them): {found}")
        return "\n".join([*lines, *(f"! {skipped.where}: {skipped.reason}" for skipped in self.skipped)])


def read_parts(paths: Sequence[str]) -> tuple[list[Part], list[Skipped]]:
    """Return the parts of all files of texts, and the files that cannot be read.

    Args:
        paths: files, or folders with files; other kinds of files in a folder are counted as one that is skipped.

    Raises:
        U2UError: a file or folder is missing, or a file that is named cannot be read, or there is none.
    """
    parts: list[Part] = []
    skipped: list[Skipped] = []
    others: Counter[str] = Counter()
    for given in map(Path, paths):
        if not given.exists():
            raise U2UError(f"--texts {given}: there is no such file or folder")
        found, unusable = files_below(given) if given.is_dir() else ([given], [])
        skipped += unusable
        for path in found:
            if given.is_dir() and path.suffix.lower() not in suffixes():
                others[path.suffix.lower() or path.name] += 1
                continue
            try:
                parts += [Part(str(path), name, lines) for name, lines in read_texts(path).items()]
            except U2UError as error:
                if not given.is_dir():
                    raise
                skipped.append(Skipped(str(path), str(error).removeprefix(f"{path}: ")))
    if others:
        kinds = ", ".join(f"{count} × {suffix}" for suffix, count in others.most_common(8))
        skipped.append(Skipped("files of other kinds", f"not read: {kinds} (read are {', '.join(suffixes())})", False))
    if paths and not any(line.strip() for part in parts for line in part.lines):
        problem = next((one for one in skipped if one.is_problem), None)
        why = (
            f"{problem.where}: {problem.reason}" if problem else f"read are files of the kinds {', '.join(suffixes())}"
        )
        raise U2UError(f"--texts: no text was found; {why}")
    return parts, skipped


def rules_of(dataset: str) -> list[Mapping[str, Any]]:
    """Return the text rules with which a dataset was prepared, or, with a message, the default ones.

    Raises:
        U2UError: that file cannot be read.
    """
    path = optional_file(dataset, "prepare.yaml", "dataset")
    if path is None:
        write_line(f"! {dataset}: no prepare.yaml is found there: texts are spelled by the default text rules")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8")) if path else {}
        return list((settings or {}).get("rules", DEFAULT_RULES))
    except (OSError, ValueError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise U2UError(f"{path}: is damaged: prepare the dataset again with recipes/prepare.py") from error


def choose(
    parts: Sequence[Part],
    rules: Sequence[Mapping[str, Any]],
    labels: Labels,
    transcripts: Mapping[str, Sequence[str]],
    annotations: Sequence[str],
) -> OutsideText:
    """Return what the language model can learn from texts.

    Args:
        rules: text rules of the transcripts.
        transcripts: the texts of each split, those of a speaker in a recording in order of time; train and validation
            have some.
        annotations: the transcripts before the rules: they tell whether a mark is a letter here, see `edge_marks`.
    """
    letters = {symbol for symbol in labels.symbols if symbol and symbol != DELIMITER}
    split = _sentence_splitter(letters)
    raws = [[sentence for line in part.lines for sentence in split(line)] for part in parts]
    spelled = TextRules(_without_alphabet(rules)).of_corpus([*annotations, *(s for part in raws for s in part)])
    sentences = iter(spelled[len(annotations) :])
    found = OutsideText()
    familiarity = Familiarity(transcripts["train"], transcripts["validation"])
    held_out = _HeldOut([texts for name, texts in transcripts.items() if name != "train"], transcripts["train"])
    known = {text for text in transcripts["train"] if _is_long(text)}
    for part, raw in progress_bar([*zip(parts, raws, strict=True)], desc="choosing texts", unit="part"):
        of_part = [text for text in (next(sentences) for _ in raw) if text]
        words = sum(len(text.split()) for text in of_part)
        is_list = len(of_part) > 1 and words <= _WORDS_IN_LIST * len(of_part)
        usable = [cut for text in of_part if (cut := _spelled(text, letters, found))]
        for sentence in _of_language(usable, familiarity, found):
            if held_out.has(sentence):
                found.leave_out(HELD_OUT, sentence, _count(sentence))
            elif sentence in known:
                found.leave_out(COPIES, sentence, _count(sentence))
            else:
                if _is_long(sentence):
                    known.add(sentence)
                found.sentences.append(f"{GAP} {sentence} {GAP}" if is_list else sentence)
                found.words[part.path] += _count(sentence)
    return found


def _sentence_splitter(letters: Iterable[str]) -> Callable[[str], list[str]]:
    ends = "".join(mark for mark in _SENTENCE_ENDS if mark not in letters)
    pattern = re.compile(rf"(?<=[{re.escape(ends)}])[\"'”’»)\]]*\s+")
    return lambda line: [sentence for sentence in pattern.split(line) if sentence.strip()]


def _without_alphabet(rules: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rules, but letters that an alphabet lacks stay: they tell words of other languages."""
    changed: list[Mapping[str, Any]] = []
    for rule in rules:
        alphabet = str(rule.get("alphabet") or "") if isinstance(rule, Mapping) else ""
        others = {"regex": {rf"[^\w\s{re.escape(alphabet)}]|(?![{re.escape(alphabet)}])_": ""}} if alphabet else None
        changed.append(others or rule)
    return changed


def _spelled(text: str, letters: set[str], found: OutsideText) -> str:
    """Return a sentence with `GAP` for words with other characters; empty if these are many."""
    words = text.split()
    kept = [word if letters.issuperset(word) else GAP for word in words]
    other = [word for word, own in zip(words, kept, strict=True) if own == GAP]
    found.characters.update(character for word in other for character in {*word} - letters)
    if len(other) > _MOST_OTHER_WORDS * len(words):
        found.leave_out(OTHER_CHARACTERS, text, len(words))
        return ""
    if other:
        found.leave_out(OTHER_CHARACTERS, text, len(other))
    return " ".join(kept)


def _of_language(sentences: Sequence[str], familiarity: Familiarity, found: OutsideText) -> list[str]:
    """Return the sentences of a part that are of the transcripts' language."""
    gains = [familiarity.gain(sentence) for sentence in sentences]
    short = [gain for gain in gains if gain.characters < _JUDGED_ALONE]
    short_is_familiar = familiarity.is_familiar(short)
    familiar = [
        short_is_familiar if gain.characters < _JUDGED_ALONE else familiarity.is_familiar([gain]) for gain in gains
    ]
    foreign = sum(gain.characters for gain, own in zip(gains, familiar, strict=True) if not own)
    if foreign > _MOST_FOREIGN * sum(gain.characters for gain in gains):
        familiar = [False] * len(gains)
    for sentence, own in zip(sentences, familiar, strict=True):
        if not own:
            found.leave_out(OTHER_LANGUAGE, sentence, _count(sentence))
    return [sentence for sentence, own in zip(sentences, familiar, strict=True) if own]


def _count(sentence: str) -> int:
    return sum(word != GAP for word in sentence.split())


def _is_long(sentence: str) -> bool:
    return len(sentence.split()) >= _FEWEST_WORDS


def _trigrams(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield each three words in a row, and these with `GAP` for the middle one, which a text may have lost."""
    for at in range(len(words) - 2):
        first, middle, last = words[at : at + 3]
        yield first, middle, last
        yield first, GAP, last


class _HeldOut:
    """Finds sentences of validation and test in texts, also where these are segmented otherwise than the recordings."""

    def __init__(self, splits: Sequence[Sequence[str]], train: Iterable[str]):
        """Args: splits: the texts of validation and test; those of a speaker in a recording are in order of time."""
        words = [text.split() for texts in splits for text in texts if _is_long(text)]
        self._all = "\n".join(f" {' '.join(own)} " for own in words)
        self._by_beginning: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
        for own in words:
            self._by_beginning[tuple(own[:_FEWEST_WORDS])].append(own)
        # Joined, because a sentence of a text may begin in one utterance and end in the next.
        self._trigrams = {three for texts in splits for three in _trigrams(" ".join(texts).split())}
        for text in train:  # they give nothing away, because the language model learns them there
            self._trigrams.difference_update(_trigrams(text.split()))

    def has(self, sentence: str) -> bool:
        """Return whether the sentence is held out.

        It is if it contains an utterance of validation or test, or an utterance contains it, or at least half of its
        words lie in trigrams that these splits have and train has not. Sentences of one or two words never are.
        """
        words = sentence.split()
        if len(words) < _FEWEST_WORDS:
            return False
        if f" {sentence} " in self._all or any(
            words[at : at + len(own)] == own
            for at in range(len(words) - _FEWEST_WORDS + 1)
            for own in self._by_beginning.get(tuple(words[at : at + _FEWEST_WORDS]), ())
        ):
            return True
        found = {
            at + i for at in range(len(words) - 2) if tuple(words[at : at + 3]) in self._trigrams for i in range(3)
        }
        return bool(found) and 2 * sum(words[at] != GAP for at in found) >= _count(sentence)
