"""Apostrophes, length marks and ``?`` beside letters: letters of the orthography, or punctuation.

The same character is both: ``'ala mi'o te'`` has three glottal stops, ``'ka mi te'`` may be quoted speech. One text
does not tell, so all texts of a corpus are looked at together, in their order:

- A mark that touches no letter (``ka.'``) is a quotation mark, and so is the mark of the same text that it pairs with.
- An apostrophe is a quotation mark in a corpus where at least 85 % of its uses at word edges open and close in turn,
  at least half of these pairs within one text, unless the words that have it on one edge are mostly written with it
  (``te'`` five times and ``te`` never). Then its pairs are quotation marks, and what has no partner is a letter.
- Elsewhere all that touch a letter are letters.
- ``‘`` pairs with ``’``, so ``’`` at the beginning of a word is a letter where ``‘`` opens quotations. Of two marks at
  one edge (``‘’ala``) the outer is the quotation mark and the inner the letter. ``''`` is a double quotation mark.
- A length mark at the end of a word (``ka:``) is a letter in a corpus that has it inside words at least as often.
- ``?`` is a glottal stop (``ma?a ?ina te?``) in a corpus that has it inside words, at least as often as at their ends.
  Elsewhere it asks, also where a space was forgotten (``ka?na``), or marks what was not heard well (``?ina``).
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

APOSTROPHES = "'’‘‛′＇"
LENGTH_MARKS = ":·•‧∙⋅"
_LOW_QUOTE = "‚"  # opens ‚…‘ and is never a letter
_RUN = re.compile(f"[{APOSTROPHES}{_LOW_QUOTE}]+")
_LENGTH_RUN = re.compile(rf"([{LENGTH_MARKS}])\1*")
_GLOTTAL_STOP = re.compile(r"(?<!\?)\?(?!\?)")
_PAIRED_SHARE = 0.85  # letters that open and close words at random pair in 50 %
_FEWEST_WORDS = 4  # as evidence that a mark belongs to words
_AROUND_WORDS = '.,;:!?¡¿"“”«»()[]{}…–—-'


@dataclass(frozen=True, eq=False)  # two marks are the same only if they are one object
class _Mark:
    """A mark at a word edge, or several: the outer one counts.

    Attributes:
        text: number of its text. at: its place there.
        opens: it stands before a word.
        letter_at: the place of the mark that touches a letter, which is `at` for a single mark; None if none does.
    """

    text: int
    at: int
    character: str
    opens: bool
    letter_at: int | None


def is_letter(text: str, index: int) -> bool:
    """Return whether there is a letter, a combining mark or a digit at `index`; False outside of `text`."""
    return 0 <= index < len(text) and unicodedata.category(text[index])[0] in "LMN"


def letters_at_edges(texts: Sequence[str]) -> list[frozenset[int]]:
    """Return for each text of a corpus the places of apostrophes, length marks and ``?`` that are letters.

    Args:
        texts: in their order, because a quotation may go on in the next text.
    """
    kept: dict[int, set[int]] = defaultdict(set)
    marks = [mark for number, text in enumerate(texts) for mark in _marks(number, text, kept)]
    quotation = _quotation_marks(texts, marks) if marks else set()
    for mark in marks:
        single = mark.letter_at == mark.at
        if mark.letter_at is None or texts[mark.text][mark.letter_at] == _LOW_QUOTE or (single and mark in quotation):
            continue
        kept[mark.text].add(mark.letter_at)
    for number, at in itertools.chain(_length_marks(texts), _glottal_stops(texts)):
        kept[number].add(at)
    return [frozenset(kept.get(number, ())) for number in range(len(texts))]


def _marks(number: int, text: str, inside: dict[int, set[int]]) -> Iterator[_Mark]:
    """Yield the marks at word edges; add the places of those inside words to `inside`."""
    for run in _RUN.finditer(text):
        start, end = run.span()
        before, after = is_letter(text, start - 1), is_letter(text, end)
        if before and after:
            inside[number].update(at for at in range(start, end) if text[at] != _LOW_QUOTE)
        elif run[0] == "''":
            continue
        elif after:
            yield _Mark(number, start, text[start], True, end - 1)
        elif before:
            yield _Mark(number, end - 1, text[end - 1], False, start)
        elif _blank(text, start - 1) != _blank(text, end):
            opens = _blank(text, start - 1)
            yield _Mark(number, start, text[start], opens, None)


def _blank(text: str, index: int) -> bool:
    return not 0 <= index < len(text) or text[index].isspace()


def _quotation_marks(texts: Sequence[str], marks: Sequence[_Mark]) -> set[_Mark]:
    """Return the marks that are quotation marks."""
    found: set[_Mark] = set()
    for opening, closing in _systems(marks):
        used = [m for m in marks if m.character in (opening if m.opens else closing)]
        pairs = list(_pairs(used))
        if _are_quotations(texts, used, pairs, opening, closing):
            found.update(itertools.chain.from_iterable(pairs))
        for pair in pairs:
            if pair[0].text == pair[1].text and None in (pair[0].letter_at, pair[1].letter_at):
                found.update(pair)
    return found


def _systems(marks: Iterable[_Mark]) -> list[tuple[str, str]]:
    """Return the opening marks and the closing mark of each kind of quotation that the corpus may have."""
    openings = {mark.character for mark in marks if mark.opens}
    curly = ("‘‛", "’") if openings & {"‘", "‛"} else ("’", "’")
    return [("'", "'"), ("′", "′"), ("＇", "＇"), curly, (_LOW_QUOTE, "‘")]


def _pairs(used: Iterable[_Mark]) -> Iterator[tuple[_Mark, _Mark]]:
    opened = None
    for mark in used:
        if mark.opens:
            opened = mark
        elif opened:
            yield opened, mark
            opened = None


def _are_quotations(
    texts: Sequence[str], used: Sequence[_Mark], pairs: Sequence[tuple[_Mark, _Mark]], opening: str, closing: str
) -> bool:
    # Where the closing mark has another form, it may be an apostrophe too: only the opening ones must have a partner.
    whole = len(used) / 2 if opening == closing else sum(mark.opens for mark in used)
    within = sum(first.text == last.text for first, last in pairs)
    if not pairs or len(pairs) < _PAIRED_SHARE * whole or 2 * within < len(pairs):
        return False
    return not _belong_to_words({texts[mark.text] for mark in used}, texts, opening + closing)


def _belong_to_words(with_marks: Iterable[str], texts: Iterable[str], marks: str) -> bool:
    """Return whether the words that have one of `marks` on one edge are mostly written with it."""
    marked: Counter[str] = Counter()
    for text in with_marks:
        for word in text.split():
            word = word.strip(_AROUND_WORDS)
            core = word.strip(marks)
            if core and (word[0] in marks) != (word[-1] in marks):
                marked[core.casefold()] += 1
    bare = _occurrences(set(texts), marked)
    again = [word for word in marked if marked[word] + bare[word] > 1]
    with_mark, without = sum(marked[word] for word in again), sum(bare[word] for word in again)
    return with_mark >= _FEWEST_WORDS and with_mark > without


def _occurrences(texts: Iterable[str], words: Container[str]) -> Counter[str]:
    spoken = (word.strip(_AROUND_WORDS).casefold() for text in texts for word in text.split())
    return Counter(word for word in spoken if word in words)


def _length_marks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield number and place of the length marks inside words, and of those at their ends where these are letters."""
    inside, ends = [], []
    for number, text in enumerate(texts):
        for run in _LENGTH_RUN.finditer(text):
            start, end = run.span()
            if not is_letter(text, start - 1):
                continue
            if not is_letter(text, end):
                ends.append((number, start, end, run[0][0]))
            elif not (text[start - 1].isdecimal() and text[end].isdecimal()):  # 10:30
                inside.append((number, start, end, run[0][0]))
    counts, count_of_ends = Counter(mark for *_, mark in inside), Counter(mark for *_, mark in ends)
    letters = [run for run in ends if counts[run[3]] >= count_of_ends[run[3]]]
    for number, start, end, _ in (*inside, *letters):
        yield from ((number, at) for at in range(start, end))


def _glottal_stops(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield number and place of each ``?`` that touches a letter, where these are letters."""
    marks: dict[tuple[bool, bool], list[tuple[int, int]]] = defaultdict(list)  # a letter before, a letter behind
    for number, text in enumerate(texts):
        for mark in _GLOTTAL_STOP.finditer(text):
            sides = is_letter(text, mark.start() - 1), is_letter(text, mark.end())
            marks[sides].append((number, mark.start()))
    inside, first, last = marks[True, True], marks[False, True], marks[True, False]
    if inside and len(inside) >= len(last):
        yield from (*inside, *first, *last)
