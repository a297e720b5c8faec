"""The card of a prepared dataset."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import yaml
from huggingface_hub import DatasetCard, DatasetCardData

from u2u_hf import __version__, output_folder
from u2u_hf.corpus.preparation import PreparationSettings
from u2u_hf.formats import readers
from u2u_hf.publishing.cards.markdown import indented, one_line, table, text
from u2u_hf.reports.characters import shown, take_inventory
from u2u_hf.reports.digest import Digest, hours, hours_by
from u2u_hf.reports.quantities import length
from u2u_hf.settings import changed

_HOW = {
    "heard": "the channel on which the speaker is loudest",
    "told": "the channel given by whoever prepared the dataset",
    "mono": "the only channel",
}
_MOST_DETAILS = 3  # of one reason: report.json has all of them
# Settings that the card gives elsewhere or does not need, and settings that may name a speaker.
_ELSEWHERE = ("corpus", "also", "output_dir", "language", "license", "pretty_name")
_NAMING = ("tiers", "participants", "channels")


def write_dataset_card(settings: PreparationSettings, digest: Digest, output_dir: Path, repo_id: str = "") -> None:
    """Write the card of a prepared dataset, ``README.md``, into its folder; see `dataset_card`."""
    output_folder.write(output_dir / "README.md", str(dataset_card(settings, digest, repo_id)))


def dataset_card(settings: PreparationSettings, digest: Digest, repo_id: str = "") -> DatasetCard:
    """Return the card of a prepared dataset: what is in it and how it was made. It holds no absolute path.

    Args:
        repo_id: the Hub repository that it is pushed to, or the empty string.
    """
    kept = digest.kept
    title = one_line(settings.pretty_name) or digest.name
    return DatasetCard.from_template(
        _front_matter(settings, title, len(kept)),
        template_path=str(Path(__file__).with_name("dataset.md")),
        title=text(title),
        languages=text(", ".join(settings.language)),
        licence=text(settings.license),
        source=repo_id or "OWNER/NAME",
        total=length(hours(kept)),
        utterances=len(kept),
        recordings=len({u.recording for u in kept}),
        speakers=len({u.speaker for u in kept}),
        splits=_splits(digest),
        by_speaker=_speakers(digest, settings.hide_speakers),
        **_orthography(digest),
        channels=table(
            ("speakers in recordings", "channel"),
            [(n, _HOW[how]) for how, n in Counter(c.how for c in digest.channels).most_common()],
        ),
        close=sum(c.close for c in digest.channels),
        limits=settings,
        dropped=_dropped(digest),
        skipped=len({s.where for s in digest.skipped}),
        sources=_sources(digest),
        version=__version__,
        settings=indented(_settings(settings)),
    )


def size_category(count: int) -> str:
    """Return the Hub's category for a number of rows: ``n<1K``, ``1K<n<10K``…"""
    if count < 1000:
        return "n<1K"
    power = len(str(count)) - 1
    lower, upper = (f"{10 ** (p % 3)}{' KMBT'[p // 3]}" for p in (power, power + 1))
    return f"{lower}<n<{upper}"


def _front_matter(settings: PreparationSettings, title: str, count: int) -> DatasetCardData:
    # No `configs`: `datasets` finds data/train-00000-of-00001.parquet before anything else. With the same `configs`
    # in two folders it confuses them, and reads its cache of the old dataset after the folder was prepared again.
    # The Hub knows languages by their ISO 639 code only.
    languages = list(dict.fromkeys(code.split("-")[0].lower() for code in settings.language))
    return DatasetCardData(
        language=languages or None,
        language_bcp47=list(settings.language) if any("-" in code for code in settings.language) else None,
        license=settings.license or None,
        pretty_name=title,
        size_categories=[size_category(count)],
        task_categories=["automatic-speech-recognition"],
    )


def _splits(digest: Digest) -> str:
    rows = [
        (name, len(split.utterances), length(split.hours), len(split.recordings), len(split.speakers))
        for name, split in digest.splits.items()
    ]
    return table(("split", "utterances", "length", "recordings", "speakers"), rows)


def _speakers(digest: Digest, hide: bool) -> str:
    """Return a table of how long each speaker speaks in each split, the one who speaks most first."""
    counts = Counter(u.speaker for u in digest.kept)
    by_split = [hours_by(split.utterances, lambda u: u.speaker) for split in digest.splits.values()]
    rows = [
        (
            f"speaker {number}" if hide else name,
            counts[name],
            length(spoken),
            *(length(shares[name]) if name in shares else "–" for shares in by_split),
        )
        for number, (name, spoken) in enumerate(hours_by(digest.kept, lambda u: u.speaker).items(), 1)
    ]
    return table(("speaker", "utterances", "length", *digest.splits), rows)


def _orthography(digest: Digest) -> dict[str, str | int]:
    characters = take_inventory(digest.splits["train"].utterances).characters
    rows = [(shown(c.character), c.code_point, c.name, c.count) for c in characters]
    return {
        "character_count": len(characters),
        "alphabet": text(" ".join(shown(c.character) for c in sorted(characters, key=lambda c: c.character))),
        "characters": table(("character", "code point", "name", "in training"), rows),
        "unseen": text(" ".join(map(shown, digest.unseen))),
        "rules": table(("rule", "annotations changed"), list(digest.rules.items())),
    }


def _dropped(digest: Digest) -> str:
    """Return a table of the reasons; details without the audio's name, which may be a speaker's."""
    rows = []
    for group in digest.drops:
        details = list(dict.fromkeys(detail for _, detail in group.details))
        more = ["…"] if len(details) > _MOST_DETAILS else []
        rows.append((group.count, group.reason, "; ".join([*details[:_MOST_DETAILS], *more])))
    return table(("annotations", "why", "details"), rows)


def _sources(digest: Digest) -> str:
    names = {u.recording for u in digest.kept}
    used = [source for name, source in digest.sources.items() if name in names]
    annotations = Counter(readers.label(Path(path)) for path in {source.annotations for source in used})
    audio = Counter(f"audio ({Path(path).suffix.lower()})" for path in {source.audio for source in used})
    return table(("files", "format"), [(n, name) for kinds in (annotations, audio) for name, n in kinds.most_common()])


def _settings(settings: PreparationSettings) -> str:
    hidden = _ELSEWHERE + _NAMING if settings.hide_speakers else _ELSEWHERE
    chosen = {name: value for name, value in changed(settings).items() if name not in hidden}
    return yaml.safe_dump(chosen, allow_unicode=True, sort_keys=False) if chosen else "# the defaults"
