"""Training on hardware that is rented from the Hugging Face Hub: a part of the step Train."""

from huggingface_hub import constants, get_token
from parts import (
    View,
    button,
    choice,
    duration,
    field_of,
    joined_if,
    log_of,
    paragraph,
    problem,
    run_note,
    table,
    terminal,
)

from u2u_hf.project import rented, runs
from u2u_hf.project.rented import (
    CANCEL,
    CANCELLED,
    FAILED,
    FETCH,
    FINISHED,
    HARDWARE,
    PRICE,
    REFUSED,
    STOPPED,
    UNSEEN,
    UPLOAD,
)
from u2u_hf.project.steps import RUNNING
from u2u_hf.records import U2UError
from u2u_hf.reports.html import Markup, element, joined

FORM = "rented-form"


def rented_section(view: View) -> Markup:
    """Return the whole way to a job: what it needs, the hardware, the dataset, the price, the consent."""
    say, project = view.say, view.project
    assert project
    try:
        chosen = rented.wish(project)
        parts = [_where(view, chosen), _hardware(view, chosen), _dataset(view, chosen), _price(view, chosen)]
    except U2UError as error:  # a settings file that was damaged by hand
        return problem(str(error))
    begun = chosen.repository or runs.find(project.folder, HARDWARE)
    return element(
        "details",
        element("summary", say("rented")),
        paragraph(say("rented_about")),
        login_note(view),
        element("form", *parts, id=FORM),
        id="rented",
        class_="rented",
        open="" if begun else None,
    )


def rented_state(view: View, run: runs.Run) -> Markup:
    """Return how the job of a run is, in words, with what can be done now."""
    say, project = view.say, view.project
    assert project
    how, job = rented.ending(run), run.job
    spent = say("rented_spent", time=job.time, cost=job.cost) if job.cost else ""
    repository = rented.repository_of(project, run)
    buttons: list[Markup] = []
    if how == RUNNING:
        known = bool(job.job)
        note = paragraph(say("rented_running") if known else say("rented_starting"), "note")
        busy = _is_running(view, CANCEL)
        if known and not busy:
            buttons.append(button(say("rented_cancel"), "cancel_job"))
        elif not known:
            buttons.append(button(say("stop"), "stop"))
    elif how == FINISHED:
        note = element("p", say("rented_finished", repository=repository) + spent, class_="good")
        before = runs.find(project.folder, FETCH)
        is_new = not (before and before.state == runs.DONE and before.began > run.began)
        buttons += [] if _is_running(view, FETCH) else [button(say("rented_fetch"), "fetch", primary=is_new)]
    elif how in (CANCELLED, STOPPED):
        note = paragraph(say(f"rented_{how}", repository=repository) + spent, "note")
    elif how == FAILED:
        note = problem(say("rented_failed", error=rented.recipe_error(run) or run.error) + spent)
    elif how == UNSEEN:
        note = problem(say("rented_unseen"))
        buttons += [button(say("rented_watch"), "watch_job", primary=True), button(say("rented_cancel"), "cancel_job")]
    else:
        assert how == REFUSED
        note = problem(say("rented_refused", error=run.error))
    row = element("div", *buttons, class_="row") if buttons else None
    shown = [_ran(view, CANCEL) if how in (RUNNING, UNSEEN) else None, _ran(view, FETCH) if how == FINISHED else None]
    return element("div", note, row, _page(view, job.url), *shown, terminal(view, list(run.asked), "job"))


def signature(view: View) -> tuple[object, ...]:
    """Return what this part of the page depends on, beside its files."""
    if view.tab.step == "share":
        return (bool(get_token()),)
    if view.tab.step != "train" or not view.project:
        return ()
    states = [runs.find(view.project.folder, name) for name in rented.RUNS]
    job = view.run.job.job if rented.is_rented(view.run) else ""
    return (bool(get_token()), job, *((run.step, run.state, run.began) for run in states if run))


def login_note(view: View) -> Markup:
    """Return whether somebody is logged in on this computer. The token itself goes nowhere."""
    if get_token():
        return paragraph(view.say("rented_login"), "soft")
    tokens = f"{constants.ENDPOINT}/settings/tokens"
    return element("p", view.say("rented_no_login", tokens=tokens), class_="note")


def _where(view: View, chosen: rented.Wish) -> Markup:
    say = view.say
    return joined(
        element("h3", say("rented_where")),
        field_of(
            "rented_repository",
            say("share_repository"),
            chosen.repository,
            say("rented_repository_info"),
            placeholder="ana/my-language",
            change="rented_settings",
        ),
        field_of(
            "rented_budget",
            say("rented_budget"),
            chosen.time_budget,
            say("rented_budget_info"),
            placeholder="3h",
            change="rented_settings",
        ),
    )


def _hardware(view: View, chosen: rented.Wish) -> Markup:
    say, project = view.say, view.project
    assert project
    known = rented.hardware(project)
    heads = [say("rented_flavor"), say("rented_has"), f"#{say('rented_hourly')}"]
    rows = [
        (choice("radio", "flavor", name, name, name == chosen.flavor, change="rented_settings"), has, price)
        for name, has, price in known
    ]
    ask = None if _is_running(view, HARDWARE) else button(say("rented_ask_hardware"), "ask_hardware")
    return joined(
        element("h3", say("rented_hardware")),
        paragraph(say("rented_hardware_about")),
        table(heads, rows, "hardware") if rows else None,
        element("div", ask, class_="row"),
        _ran(view, HARDWARE),
        terminal(view, rented.hardware_command(), HARDWARE),
    )


def _dataset(view: View, chosen: rented.Wish) -> Markup:
    say, project = view.say, view.project
    assert project
    parts: list[Markup | None] = [element("h3", say("rented_dataset"))]
    if not chosen.repository:
        return joined(*parts, paragraph(say("rented_first_repository"), "soft"))
    parts.append(paragraph(say("rented_dataset_about", dataset=chosen.dataset)))
    if not _is_running(view, UPLOAD):
        label = say("rented_upload", dataset=chosen.dataset)
        parts.append(element("div", button(label, "upload"), class_="row"))
    return joined(*parts, _ran(view, UPLOAD), terminal(view, rented.upload_command(project), UPLOAD))


def _price(view: View, chosen: rented.Wish) -> Markup:
    say, project = view.say, view.project
    assert project
    parts: list[Markup | None] = [element("h3", say("rented_price"))]
    if not chosen.is_complete:
        return joined(*parts, paragraph(say("rented_first"), "soft"))
    parts.append(paragraph(say("rented_price_about")))
    found = rented.offer(project)
    if not _is_running(view, PRICE):
        ask = button(say("rented_ask_price"), "ask_price", primary=not found)
        parts.append(element("div", ask, class_="row"))
    if found:
        rows = [(say("rented_note") if verb == "!" else say(f"rented_{verb}"), what) for verb, what in found.lines]
        rent = button(say("rented_start", most=found.most), "rent", primary=True, value=found.most, name="it")
        consent = element("div", rent, class_="row")
        parts += [_terms(rows), paragraph(say("rented_agree", most=found.most)), consent]
        parts.append(terminal(view, rented.rent_command(project), "rent"))
    else:
        parts += [_ran(view, PRICE), terminal(view, rented.price_command(project), PRICE)]
    return joined(*parts)


def _terms(rows: list[tuple[str, str]]) -> Markup:
    return element("dl", *(part for verb, what in rows for part in (element("dt", verb), element("dd", what))))


def _is_running(view: View, name: str) -> bool:
    assert view.project
    run = runs.find(view.project.folder, name)
    return bool(run and run.state == runs.RUNNING)


def _ran(view: View, name: str) -> Markup | None:
    """Return how a run of one of the parts is, with what it wrote if it failed."""
    assert view.project
    run = runs.find(view.project.folder, name)
    if not run:
        return None
    if run.state == runs.RUNNING:
        return element("p", view.say(f"rented_busy_{name}"), class_="busy")
    if run.state == runs.DONE:
        return paragraph(view.say("run_done", time=duration((run.ended or run.began) - run.began)), "soft")
    return joined(joined_if(run_note(view, run)), joined_if(log_of(view, run, name=name)))


def _page(view: View, address: str) -> Markup | None:
    if not address.startswith(("https://", "http://")):
        return None
    link = element("a", view.say("rented_page"), href=address, target="_blank", rel="noopener noreferrer")
    return element("p", link)
