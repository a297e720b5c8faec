"""Which tiers of annotation files hold what was said: named by the user, or told by their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from u2u_hf.corpus.reader import Recording
from u2u_hf.records import MACHINE_TYPES, Tier, U2UError


def _words(*patterns: str) -> re.Pattern[str]:
    """Finds words that begin like `patterns`; a pattern that ends in ``$`` is the whole word."""
    ends = "|".join(p[:-1] + r"(?![^\W\d_])" if p.endswith("$") else p for p in patterns)
    return re.compile(rf"(?<![^\W\d_])(?:{ends})", re.IGNORECASE)


# What tiers that do not hold what was said are called, in languages of fieldwork and of fieldworkers; marks of
# Toolbox and FLEx (ft, mb, ge, segnum) only in small letters, for capitals are speakers' initials.
_OTHER = _words(
    *"transla traduc tradu[çz] traduzion übersetz ueber?setz перев terjemah tafsir dịch free$ libre$ lit$".split(),
    *"gloss glos[ae] gls$ глосс notes?$ notas?$ noti[zc] notiz anmerk bemerk catatan заметк примеч".split(),
    *"comm?ent coment komment komentar коммент remar[kq] observ descri title$ segnum".split(),
    *"pos$ part.?of.?speech morf morph морф lemm?a root$ ref$ refs$ id$".split(),
    *"words?$ palabras?$ palavras?$ mots?$ wort$ wörter kata$ слов tokens? phon[eo]s?$ phonemes? syllab".split(),
    "(?-i:ft|mb|ge|gn|ps|nt|rx)$",
)
_OTHER_UNSPACED = re.compile("翻[译譯訳]|[译譯訳]文|[备備]注|[备備]註|注[释釈]|メモ")
# Languages of translation; but "English-speaker transcription" says itself what it is.
_LANGUAGE = _words(
    *"eng(?:lish)?$ ingl[eéê]s anglais spa(?:nish)?$ español castellano espagnol fran[cç]ais french francés".split(),
    *"portugu deutsch$ german$ русск russian indonesia$ bahasa swahili kiswahili".split(),
)
_TRANSCRIPTION = _words(
    *"transcri transkri trascri транскри orth?o ortogr surface phrase utter enuncia sentence oraci".split(),
    *"speech text verbatim tx$".split(),
)
_TRANSCRIPTION_UNSPACED = re.compile("[转轉転][写寫]|文字起|書き起")
_MACHINE = "written by a machine"


def choose_tiers(
    recordings: Iterable[Recording],
    patterns: Sequence[str] = (),
    linguistic_types: Sequence[str] = (),
    participants: Sequence[str] = (),
) -> tuple[dict[str, list[Tier]], dict[str, str]]:
    """Which tiers hold transcriptions.

    With `patterns` or `linguistic_types` (names, or shell patterns on them: ``*SURFACE*``): those that match
    one; of what this package wrote, only those named in full. Without: tiers that have text, were not written by
    this package and are not named like translations, notes, glosses and the like; of these the ones named like
    transcriptions in each file, or else those that are not below another. With `participants`, of all these only
    the tiers of speakers that match one.

    Returns:
        recording name → its chosen tiers, and tier name → why it was chosen (in one file at least) or not.

    Raises:
        U2UError: a pattern matches nothing in any file, or there is no tier to choose.
    """
    recordings = list(recordings)
    all_tiers = [tier for recording in recordings for tier in recording.document.tiers]
    _must_match("--tiers", "tier", patterns, [t.name for t in all_tiers])
    _must_match("--linguistic_types", "linguistic type", linguistic_types, [t.linguistic_type for t in all_tiers])
    _must_match("--participants", "participant", participants, [t.participant for t in all_tiers])
    chosen: dict[str, list[Tier]] = {}
    why: dict[str, str] = {}
    for recording in recordings:
        tiers = recording.document.tiers
        if patterns or linguistic_types:
            named = {t.name: "matches --tiers" for t in tiers if asked_for(t, t.name, patterns)}
            typed = {
                t.name: "matches --linguistic_types" for t in tiers if asked_for(t, t.linguistic_type, linguistic_types)
            }
            picked = [t for t in tiers if t.name in typed | named]
            machine = {t.name: _MACHINE for t in tiers if t.linguistic_type in MACHINE_TYPES}
            reasons = machine | typed | named
        else:
            picked, reasons = _picked_by_name(tiers)
        if participants:
            left = [t for t in picked if matches(t.participant, participants)]
            reasons |= {t.name: "its participant does not match --participants" for t in picked if t not in left}
            picked = left
        chosen[recording.name] = picked
        why = reasons | why | {tier.name: reasons[tier.name] for tier in picked}
    if not any(chosen.values()):
        listed = "; ".join(f"{name}: {reason}" for name, reason in why.items()) or "there are none"
        raise U2UError(f"no tier looks like a transcription: name yours with --tiers ({listed})")
    return chosen, why


def _must_match(flag: str, what: str, patterns: Sequence[str], names: Iterable[str]) -> None:
    there = sorted({name for name in names if name})
    for pattern in patterns:
        if not any(matches(name, [pattern]) for name in there):
            raise U2UError(f"{flag} {pattern}: no {what} of any file matches; there are: {', '.join(there) or 'none'}")


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name is one of `patterns`, or matches one as a shell pattern, whatever their Unicode form."""
    name = unicodedata.normalize("NFC", name)
    patterns = [unicodedata.normalize("NFC", pattern) for pattern in patterns]
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def asked_for(tier: Tier, name: str, patterns: Sequence[str]) -> bool:
    """Whether patterns mean a tier by its `name`, or that of its type; wildcards do not mean what a machine wrote."""
    if tier.linguistic_type in MACHINE_TYPES:
        patterns = [p for p in patterns if unicodedata.normalize("NFC", p) == unicodedata.normalize("NFC", name)]
    return matches(name, patterns)


def _picked_by_name(tiers: Sequence[Tier]) -> tuple[list[Tier], dict[str, str]]:
    reasons = {tier.name: _unlike_transcription(tier) for tier in tiers}
    left = {tier.name: tier for tier in tiers if not reasons[tier.name]}
    named = [t for t in left.values() if _like_transcription(t)]
    picked = named or [t for t in left.values() if t.parent not in left]
    for tier in left.values():
        reasons[tier.name] = "another tier is named like a transcription" if named else f"is below {tier.parent!r}"
    for tier in picked:
        reasons[tier.name] = "named like a transcription" if named else "has text, and is not below another such tier"
    return picked, reasons


def _spelled(tier: Tier) -> str:
    """Name and type of a tier, its words apart: ``freeTranslation`` is two."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFC", f"{tier.name} {tier.linguistic_type}"))


def _like_transcription(tier: Tier) -> bool:
    return bool(_TRANSCRIPTION.search(_spelled(tier)) or _TRANSCRIPTION_UNSPACED.search(_spelled(tier)))


def _unlike_transcription(tier: Tier) -> str:
    if tier.linguistic_type in MACHINE_TYPES:
        return _MACHINE
    if not any(a.value.strip() for a in tier.annotations):
        return "has no text"
    spelled = _spelled(tier)
    match = _OTHER.search(spelled) or _OTHER_UNSPACED.search(spelled)
    if not match and not re.search("trans?[ck]ri", spelled, re.IGNORECASE):
        match = _LANGUAGE.search(spelled)
    return f"looks like something else ({match[0]!r} in its name or type)" if match else ""
