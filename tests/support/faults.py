"""Known faults put into the ELAN files of a corpus, as people make them."""

import random
import shutil
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.corpus.text_rules import TextRules

KINDS = ("swapped", "shifted", "spelling", "convention", "speaker", "copied", "deleted")
_FREE_MS = 40  # between two annotations of a tier
_TONES = {"\u0300", "\u0301", "\u0302", "\u0304", "\u030c"}


@dataclass(frozen=True)
class Fault:
    """What was done to an annotation; times are those after it, of a deleted one those it had."""

    kind: str
    recording: str
    tier: str
    start_ms: int
    end_ms: int
    detail: str = ""


@dataclass
class One:
    """A transcription in its file, for as long as nothing was done to it."""

    recording: str
    tier: ET.Element
    annotation: ET.Element
    slots: dict

    @property
    def body(self):
        return self.annotation[0]

    @property
    def value(self):
        return self.body.find("ANNOTATION_VALUE")

    @property
    def span(self):
        return tuple(int(self.slots[self.body.get(f"TIME_SLOT_REF{n}")].get("TIME_VALUE")) for n in (1, 2))

    def move(self, start_ms, end_ms):
        for n, time in ((1, start_ms), (2, end_ms)):
            self.slots[self.body.get(f"TIME_SLOT_REF{n}")].set("TIME_VALUE", str(time))

    def fault(self, kind, detail=""):
        return Fault(kind, self.recording, self.tier.get("TIER_ID"), *self.span, detail)


class Corpus:
    """The ELAN files of a copy of a corpus.

    Args:
        tiers: linguistic types of the tiers with transcriptions.
    """

    def __init__(self, source, folder, tiers, seed=0):
        self.folder, self.random = Path(folder), random.Random(seed)
        shutil.copytree(source, folder, copy_function=_linked)
        self.trees = {path: ET.parse(path) for path in sorted(self.folder.rglob("*.eaf"))}
        self.types = tiers
        self.used = set()

    def every(self):
        found = []
        for path, tree in self.trees.items():
            slots = {slot.get("TIME_SLOT_ID"): slot for slot in tree.iter("TIME_SLOT")}
            name = path.relative_to(self.folder).with_suffix("").as_posix()
            for tier in tree.iter("TIER"):
                if tier.get("LINGUISTIC_TYPE_REF") in self.types:
                    rows = [One(name, tier, annotation, slots) for annotation in tier.findall("ANNOTATION")]
                    found += sorted((one for one in rows if (one.value.text or "").strip()), key=lambda one: one.span)
        return found

    def untouched(self):
        rows = [one for one in self.every() if id(one.annotation) not in self.used]
        self.random.shuffle(rows)
        return rows

    def beside(self, one):
        """The annotations before and after one on its tier, or None."""
        row = [other for other in self.every() if other.tier is one.tier]
        at = next(i for i, other in enumerate(row) if other.annotation is one.annotation)
        return row[at - 1] if at else None, row[at + 1] if at + 1 < len(row) else None

    def other_tier(self, one):
        """Another speaker's tier of the same file that is free at the time, or None."""
        for path, tree in self.trees.items():
            if path.relative_to(self.folder).with_suffix("").as_posix() == one.recording:
                for tier in tree.iter("TIER"):
                    if tier.get("LINGUISTIC_TYPE_REF") in self.types and tier is not one.tier:
                        rows = [One(one.recording, tier, a, one.slots) for a in tier.findall("ANNOTATION")]
                        if all(o.span[1] <= one.span[0] or o.span[0] >= one.span[1] for o in rows):
                            return tier
        return None

    def inject(self, kind, count):
        """Put so many faults of a kind into the corpus → what was done."""
        done = []
        if kind == "convention":
            return self._convention(count)
        for one in self.untouched():
            if len(done) >= count:
                break
            if id(one.annotation) in self.used:
                continue
            done += getattr(self, f"_{kind}")(one)
        return done

    def save(self):
        for path, tree in self.trees.items():
            tree.write(path, encoding="UTF-8", xml_declaration=True)

    def _touch(self, *ones):
        self.used |= {id(one.annotation) for one in ones}

    def _swapped(self, one):
        _, after = self.beside(one)
        if after is None or id(after.annotation) in self.used or _plain(after) == _plain(one):
            return []
        one.value.text, after.value.text = after.value.text, one.value.text
        self._touch(one, after)
        return [one.fault("swapped"), after.fault("swapped")]

    def _shifted(self, one):
        before, after = self.beside(one)
        start, end = one.span
        back = start - (before.span[1] + _FREE_MS if before else 0)
        on = (after.span[0] - _FREE_MS if after else end + 2000) - end
        ways = [(-1, min(2000, back)), (1, min(2000, on))]
        sign, most = self.random.choice(ways)
        if most < 300:
            return []
        shift = sign * self.random.randint(300, most)
        one.move(start + shift, end + shift)
        self._touch(one)
        return [one.fault("shifted", str(-shift))]

    def _spelling(self, one):
        counts = Counter(word for other in self.every() for word in _plain(other).split())
        words = [w for w in _plain(one).split() if counts[w] >= 8 and len(w) > 3]
        raw = one.value.text
        for word in self.random.sample(words, len(words)):
            changed = _respelled(word, self.random)
            if raw.lower().count(word) == 1 and counts[changed] == 0:
                at = raw.lower().index(word)
                one.value.text = raw[:at] + changed + raw[at + len(word) :]
                self._touch(one)
                return [one.fault("spelling", word)]
        return []

    def _speaker(self, one):
        tier = self.other_tier(one)
        if tier is None:
            return []
        self._drop_children(one)
        one.tier.remove(one.annotation)
        tier.append(one.annotation)
        self._touch(one)
        return [One(one.recording, tier, one.annotation, one.slots).fault("speaker", one.tier.get("TIER_ID"))]

    def _copied(self, one):
        tier, (_, after) = self.other_tier(one), self.beside(one)
        if tier is not None and self.random.random() < 0.5:
            tree = next(t for p, t in self.trees.items() if one.tier in list(t.getroot()))
            order, number = tree.find("TIME_ORDER"), len(self.used) + 1
            refs = []
            for n, time in enumerate(one.span, 1):
                refs.append(f"tscopy{number}_{n}")
                made = ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=refs[-1], TIME_VALUE=str(time))
                one.slots[refs[-1]] = made
            annotation = ET.SubElement(tier, "ANNOTATION")
            attributes = {"ANNOTATION_ID": f"acopy{number}", "TIME_SLOT_REF1": refs[0], "TIME_SLOT_REF2": refs[1]}
            body = ET.SubElement(annotation, "ALIGNABLE_ANNOTATION", attributes)
            ET.SubElement(body, "ANNOTATION_VALUE").text = one.value.text
            copy = One(one.recording, tier, annotation, one.slots)
            self._touch(one, copy)
            return [copy.fault("copied", "tier")]
        if after is None or id(after.annotation) in self.used or _plain(after) == _plain(one):
            return []
        after.value.text = one.value.text
        self._touch(one, after)
        return [after.fault("copied", "next")]

    def _deleted(self, one):
        fault = one.fault("deleted")
        self._drop_children(one)
        one.tier.remove(one.annotation)
        self._touch(one)
        return [fault]

    def _drop_children(self, one):
        tree = next(t for t in self.trees.values() if one.tier in list(t.getroot()))
        for tier in tree.iter("TIER"):
            for child in tier.findall("ANNOTATION"):
                if child[0].get("ANNOTATION_REF") == one.body.get("ANNOTATION_ID"):
                    tier.remove(child)

    def _convention(self, count):
        """Tones are dropped in whole tiers of a file; the letter h, where the language has no tones."""
        done, groups = [], {}
        for one in self.every():
            groups.setdefault((one.recording, one.tier.get("TIER_ID")), []).append(one)
        has_tones = any(c in _TONES for one in self.every() for c in unicodedata.normalize("NFD", one.value.text))
        order = list(groups)
        self.random.shuffle(order)
        order.sort(key=lambda group: len(groups[group]) < 8)  # a handful of annotations says nothing
        for group in order:
            if len(done) >= count:
                break
            for one in groups[group]:
                text = unicodedata.normalize("NFD", one.value.text)
                kept = "".join(c for c in text if (c not in _TONES if has_tones else c not in "hH"))
                if kept != text:
                    one.value.text = unicodedata.normalize("NFC", kept)
                    done.append(one.fault("convention"))
                self._touch(one)
        return done


def injected(source, folder, share, tiers, seed=0, kinds=KINDS):
    """Copy a corpus with faults in a share of its annotations, divided between the kinds → the faults."""
    corpus = Corpus(source, folder, tiers, seed)
    each = max(1, round(share * len(corpus.every()) / len(kinds))) if share else 0
    faults = [fault for kind in kinds for fault in corpus.inject(kind, each if share else 0)]
    corpus.save()
    return faults


def _respelled(word, rng):
    """A word as another person may spell it: a letter doubled or dropped, or another one for its sound."""
    near = {
        "k": "c",
        "c": "k",
        "i": "y",
        "o": "u",
        "u": "o",
        "e": "i",
        "b": "v",
        "z": "s",
        "x": "s",
        "ω": "o",
        "ε": "e",
    }
    near |= {"á": "a", "é": "e", "í": "i", "ó": "o", "ú": "u"}
    ways = [word[:i] + near[c] + word[i + 1 :] for i, c in enumerate(word) if c in near]
    ways += [word.replace("h", "", 1)] if "h" in word else []
    ways += [word[: i + 1] + c + word[i + 1 :] for i, c in enumerate(word) if c in "ltmns"]
    return rng.choice([way for way in ways if way != word] or [word + word[-1]])


def _plain(one):
    return TextRules([{"unicode": "NFC"}, {"case": "lower"}, {"punctuation": "drop"}]).of_corpus([one.value.text])[0]


def _linked(source, target):
    """Recordings are linked, not copied."""
    if Path(source).suffix == ".eaf":
        shutil.copyfile(source, target)
    else:
        Path(target).symlink_to(Path(source).resolve())


# Fault → the kinds of findings that name it. A dropped letter is also another spelling of its word.
NAMED = {
    "swapped": {"text"},
    "shifted": {"boundaries"},
    "spelling": {"spelling"},
    "convention": {"convention", "spelling"},
    "speaker": {"speaker"},
    "copied": {"copied"},
    "deleted": {"unannotated"},
}


def is_about(finding, fault):
    """Whether a finding is about the annotation of a fault, or for a deleted one about most of its time."""
    if finding["kind"] == "convention":
        return fault.kind == "convention" and [fault.recording, fault.tier] in finding["tiers"]
    if finding["recording"] != fault.recording:
        return False
    if fault.kind == "deleted" or finding["kind"] == "unannotated":
        shared = min(finding["end_ms"], fault.end_ms) - max(finding["start_ms"], fault.start_ms)
        return fault.kind == "deleted" and shared > 0.5 * (finding["end_ms"] - finding["start_ms"])
    return finding["tier"] == fault.tier and finding["start_ms"] == fault.start_ms


def scores(findings, faults):
    """Kind → (faults, found as any kind, found by their name), and kind of finding → (findings, about a fault)."""
    recall = {}
    for kind in KINDS:
        own = [fault for fault in faults if fault.kind == kind]
        about = [[f["kind"] for f in findings if is_about(f, fault)] for fault in own]
        recall[kind] = len(own), sum(map(bool, about)), sum(bool(set(kinds) & NAMED[kind]) for kinds in about)
    precision = {}
    for kind in sorted({finding["kind"] for finding in findings}):
        own = [finding for finding in findings if finding["kind"] == kind]
        precision[kind] = len(own), sum(any(is_about(f, fault) for fault in faults) for f in own)
    return recall, precision
