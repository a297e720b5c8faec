"""The help page that ELAN shows beside the recogniser.

ELAN shows it in Java's own viewer, which knows HTML 3.2 and no SVG, and may take the page for one in the encoding of
the system: so the picture is made of tables, and the page is ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from u2u_hf.integrations.elan import parameters
from u2u_hf.integrations.elan.parameters import ChoiceParameter, FileParameter, MenuItem, NumberParameter, Parameter

_STYLE = """
body { font-family: sans-serif; font-size: 12pt; margin: 12px; color: #222222; background-color: #ffffff }
h1 { font-size: 17pt; color: #1f5fa8 }
h2 { font-size: 14pt; color: #1f5fa8; margin-top: 18px }
td, th { font-size: 11pt; vertical-align: top; text-align: left }
p, li { margin-top: 4px; margin-bottom: 4px }
"""
_INTRODUCTION = """
<p>A recogniser that was trained on transcripts of your language. It works on this computer: your recordings go nowhere.
In ELAN's tab <b>Recognizers</b> it has three entries, one for each task.</p>
"""
_STEPS = """
<ol>
<li>Open the transcript of the recording. The recording itself must be linked (<i>Edit &gt; Linked Files</i>).</li>
<li>Choose the tab <b>Recognizers</b>, and in its list the task.</li>
<li>Choose the recording and, if the task needs one, the tier. Everything else may stay as it is.</li>
<li>Press <b>Start</b>. The bar shows how much is done and how long it still takes. <b>Cancel</b> ends it at once.</li>
<li>ELAN asks whether to load the result. Say yes: new tiers appear, and nothing of yours is changed.</li>
</ol>
"""
_DOES = {
    parameters.SEGMENTS.id: "choose <i>Tier</i> and its name; selections made by hand do too",
    parameters.RESULT.id: "may stay empty: ELAN makes a file beside the recording",
    parameters.CURVE.id: "may stay empty: then there is no curve",
    parameters.CHANNELS.id: "<tt>no</tt>: only the first channel",
    parameters.SENSITIVITY.id: "higher finds quieter speech, and takes more noise for speech",
    parameters.LONGEST.id: "longer ones are split where speech is least likely",
    parameters.UNSURE.id: "higher marks more segments on the tier of unsure ones",
}
_TIERS = """
transcript        | Transcribe  | what is said; of several channels: <tt>channel_1</tt>, <tt>channel_2</tt> ...
transcript_words  | Transcribe  | each word with its time
transcript_unsure | Transcribe  | the segments to check first, with how sure the recogniser is: <tt>42%</tt>
aligned_words     | Align       | each word of your transcripts with its time, in lower case and without punctuation
aligned_fit       | Align       | how well each transcript fits the recording: a low number is often a wrong transcript
speech            | Find speech | segments where somebody speaks; of several channels: <tt>speech_channel_1</tt> ...
"""
_CURVE = """
<p style="margin-top: 14px"><b>Curve of confidence</b>: choose a file for it, and ELAN shows below the waveform how
sure the recogniser is of each word, from 0 to 1.</p>
<p>A tier of that name that is there already stays as it is: the new one is called <tt>transcript-1</tt>. Correct a tier
before you add it to your training data, and delete the others of these tiers there: to u2u-hf they look like your own
work.</p>
"""
_PROBLEMS = """
&ldquo;Recognizer failed&rdquo;
    | press <b>Report</b>: the line above <tt>RESULT: FAILED.</tt> says what is wrong and what to do
The model, or the Python of u2u-hf, is not there any more
    | it was moved or deleted: run <tt>python recipes/elan.py install --model MODEL</tt> again, and restart ELAN
The entries are not in the list
    | a new version of ELAN begins without extensions: run the same command, and restart ELAN
No speech is found, or too little
    | <b>Advanced parameters</b>: raise the sensitivity. Or make segments on a tier, and choose it for <i>Transcribe</i>
Noise is taken for speech
    | lower the sensitivity
Two channels hold the same voice
    | set <i>A tier for each channel</i> to <tt>no</tt>
Segments are too long to read
    | <b>Advanced parameters</b>: lower the longest segment
The times are shifted
    | the recording has an offset in ELAN, of which a recogniser is not told: the times are those of the recording
"""


def help_page(title: str) -> str:
    """Return the page for a model of this name."""
    sections = {
        "How to use it": _STEPS,
        "The tab Recognizers": f"<p>Drawn, not photographed: yours looks a little different.</p>{_tab(title)}",
        "Tasks and parameters": "".join(map(_task, parameters.MENU)),
        "What you get": _table(("tier", "task", "holds"), ((f"<tt>{a}</tt>", b, c) for a, b, c in _rows(_TIERS)))
        + _CURVE,
        "When something goes wrong": _table(("what happens", "what to do"), _rows(_PROBLEMS.replace("\n    |", "|"))),
    }
    body = "".join(f"<h2>{heading}</h2>{text}" for heading, text in sections.items())
    name = f"{_text(title)} in ELAN"
    head = f"<head><title>{name}</title><style>{_STYLE}</style></head>"
    return f"<html>{head}<body><h1>{name}</h1>{_INTRODUCTION}{body}</body></html>\n"


def _text(text: str) -> str:
    """Return escaped ASCII."""
    return escape(text).encode("ascii", "xmlcharrefreplace").decode()


def _rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    look = 'border="1" cellspacing="0" cellpadding="4" width="100%"'
    return f'<table {look}><tr bgcolor="#e6eef7">{head}</tr>{body}</table>'


def _task(item: MenuItem) -> str:
    rows = [(_text(p.label), _meaning(p)) for p in item.parameters if p != parameters.RECORDING]
    told = f'<p style="margin-top: 14px"><b>{item.name}.</b> {item.does}</p>'
    return told + _table(("parameter", "what it does"), rows)


def _meaning(parameter: Parameter) -> str:
    does = _DOES[parameter.id]
    if isinstance(parameter, NumberParameter):
        return f"Advanced. {parameter.least:g} to {parameter.most:g}, usually {parameter.default:g}: {does}"
    if isinstance(parameter, ChoiceParameter):
        return f"Usually <tt>{parameter.default}</tt>. {does}"
    return f"Needed: {does}" if parameter.is_input and not parameter.optional else does


def _tab(title: str) -> str:
    """Return a drawing of ELAN's tab for the first task."""
    item = parameters.MENU[0]
    settings = [(p.label, p.default) for p in item.parameters if isinstance(p, ChoiceParameter)]
    files = [(p.label, "story.wav" if p == parameters.RECORDING else "") for p in item.parameters if _is_file(p)]
    names = ("Grid", "Text", "Subtitles", "Lexicon", "Comments", "Recognizers", "Metadata", "Controls")
    tabs = "".join(_cell(name, "#ffffff" if name == "Recognizers" else "#d9d9d9") for name in names)
    rows = "".join(f'<tr><td width="55%">{_text(label)}</td>{_cell(value)}</tr>' for label, value in settings + files)
    entry = f"{item.name}: {_text(title)} (u2u-hf)"
    return (
        '<table border="1" cellspacing="0" cellpadding="6" bgcolor="#f2f2f2" width="100%"><tr><td>'
        f'<table cellspacing="2" cellpadding="2"><tr>{tabs}</tr></table>'
        + _line("<td>Recognizer:</td>", _cell(entry), _button("?"))
        + _line(_button("Advanced parameters"), '<td width="70%"></td>')
        + f'<table cellspacing="4" cellpadding="2" width="100%">{rows}</table>'
        + _line(_cell("42% transcribing, 1:05 left"), _button("Report"), _button("Cancel"))
        + "</td></tr></table>"
    )


def _is_file(parameter: Parameter) -> bool:
    return isinstance(parameter, FileParameter)


def _line(*cells: str) -> str:
    return f'<table cellspacing="4" cellpadding="3" width="100%"><tr>{"".join(cells)}</tr></table>'


def _cell(text: str, colour: str = "#ffffff") -> str:
    return f'<td bgcolor="{colour}">{text or "&nbsp;"}</td>'


def _button(text: str) -> str:
    return f'<td bgcolor="#c9d8ea" align="center"><b>{text}</b></td>'
