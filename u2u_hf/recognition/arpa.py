"""n-grams in a file: ARPA, the format of SRILM and KenLM, gzipped."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from u2u_hf.files import replacing

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
_LOG10 = math.log(10)
_ROUNDING = 1e-5
# What follows nothing: the start of a text, which ARPA lists for its backoff.
NEVER = -99 * _LOG10


def row(log_prob: float, spelled: str, backoff: float | None = None) -> str:
    """Return the line of an n-gram.

    Args:
        log_prob: natural log, as `backoff`, which an n-gram has that is the context of longer ones.
        spelled: its symbols, with a space between two.
    """
    parts = [f"{log_prob / _LOG10:.7f}", spelled]
    return "\t".join([*parts, f"{backoff / _LOG10:.7f}"] if backoff is not None else parts)


def write(path: Path, rows: Mapping[int, Iterable[str]]) -> None:
    """Write the rows of each length.

    Raises:
        U2UError: the file cannot be written.
    """
    by_length = {length: list(lines) for length, lines in sorted(rows.items())}
    lines = ["\\data\\", *(f"ngram {length}={len(lines)}" for length, lines in by_length.items()), ""]
    for length, own in by_length.items():
        lines += [f"\\{length}-grams:", *own, ""]
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress("\n".join([*lines, "\\end\\", ""]).encode("utf-8"), 6, mtime=0))


def read(path: Path) -> Iterator[tuple[int, float, str, float | None]]:
    """Yield each n-gram: its length, log-probability, symbols with spaces between, and backoff; natural logs.

    Raises:
        ValueError, OSError, EOFError, zlib.error: the file is damaged.
    """
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    if "\\end\\" not in lines[-2:]:
        raise ValueError("it has no end")
    length = 0
    for line in lines:
        if "\t" in line:
            log10, spelled, *backoff = line.split("\t")
            numbers = float(log10) * _LOG10, float(backoff[0]) * _LOG10 if backoff else None
            if not all(-math.inf < number < _ROUNDING for number in numbers if number is not None):
                raise ValueError("a number is no probability")
            yield length, numbers[0], spelled, numbers[1]
        elif line.endswith("-grams:"):
            length = int(line[1:].split("-")[0])
