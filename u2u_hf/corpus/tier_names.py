"""What the name and the linguistic type of a tier say that it holds, in languages of fieldwork and of fieldworkers."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from u2u_hf.records import Tier


class Role(Enum):
    """What a name says that a tier holds."""

    UNKNOWN = "unknown"
    TRANSCRIPTION = "transcription"
    PHONETIC = "phonetic transcription"
    TRANSLATION = "translation"
    NOTES = "notes"
    ANALYSIS = "glosses or morphemes"
    REFERENCE = "reference"
    WORDS = "words"
    SOUNDS = "sounds"


@dataclass(frozen=True)
class Hint:
    """What a name says, the word that says it, and whether that stands in the tier's type only."""

    role: Role = Role.UNKNOWN
    word: str = ""
    by_type: bool = False

    @property
    def is_other(self) -> bool:
        """Whether the name is one of something that is no transcription."""
        return self.role not in (Role.UNKNOWN, Role.TRANSCRIPTION, Role.PHONETIC)


def _words(*patterns: str) -> re.Pattern[str]:
    """Return an expression for words that begin like `patterns`; a pattern that ends in ``$`` is a whole word."""
    ends = "|".join(p[:-1] + r"(?![^\W\d_])" if p.endswith("$") else p for p in patterns)
    return re.compile(rf"(?<![^\W\d_])(?:{ends})", re.IGNORECASE)


# In this order: "Translation text" and "Transcription notes" are a translation and notes. Marks of Toolbox, DoBeS and
# FLEx (ft, mb, ge, segnum) only in lower case, because capitals are speakers' initials.
_OTHERS: tuple[tuple[Role, re.Pattern[str]], ...] = (
    (
        Role.TRANSLATION,
        _words(
            *"transla traduc tradu[çz] trad$ traduzion übersetz ueber?setz перев terjemah tafsir dịch free$".split(),
            *"libre$ lit$ literal significad makna$ arti$ (?-i:ft[a-z]?|fg)$".split(),
        ),
    ),
    (Role.TRANSLATION, re.compile("[译譯訳]")),
    (
        Role.NOTES,
        _words(
            *"notes?$ notas?$ noti[zc] notiz anmerk bemerk catatan keterangan заметк примеч comm?ent coment".split(),
            *"komment komentar коммент remar[kq] observ descri title$ (?-i:nt|cmt)$".split(),
        ),
    ),
    (Role.NOTES, re.compile("[备備]注|[备備]註|注[释釈]|メモ|[说說]明|[评評][论論]")),
    (
        Role.ANALYSIS,
        _words(
            *"gloss glos[ae] gls$ глосс pos$ part.?of.?speech morf morph морф lemm?a root$ разбор".split(),
            *"(?-i:mb|ge|gl|gn|ps|rx|mc|msa)$".split(),
        ),
    ),
    (Role.REFERENCE, _words(*"ref$ refs$ referen[ct] refind$ id$ ids$ segnum".split())),
    (
        Role.WORDS,
        _words(
            *"words?$ palabras?$ palavras?$ mots?$ wort$ wörter kata$ слов tokens? (?-i:wd|wrd|wds|w)$".split(),
        ),
    ),
    (Role.WORDS, re.compile("[词詞単单單][语語]?$|分[词詞]")),
    (Role.SOUNDS, _words(*"phon[eo]s?$ phonemes? syllab (?-i:ph|phn|syl)$".split())),
)
# Languages of translation. They do not count in "English-speaker transcription", which says what it is.
_LANGUAGE = _words(
    *"eng(?:lish)?$ ingl[eéê]s anglais spa(?:nish)?$ español castellano espagnol fran[cç]ais french francés".split(),
    *"portugu deutsch$ german$ русск russian indonesia$ swahili kiswahili".split(),
    r"bahasa(?![\s_-]+(?!indo)[^\W\d_])",  # "Bahasa Abui" is a language of fieldwork
)
_LANGUAGE_UNSPACED = re.compile("英[语語文]|[汉漢][语語]|中文|普通[话話]|西班牙|法[语語]|日本語")
_TRANSCRIPTION = _words(
    *"transcri transkri trascri транскри orth orto surface phrase utter utts?$ enuncia énonc enonc".split(),
    *"sentence oraci oração speech text teks txt$ verbatim tx$ frase ujaran tuturan ucapan kalimat текст".split(),
    *"высказ предлож".split(),
)
_TRANSCRIPTION_UNSPACED = re.compile("[转轉転][写寫]|文字起|書き起|原文|文本|句子|[话話][语語]|[语語]料")
_PHONETIC = _words(*"ipa$ api$ afi$ fonipa phon[eé]ti fon[eé]ti phonemic phonolog fonol narrow$ broad$ фонет".split())
_PHONETIC_UNSPACED = re.compile("[记記]音|音[标標]")


def hint(tier: Tier, parent_name: str = "", participant_is_shared: bool = False) -> Hint:
    """Return what a tier's name says, or if that says nothing, its linguistic type.

    The speaker is no evidence: neither what follows ``@``, nor the participant's names, nor the parent's whole name in
    the child's.

    Args:
        parent_name: of the tier's parent.
        participant_is_shared: other tiers of the file have the same participant, which is then a speaker even if it
            is called "Free".
    """
    said = hint_of(own_name(tier, parent_name, participant_is_shared))
    if said.role is not Role.UNKNOWN:
        return said
    by_type = hint_of(tier.linguistic_type)
    return Hint(by_type.role, by_type.word, by_type=True)


@functools.lru_cache(maxsize=10_000)  # each is asked several times, and the files of a corpus repeat their names
def hint_of(name: str) -> Hint:
    """Return what one name says."""
    spelled = _spelled(name)
    for role, pattern in _OTHERS:
        if match := pattern.search(spelled):
            return Hint(role, match[0])
    named = _TRANSCRIPTION.search(spelled) or _TRANSCRIPTION_UNSPACED.search(spelled)
    if not re.search("tran?s[ck]ri", spelled, re.IGNORECASE) and (
        match := _LANGUAGE.search(spelled) or _LANGUAGE_UNSPACED.search(spelled)
    ):
        return Hint(Role.TRANSLATION, match[0])
    if match := _PHONETIC.search(spelled) or _PHONETIC_UNSPACED.search(spelled):
        return Hint(Role.PHONETIC, match[0])
    return Hint(Role.TRANSCRIPTION, named[0]) if named else Hint()


def own_name(tier: Tier, parent_name: str = "", participant_is_shared: bool = False) -> str:
    """Return a tier's name without the speaker: the empty string if it is nothing else."""
    name = unicodedata.normalize("NFC", tier.name)
    parent = unicodedata.normalize("NFC", parent_name)
    if parent and name != parent and name.startswith(parent):
        name = name[len(parent) :]
    mark, at, speaker = name.partition("@")
    if at and (mark.strip() or not speaker):
        name = speaker if hint_of(mark).role is Role.UNKNOWN and hint_of(speaker).role is not Role.UNKNOWN else mark
    return _without_speaker(name, tier.participant, participant_is_shared)


def _without_speaker(name: str, participant: str, is_shared: bool) -> str:
    """Return `name` without the words of a participant, unless "Translation" was written there for want of a name."""
    speaker = unicodedata.normalize("NFC", participant)
    words = [word.casefold() for word in re.findall(r"[^\W_]+", speaker)]
    is_person = any(hint_of(word).role is Role.UNKNOWN for word in words)
    if not words or not (is_person or (is_shared and name.casefold().strip() == speaker.casefold().strip())):
        return name
    return re.sub(r"[^\W_]+", lambda m: "" if m[0].casefold() in words else m[0], name).strip(" _-.,:")


def _spelled(name: str) -> str:
    """Return a name with the words of camel case apart: ``free Translation``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFC", name))
