"""Pairing an annotation file with its recording, by the names that each has."""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from u2u_hf.corpus.folder import AUDIO_SUFFIXES, is_video
from u2u_hf.records import AnnotationDocument, Tier, U2UError

_LOSSLESS = (".wav", ".flac", ".aiff", ".aif")
_WORD = re.compile(r"[^\W_]+")


class NoAudio(U2UError):
    """An annotation file without a recording."""


@dataclass(frozen=True)
class Linked:
    """A recording that an annotation file belongs to.

    Attributes:
        origin_ms: the time in the recording that is time 0 of the annotations.
        named: the annotation file links to it by its name.
    """

    path: Path
    origin_ms: int = 0
    named: bool = False


def index_audio(audio: Iterable[Path]) -> dict[str, list[Path]]:
    """Return recordings by name (``a.wav``), by stem (``a.*``) and by Praat's name for them, all folded."""
    index: dict[str, list[Path]] = defaultdict(list)
    for path in audio:
        index[fold(path.name)].append(path)
        index[fold(f"{path.stem}.*")].append(path)
        index[_praat_name(path.stem)].append(path)
    return dict(index)


def find_audio(document: AnnotationDocument, audio: Mapping[str, list[Path]]) -> tuple[Path, int]:
    """Return the recording that an annotation file belongs to, and its origin in ms; see `linked_audio`."""
    best = linked_audio(document, audio)[0]
    return best.path, best.origin_ms


def linked_audio(document: AnnotationDocument, audio: Mapping[str, list[Path]]) -> list[Linked]:
    """Return the recordings that an annotation file belongs to, the best sound first.

    These names are tried in order, ignoring case and Unicode form:

    1. the names of the media in the file, in any folder, because the file may come from another computer;
    2. the same names with any other extension (a.mp4 → a.wav), also if all that 1 found is video;
    3. the annotation file's own stem;
    4. that stem before ``_ed``: ``a_ed-2025-02-12.eaf`` is an edited ``a.eaf``;
    5. these stems as Praat writes them: ``story_1.TextGrid`` belongs to ``story 1.wav``.

    Of several media, sound comes before video, WAV and other lossless files before the rest, a recorder's sound before
    the camera's (a.wav beside a.mp4), then the order of the file. If several recordings have one name, the one that the
    relative path in the file leads to is taken, otherwise the one in the annotation file's own folder, otherwise the
    best sound.

    Args:
        audio: from `index_audio`. Only these are considered, so that a path in the file cannot lead elsewhere.

    Raises:
        NoAudio: no recording has one of the names.
        U2UError: several recordings match equally well.
    """
    path = Path(document.path)
    named = [(name, m.origin_ms) for m in document.media for url in m.urls for name in media_names(url)]
    stems = [(f"{PurePosixPath(name).stem}.*", origin_ms) for name, origin_ms in named]
    origin_ms = document.media[0].origin_ms if document.media else 0
    own_stems = [stem for stem in dict.fromkeys((path.stem, before_edit(path.stem))) if stem]
    own = [(f"{stem}.*", origin_ms) for stem in own_stems]
    search = _Search(document, audio)
    found = search.all(named, named=True)
    if all(is_video(linked.path) for linked in found):
        found += search.all(stems, sound_only=bool(found))
    found = found or search.first(own) or search.first([(_praat_name(stem), origin_ms) for stem in own_stems])
    if found:
        return _best_first(found)
    if search.problem:
        raise search.problem
    tried = _listed([name for name, _ in (*named, *stems, *own)])
    raise NoAudio(f"{path}: its audio is not in the corpus folder (looked for {tried}): copy it there")


def _listed(names: Iterable[str], most: int = 140) -> str:
    """Return the different names on one line of at most so many characters: damaged files have names without end."""
    listed = ", ".join(dict.fromkeys(" ".join(name.split()) for name in names))
    return listed if len(listed) <= most else f"{listed[: most - 1]}…"


class _Search:
    """Looks for an annotation file's recordings by name.

    Attributes:
        problem: the first name that several recordings have, equally near.
    """

    def __init__(self, document: AnnotationDocument, audio: Mapping[str, list[Path]]):
        self.problem: U2UError | None = None
        self._document, self._audio = document, audio

    def all(self, names: Iterable[tuple[str, int]], named: bool = False, sound_only: bool = False) -> list[Linked]:
        """Return the recording of each name that there is, once."""
        found: dict[Path, Linked] = {}
        for name, origin_ms in names:
            if paths := [p for p in self._audio.get(fold(name), ()) if not (sound_only and is_video(p))]:
                try:
                    path = _nearest(self._document, paths)
                    found.setdefault(path, Linked(path, origin_ms, named))
                except U2UError as error:
                    self.problem = self.problem or error
        return list(found.values())

    def first(self, names: Iterable[tuple[str, int]]) -> list[Linked]:
        """Return the recording of the first name that there is, unless an earlier name led to several."""
        return next((found for name in names if not self.problem and (found := self.all([name]))), [])


def _best_first(found: Sequence[Linked]) -> list[Linked]:
    videos = {fold(linked.path.stem) for linked in found if is_video(linked.path)}

    def rank(linked: Linked) -> tuple[bool, bool, bool]:
        return *_quality(linked.path), fold(linked.path.stem) in videos

    return sorted(found, key=rank)


def _quality(path: Path) -> tuple[bool, bool]:
    return is_video(path), path.suffix.lower() not in _LOSSLESS


def _nearest(document: AnnotationDocument, found: list[Path]) -> Path:
    """Return the recording that the document's relative path leads to, otherwise the best in the same folder."""
    path = Path(document.path)
    written = [url.replace("\\", "/") for media in document.media for url in media.urls]
    named = {os.path.normpath(path.parent / spelled) for url in written for spelled in (url, unquote(url))}
    exact = [p for p in found if os.path.normpath(p) in named]
    near = exact or [p for p in found if p.parent == path.parent] or found
    # Folders of recordings that lie in one another name a file twice.
    choice = [p for p in dict.fromkeys(near) if _quality(p) == min(map(_quality, near))]
    if len({(p.parent, p.stem) for p in choice}) > 1 or len({p.suffix.lower() for p in choice}) < len(choice):
        # No more of their paths than tells them apart: reports of it are pushed.
        parts = next(n for n in itertools.count(1) if len({p.parts[-n:] for p in choice}) == len(choice))
        listed = ", ".join("/".join(p.parts[-parts:]) for p in choice)
        raise U2UError(f"{path}: several recordings could be its audio: {listed}: keep one, or rename")
    return min(choice, key=lambda p: AUDIO_SUFFIXES.index(p.suffix.lower()))


def worse_copies(audio: Iterable[Path]) -> dict[Path, Path]:
    """Return recording → a better one of the same name in the same folder: a.mp4 → a.wav, a.mp3 → a.wav."""
    by_name: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in audio:
        by_name[path.parent, path.stem].append(path)
    best = {path: min(paths, key=_quality) for paths in by_name.values() for path in paths}
    return {path: better for path, better in best.items() if _quality(better) < _quality(path)}


def same_name(linked: Iterable[Linked], audio: Mapping[str, list[Path]]) -> list[Path]:
    """Return other recordings of the same name: in the same folder (a.wav, a.mp3), and videos in any folder."""
    there = [linked.path for linked in linked]
    return [
        other
        for path in there
        for other in audio.get(fold(f"{path.stem}.*"), ())
        if other not in there and (other.parent == path.parent or is_video(other))
    ]


def speaker_tracks(tiers: Iterable[Tier], linked: Iterable[Linked]) -> dict[str, Linked]:
    """Return tier name → the recording of its speaker alone, if two or more linked recordings name speakers.

    A recording names a speaker if a word of its stem, which not all of them have, is the participant's name, one of
    its words or their initials, or what follows ``@`` in the tier's name: ``s0_AB.wav`` is AB's, and Ann Brown's.
    """
    sounds = [one for one in linked if one.named and not is_video(one.path)]
    words = [set(_WORD.findall(fold(one.path.stem))) for one in sounds]
    common = set.intersection(*words) if words else set()
    tracks: dict[str, Linked] = {}
    for tier in tiers:
        names = _speaker_names(tier)
        matching = [one for one, stem in zip(sounds, words, strict=True) if (stem - common) & names]
        if len(matching) == 1:
            tracks[tier.name] = matching[0]
    return tracks if len({one.path for one in tracks.values()}) > 1 else {}


def _speaker_names(tier: Tier) -> set[str]:
    spoken = _WORD.findall(fold(tier.participant))
    code = _WORD.findall(fold(tier.name.rpartition("@")[2])) if "@" in tier.name else []
    return {*spoken, *code, "".join(spoken), "".join(word[0] for word in spoken)} - {""}


def sound_names(audio: Iterable[str], folders: Sequence[str] = ()) -> dict[str, str]:
    """Return each recording's own name: its stem without an edition, and without its folder where that is enough.

    Recordings of one name in several folders are told apart by their folders; in one folder they are one sound
    (``a.wav``, ``a.mp4``, ``a_ed-2025-02-12.wav``). No folder above those of the corpus is named: datasets are pushed.

    Args:
        folders: that the corpus was read from, without a slash at the end.

    >>> sound_names(["c/1/a.wav", "c/2/a.wav", "c/2/b_ed.wav"])
    {'c/1/a.wav': '1/a', 'c/2/a.wav': '2/a', 'c/2/b_ed.wav': 'b'}
    """
    by_stem: dict[str, list[str]] = defaultdict(list)
    for path in audio:
        by_stem[fold(_own_stem(path))].append(path)
    names: dict[str, str] = {}
    for paths in by_stem.values():
        held = {path: os.path.dirname(path) for path in paths}
        above = os.path.commonpath(held.values()) if len(set(held.values())) > 1 else ""
        roots = {path: _outermost(path, folders) for path in paths}
        for path, folder in held.items():
            if len(set(roots.values())) > 1 and (root := roots[path]):
                within = Path(os.path.basename(root), os.path.relpath(folder, root)).as_posix()
            else:
                within = Path(os.path.relpath(folder, above)).as_posix() if above else "."
            names[path] = _own_stem(path) if within == "." else f"{within}/{_own_stem(path)}"
    return names


def name_of_sound(recording: str) -> str:
    """Return what the sound file of a recording is mostly called, folded and without a suffix.

    Args:
        recording: its name in a dataset: the path of its annotation file in the corpus.

    >>> name_of_sound("elan/Story_ed-2025-02-12")
    'story'
    """
    name = recording.rpartition("/")[2]
    return fold(_without_edit(name))


def has_name(path: Path, name: str) -> bool:
    """Return whether a sound file has a name from `name_of_sound`, or is called as Praat would write it.

    >>> has_name(Path("c/my story_ed.mp3"), "my story"), has_name(Path("c/my_story.wav"), "my story")
    (True, True)
    """
    return _praat_name(_own_stem(str(path))) == _praat_name(name)


def _outermost(path: str, folders: Sequence[str]) -> str:
    """Return the outermost of some folders that a file lies in, or the empty string."""
    return min((folder for folder in folders if Path(path).is_relative_to(folder)), key=len, default="")


def _own_stem(path: str) -> str:
    return _without_edit(Path(path).stem)


def _without_edit(stem: str) -> str:
    """Return `before_edit` of a stem, or the stem where that is all of it."""
    return before_edit(stem) or stem


def _praat_name(stem: str) -> str:
    """Return the folded name that Praat gives to what it reads from a file; U+0000 keeps it apart from file names."""
    return "\0" + re.sub(r"[^\w-]", "_", fold(stem))


def media_names(url: str) -> list[str]:
    """Return the file name in a media URL or path, percent-decoded and as written if these differ.

    ELAN itself does not percent-encode, so ``%20`` may be part of the name.

    >>> media_names("file:///C:/Ana/a%20b.wav")
    ['a b.wav', 'a%20b.wav']
    """
    names = [re.split(r"[/\\]", spelled)[-1] for spelled in (unquote(url), url)]
    return [name for name in dict.fromkeys(names) if name]


def fold(name: str) -> str:
    """Return a name without differences of case and Unicode form, for comparison: macOS decomposes file names."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def before_edit(stem: str) -> str:
    """Return the stem without ``_ed`` and what follows it, unless that is a word such as ``_eduardo``.

    >>> before_edit("story_ed-2025-02-12"), before_edit("story_eduardo")
    ('story', 'story_eduardo')
    """
    return re.split(r"_ed(?![a-z])", stem, flags=re.IGNORECASE)[0]
