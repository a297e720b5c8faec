"""The card of a prepared dataset."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import yaml
from huggingface_hub import DatasetCard, DatasetCardData

from u2u_hf import __version__, output_folder
from u2u_hf.corpus.preparation import Preparation, PreparationSettings
from u2u_hf.publishing.cards.markdown import indented, one_line, table, text
from u2u_hf.records import Utterance
from u2u_hf.reports.characters import shown, take_inventory
from u2u_hf.reports.report import hours, preparation_report
from u2u_hf.reports.survey import length
from u2u_hf.settings import changed

_FORMATS = {
    ".eaf": "ELAN (.eaf)",
    ".textgrid": "Praat (.TextGrid)",
    ".csv": "table (.csv)",
    ".tsv": "table (.tsv)",
    ".jsonl": "table (.jsonl)",
}
_HOW = {
    "heard": "heard: the channel on which the speaker is loudest",
    "told": "told by whoever prepared the dataset",
    "mono": "only one channel",
}
# Of the settings, those that say nothing here or are said above, and those that may name a speaker.
_SAID = ("corpus", "output_dir", "language", "license", "pretty_name")
_NAMING = ("tiers", "participants", "channels")


def write_dataset_card(
    settings: PreparationSettings, preparation: Preparation, output_dir: Path, repo_id: str = ""
) -> None:
    """Write the card of a prepared dataset, ``README.md``, into its folder; see `dataset_card`."""
    output_folder.write(output_dir / "README.md", str(dataset_card(settings, preparation, repo_id)))


def dataset_card(settings: PreparationSettings, preparation: Preparation, repo_id: str = "") -> DatasetCard:
    """What is in a prepared dataset and how it was made. Nothing in it tells where on whose computer.

    Args:
        repo_id: where it is pushed, if it is.
    """
    report = preparation_report(preparation)
    kept = [u for row in preparation.splits.values() for u in row]
    recordings = {u.recording for u in kept}
    title = one_line(settings.pretty_name) or Path(settings.corpus).resolve().name
    return DatasetCard.from_template(
        _front_matter(settings, title, len(kept)),
        template_path=str(Path(__file__).with_name("dataset.md")),
        title=text(title),
        languages=text(", ".join(settings.language)),
        licence=text(settings.license),
        source=repo_id or "OWNER/NAME",
        total=length(hours(kept)),
        utterances=len(kept),
        recordings=len(recordings),
        speakers=len({u.speaker for u in kept}),
        splits=_splits(report),
        by_speaker=_speakers(preparation.splits, settings.hide_speakers),
        **_orthography(report, preparation.splits["train"]),
        channels=table(
            ("speakers in recordings", "channel"),
            [(n, _HOW[how]) for how, n in Counter(c["how"] for c in report["channels"]).most_common()],
        ),
        close=sum(c["close"] for c in report["channels"]),
        limits=settings,
        left_out=_left_out(preparation.dropped),
        skipped=len({s.where for s in preparation.skipped}),
        sources=_sources(preparation, recordings),
        version=__version__,
        settings=indented(_settings(settings)),
    )


def size_category(count: int) -> str:
    """As the Hub sorts datasets by their number of rows: ``n<1K``, ``1K<n<10K``…"""
    if count < 1000:
        return "n<1K"
    power = len(str(count)) - 1
    lower, upper = (f"{10 ** (p % 3)}{' KMBT'[p // 3]}" for p in (power, power + 1))
    return f"{lower}<n<{upper}"


def _front_matter(settings: PreparationSettings, title: str, count: int) -> DatasetCardData:
    # No `configs`: data/train-00000-of-00001.parquet is found before anything else, while `datasets` takes two
    # folders with the same `configs` for one, and would go on reading what it has cached of a dataset made anew.
    # The Hub knows languages by their ISO 639 code alone.
    languages = list(dict.fromkeys(code.split("-")[0].lower() for code in settings.language))
    return DatasetCardData(
        language=languages or None,
        language_bcp47=list(settings.language) if any("-" in code for code in settings.language) else None,
        license=settings.license or None,
        pretty_name=title,
        size_categories=[size_category(count)],
        task_categories=["automatic-speech-recognition"],
    )


def _splits(report: dict) -> str:
    rows = [
        (name, row["utterances"], length(row["hours"]), len(row["recordings"]), len(row["speakers"]))
        for name, row in report["splits"].items()
    ]
    return table(("split", "utterances", "length", "recordings", "speakers"), rows)


def _speakers(splits: dict[str, list[Utterance]], hide: bool) -> str:
    """Who speaks how long in which split, the one who speaks most first."""
    shares: dict[str, dict[str, list[Utterance]]] = defaultdict(lambda: {name: [] for name in splits})
    for name, row in splits.items():
        for utterance in row:
            shares[utterance.speaker][name].append(utterance)
    whole = {name: [u for part in parts.values() for u in part] for name, parts in shares.items()}
    rows = [
        (
            f"speaker {number}" if hide else name,
            len(whole[name]),
            length(hours(whole[name])),
            *(length(hours(part)) if part else "–" for part in shares[name].values()),
        )
        for number, name in enumerate(sorted(whole, key=lambda name: -hours(whole[name])), 1)
    ]
    return table(("speaker", "utterances", "length", *splits), rows)


def _orthography(report: dict, train: Iterable[Utterance]) -> dict[str, str | int]:
    characters = take_inventory(train).characters
    rows = [(shown(c.character), c.code_point, c.name, c.count) for c in characters]
    unseen = " ".join(map(shown, report["characters_unseen_in_training"]))
    return {
        "character_count": len(characters),
        "alphabet": text(" ".join(shown(c.character) for c in sorted(characters, key=lambda c: c.character))),
        "characters": table(("character", "code point", "name", "in training"), rows),
        "unseen": text(unseen),
        "rules": table(("rule", "annotations changed"), list(report["rules"].items())),
    }


def _left_out(left_out: Iterable[tuple[Utterance, str]]) -> str:
    # Reasons that begin with the file's whole path say the same of many files, and where they are.
    reasons = Counter(reason.replace(u.audio, "the recording") for u, reason in left_out)
    return table(("annotations", "why"), [(count, reason) for reason, count in reasons.most_common()])


def _sources(preparation: Preparation, recordings: set[str]) -> str:
    used = [r for r in preparation.recordings if r.name in recordings]
    suffixes = [Path(path).suffix.lower() for path in {r.document.path for r in used}]
    annotations = Counter(_FORMATS.get(suffix, suffix) for suffix in suffixes)
    audio = Counter(f"audio ({Path(path).suffix.lower()})" for path in {r.audio for r in used})
    return table(("files", "format"), [(n, name) for kinds in (annotations, audio) for name, n in kinds.most_common()])


def _settings(settings: PreparationSettings) -> str:
    hidden = _SAID + _NAMING if settings.hide_speakers else _SAID
    chosen = {name: value for name, value in changed(settings).items() if name not in hidden}
    return yaml.safe_dump(chosen, allow_unicode=True, sort_keys=False) if chosen else "# all as they are by default"
