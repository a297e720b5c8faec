"""Damage to files, as copies that stop, disks, editors, scripts and strangers do it."""

import re
from collections.abc import Callable, Sequence
from random import Random

Way = Callable[[bytes, bytes, Sequence[bytes], Random], bytes]

# What text formats are made of: quoted texts, numbers and names.
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?[0-9]+(?:[.,:][0-9]+)*|[\w./:-]+')
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
WORDS = (
    *(b"0", b"-1", b"1", b"1e999", b"-1e-5", b"NaN", b"Infinity", b"1" + b"0" * 400, b"9223372036854775808", b"0x7f"),
    *(b"null", b"true", b"false", b"[]", b"{}", b'""', b'"\\ud800"', b"[[[[", b"{" * 2000, b"(" * 300, b'"', b"'"),
    *(b"\0", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3", "\u2028ŋ\u0301\u202e".encode()),
    *(b"\r", b"\r\n", b"\n\n", b"\t", b"\x1b[2J", b"%s%n", b"&#0;", b"&x;", b"<!DOCTYPE a>", b"]]>", b"A" * 70_000),
)


def damaged(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    """Return `content` with one to eight damages.

    Args:
        other: content of another file, of which parts may be put in.
        words: that may be put in, besides `WORDS`.
    """
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        content = random.choice(_WAYS)(content, other, (*WORDS, *words), random)
    return content


def _bits(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    changed = bytearray(content or b"\0")
    # Headers stand at the beginning, and bits in the rest often change nothing.
    reach = random.choice((64, 512, len(changed)))
    for _ in range(random.choice((1, 1, 4, 32))):
        changed[random.randrange(min(reach, len(changed)))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _number(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    size = random.choice((1, 2, 4, 8))
    number = random.choice(_NUMBERS) % 256**size
    at = random.randrange(min(random.choice((64, 512, len(content))), len(content)) or 1)
    return content[:at] + number.to_bytes(size, random.choice(("little", "big"))) + content[at + size :]


def _cut(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _hole(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + random.choice((b"", bytes(end - start))) + content[end:]


def _repeated(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:end] + content[start:end] * random.choice((1, 1, 2, 50)) + content[end:]


def _spliced(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + other[slice(*_span(other, random))] + content[end:]


def _word(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + random.choice(words) + content[random.choice((start, end)) :]


def _token(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    """Replace one token by another of the file or by a word, in quotes if it had some, at its length or not."""
    tokens = list(_TOKEN.finditer(content[:200_000]))
    if not tokens:
        return content
    old = random.choice(tokens)
    new = random.choice((random.choice(tokens)[0], random.choice(words)))
    if old[0].startswith(b'"') and random.random() < 0.7:
        new = b'"' + new.strip(b'"') + b'"'
    if random.random() < 0.3:
        new = new[: len(old[0])].ljust(len(old[0]))
    return content[: old.start()] + new + content[old.end() :]


def _lines(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        return content
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], random.choice((lines[first], lines[second], b""))
    return b"".join(lines)


def _encoding(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    encoding = random.choice(("utf-16", "utf-16-le", "utf-16-be", "latin-1", "utf-8-sig", "cp1252", "utf-32"))
    return content.decode("utf-8", "replace").encode(encoding, "replace")


def _span(content: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.choice((1, 4, 40, 400, len(content))))


_WAYS: tuple[Way, ...] = (
    *(_bits, _number, _number, _cut, _hole, _repeated, _spliced, _word, _word, _token, _token, _token, _token, _lines),
    _encoding,
)
