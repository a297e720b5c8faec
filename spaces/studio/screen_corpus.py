"""What is in the corpus: tiers to tick, characters with rules to make, channels, and problems with their remedies."""

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

from parts import View, button, choice, control, element, numbers, paragraph, problem, section, table, terminal
from screen_project import warnings
from words import WORDS

from u2u_hf.corpus.tier_patterns import matches
from u2u_hf.project.commands import command
from u2u_hf.project.remedies import problems
from u2u_hf.project.rules import Change, rules_of
from u2u_hf.project.rules import written as written_rules
from u2u_hf.project.steps import CORPUS
from u2u_hf.records import U2UError
from u2u_hf.reports.characters import PLAIN_MARKS, Character, excerpt, shown
from u2u_hf.reports.digest import Digest, TierSummary, hours
from u2u_hf.reports.html import Markup, OwnText, joined
from u2u_hf.reports.quantities import length
from u2u_hf.visible_text import visible

_MOST_CHANGES = 5


def corpus_screen(view: View) -> Markup:
    say, project = view.say, view.project
    assert project
    look = view.projects.look(project)
    look.request(project)
    parts: list[Markup | None] = list(warnings(view))
    if look.busy:
        parts.append(element("p", say("looking"), class_="busy", role="status"))
    if look.problem:
        parts.append(problem(look.problem))
    found = look.found
    if found:
        settings = _settings(view)
        parts += [
            problem(found.problem) if found.problem else None,
            _numbers(view, found),
            _tiers(view, found, _ticked(settings), look.busy),
            _characters(view, found),
            _rules(view, found, settings),
            _channels(view, found, settings),
            _problems(view, found),
            *(paragraph(f"! {visible(remark)}", "note") for remark in found.remarks),
            _keep(view, settings),
        ]
    try:
        parts.append(terminal(view, command(project, CORPUS)))
    except U2UError as error:
        parts.append(problem(str(error)))
    return joined(*parts)


def _settings(view: View) -> dict[str, Any]:
    assert view.project
    try:
        return view.project.settings("prepare")
    except U2UError:
        return {}


def _numbers(view: View, found: Digest) -> Markup:
    say, training = view.say, found.splits.get("train")
    return numbers(
        [
            *([(length(training.hours), say("numbers_training"))] if training else []),
            (length(hours(found.kept)), say("numbers_all") if training else say("numbers_training")),
            (view.whole(len(found.kept)), say("numbers_utterances")),
            (view.whole(len(found.dropped)), say("numbers_dropped")),
            (f"{len({u.speaker for u in found.kept})}", say("numbers_speakers")),
            (f"{len({u.recording for u in found.kept})}", say("numbers_recordings")),
        ]
    )


def _ticked(settings: dict[str, Any]) -> list[str]:
    """Return the patterns of the tiers that a person chose; empty where Studio chooses."""
    named = settings.get("tiers") or []
    return [str(name) for name in (named if isinstance(named, list) else [named])]


def _tiers(view: View, found: Digest, ticked: list[str], is_busy: bool) -> Markup:
    say = view.say
    # Until the look that a tick has begun has ended, the last one knows nothing of it.
    chosen = {
        tier.name: matches(tier.name, ticked) if is_busy and ticked else bool(tier.chosen) for tier in found.tiers
    }
    has_types, has_people = (
        any(getattr(tier, name) for tier in found.tiers) for name in ("linguistic_types", "participants")
    )
    heads = [say("tier"), *([say("type")] if has_types else []), *([say("participant")] if has_people else [])]
    heads += [f"#{say('annotations')}", f"#{say('length')}", say("samples")]
    rows = [
        (
            element(
                "div",
                choice("checkbox", "tiers", tier.name, element("b", tier.name), chosen[tier.name], change="tick"),
                element("span", _why(view, tier), class_="soft"),
            ),
            *([", ".join(tier.linguistic_types)] if has_types else []),
            *([", ".join(tier.participants)] if has_people else []),
            view.whole(tier.annotations),
            length(tier.hours),
            element("div", *(_quote(excerpt(sample, "", 60)) for sample in tier.samples)),
        )
        for tier in found.tiers
    ]
    again = button(say("tiers_auto"), "tiers_auto") if ticked else None
    return section(say("tiers"), paragraph(say("tiers_about")), element("form", table(heads, rows, "tiers")), again)


def _why(view: View, tier: TierSummary) -> OwnText:
    some = 0 < tier.chosen < tier.files
    parts = [view.say("in_some_files", chosen=tier.chosen, files=tier.files)] if some else []
    return OwnText("; ".join([*parts, view.found(tier.why) if tier.why else view.say("not_chosen")]))


def _quote(text: str) -> Markup:
    return element("span", text, class_="quote", dir="auto")


def _characters(view: View, found: Digest) -> Markup:
    say = view.say
    odd = [c for c in found.characters.characters if _odd_marks(c)]
    alike = {c.character for group in found.characters.look_alikes for c in group}
    odd += [c for c in found.characters.characters if c.character in alike and c not in odd]
    rest = [c for c in found.characters.characters if c not in odd and c.character != " "]
    all_of_them = _inventory(view, found, rest)
    return section(
        say("characters"),
        paragraph(say("characters_about")),
        _inventory(view, found, odd) if odd else None,
        element(
            "details",
            element("summary", say("all_characters", count=len(rest))),
            all_of_them,
            id="all-characters",
            open="" if not odd and len(rest) <= 40 else None,
        )
        if rest
        else None,
        element("details", element("summary", say("removed")), _gone(view, found), id="removed")
        if found.removed
        else None,
    )


def _odd_marks(character: Character) -> list[str]:
    return [mark for mark in character.marks if mark not in PLAIN_MARKS]


def _inventory(view: View, found: Digest, characters: Iterable[Character]) -> Markup:
    say = view.say
    heads = [say("character"), say("name"), f"#{say('count')}", say("example"), say("instead_head")]
    rows = [
        (
            element("span", shown(c.character), class_="glyph"),
            element(
                "div",
                c.name.lower(),
                element("span", f" {c.code_point}", class_="soft"),
                *(element("span", view.found(mark), class_="mark-odd") for mark in _odd_marks(c)),
            ),
            view.whole(c.count),
            _example(found, c, c.example.text),
            _rule_form(view, c),
        )
        for c in characters
    ]
    return table(heads, rows, "characters")


def _example(found: Digest, c: Character, text: str) -> Markup:
    one = c.example
    where = f"{PurePath(one.recording).name}, {one.tier}, {found.time(one)}"
    place = element("span", where, class_="soft where", title=str(one.recording))
    return element("div", _quote(excerpt(text, c.character, 40)), place)


def _rule_form(view: View, c: Character) -> Markup:
    say = view.say
    typed = control(
        type="text",
        name_="by",
        id=f"rule-{c.code_point}",
        data_preview=c.character,
        aria_label=say("instead", character=f"{shown(c.character)} {c.code_point}"),
        placeholder=say("instead_info"),
        autocomplete="off",
        spellcheck="false",
    )
    make = button(say("make_rule"), "make_rule", value=c.character, name=c.code_point)
    result = element("div", class_="preview", aria_live="polite", data_own="")
    return element("form", typed, make, result, class_="rule")


def _gone(view: View, found: Digest) -> Markup:
    say = view.say
    heads = [say("character"), say("name"), f"#{say('count')}", say("example")]
    rows = [
        (
            element("span", shown(c.character), class_="glyph"),
            element("div", c.name.lower(), element("span", f" {c.code_point}", class_="soft")),
            view.whole(c.count),
            _example(found, c, c.example.raw_text),
        )
        for c in found.removed
    ]
    return table(heads, rows, "characters")


def preview(view: View, changes: Sequence[Change]) -> Markup:
    """Return what a rule would change in real annotations."""
    say = view.say
    if not changes:
        return paragraph(say("preview_none"), "soft")
    rows = [
        (_quote(excerpt(c.utterance.raw_text, "", 60)), _quote(_shorter(c.before)), _quote(_shorter(c.after) or "∅"))
        for c in changes[:_MOST_CHANGES]
    ]
    heads = [say("as_written"), say("before"), say("after")]
    return joined(paragraph(say("preview", count=view.whole(len(changes)))), table(heads, rows))


def _shorter(text: str) -> str:
    return excerpt(text, "", 60)


def _rules(view: View, found: Digest, settings: dict[str, Any]) -> Markup:
    say = view.say
    items = []
    rules = rules_of(settings)
    for rule, written in zip(rules, written_rules(rules), strict=True):
        count = found.rules.get(written)  # none yet of a rule that is new
        before, after = found.rule_examples.get(written, ("", ""))
        [(name, value)] = rule.items()
        if name == "replace" and isinstance(value, dict):
            pairs = [
                element(
                    "div",
                    element("code", f"{shown(str(old)) if len(str(old)) == 1 else old} → {new or say('nothing')}"),
                    _remove(view, f"{old} → {new}", written, str(old)),
                    class_="row",
                )
                for old, new in value.items()
            ]
            what: Markup = element("div", *pairs)
        else:
            what = element("div", element("code", written), _remove(view, written, written), class_="row")
        example = (
            joined(_quote(excerpt(before, "", 60)), " → ", _quote(excerpt(after, "", 60) or "∅")) if before else None
        )
        about = f"rule_{name}"
        items.append(
            element(
                "li",
                element("b", say(about)) if about in WORDS["en"] else None,
                what,
                element("span", say("rule_changed", count=view.whole(count)), class_="soft")
                if count is not None
                else None,
                element("div", example, class_="pair") if example else None,
            )
        )
    usual = button(say("rules_default"), "rules_default") if settings.get("rules") else None
    return section(say("rules"), paragraph(say("rules_about")), element("ol", *items, class_="rules"), usual)


def _remove(view: View, shown_as: str, rule: str, what: str = "") -> Markup:
    """Return the button that removes a rule, or one replacement of it: by its words, as rules come and go."""
    value = json.dumps([rule, what])
    return button(view.say("remove"), "remove_rule", value=value, spoken=view.say("remove_rule", rule=shown_as))


def _channels(view: View, found: Digest, settings: dict[str, Any]) -> Markup:
    say = view.say
    how = settings.get("channels") or ["auto"]
    how = how if isinstance(how, list) else [how]
    choices = [
        choice("radio", "channels", name, say(f"channels_{name}"), how == [name], change="channels")
        for name in ("auto", "order")
    ]
    if how not in (["auto"], ["order"]):
        choices.append(choice("radio", "channels", "own", ", ".join(map(str, how)), True))
    close = [c for c in found.channels if c.close]
    rows, everyone = (
        [
            (c.recording, c.tier, str(c.channel + 1), "" if c.margin_db is None else f"{c.margin_db:.1f} dB")
            for c in some
        ]
        for some in (close, found.channels)
    )
    heads = [say("recording"), say("tier"), f"#{say('channel')}", f"#{say('louder')}"]
    legend = element("legend", say("channels_how"))
    return section(
        say("channels"),
        element("form", element("fieldset", legend, *choices)),
        table(heads, rows) if rows else paragraph(say("channels_sure", count=len(found.channels)), "soft"),
        element("details", element("summary", say("channels_all")), table(heads, everyone), id="channels-all"),
    )


def _problems(view: View, found: Digest) -> Markup:
    say = view.say
    heads = [say("problem"), f"#{say('how_many')}", say("first_in"), say("what_to_do")]
    rows = [(view.found(p.what), view.whole(p.count), p.where, say(f"remedy_{p.remedy}")) for p in problems(found)]
    return section(say("problems"), table(heads, rows, "problems") if rows else paragraph(say("problems_none")))


def _keep(view: View, settings: dict[str, Any]) -> Markup:
    say, project = view.say, view.project
    assert project
    kept = paragraph(say("corpus_kept", file=str(project.config("prepare"))), "soft") if settings else None
    go = button(say("next", step=say("step_prepare")), "keep_corpus", primary=True)
    return element("div", kept, element("div", go, button(say("look_again"), "look_again"), class_="row"), class_="end")
