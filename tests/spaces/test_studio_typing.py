"""Studio's forms and keys: what is typed counts at once, however slow the server is; a keyboard is enough for all."""

import shutil

import numpy as np
import pytest
import soundfile
import yaml
from playwright.sync_api import expect
from support import studio

from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.project import runs
from u2u_hf.project.folder import Project
from u2u_hf.records import CORRECTED_TYPE, SEGMENT_TYPE, Annotation, Tier

pytest_plugins = ["support.browser_fixtures"]

# As on a busy computer, requests and answers take long, and those that are sent later would overtake the earlier ones.
SLOW = """
const { fetch } = window;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
let count = 0;
window.fetch = async (...asked) => {
  if (!String(asked[0]).includes("component_server")) return fetch(...asked);
  const ms = 200 * (3 - (count++ % 4));
  await wait(ms);
  const answer = await fetch(...asked);
  await wait(ms);
  return answer;
};
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory, outside):
    with studio.running(tmp_path_factory.mktemp("server"), **outside.environment) as found:
        yield found


@pytest.fixture
def project(tmp_path, demo_folder):
    """A project whose dataset is prepared, as its files say."""
    project = Project(tmp_path / "project")
    shutil.copytree(demo_folder / "corpus", tmp_path / "corpus")
    project.set_paths(tmp_path / "corpus")
    project.dataset.mkdir()
    (project.dataset / "prepare.yaml").touch()
    yield project
    for _ in range(2):
        runs.stop(project.folder, "train")


@pytest.fixture
def opened(running, open_page, project):
    """Open a step of the project → its page, and the other pages of the same browser."""

    def opened(step, is_slow=True):
        page = open_page(f"{running.address}&step=project")
        page.locator("h1").wait_for()
        if page.get_by_role("button", name="Open another project").count():
            page.get_by_role("button", name="Open another project").click()
        page.get_by_label("Folder of the project", exact=True).fill(str(project.folder))
        page.get_by_role("button", name="Make the project").click()
        expect(page.locator("#steps .own")).to_have_text("project")
        if is_slow:
            page.add_init_script(SLOW)
        page.goto(f"{page.url.split('&step')[0]}&step={step}")
        expect(page.locator("h1")).to_have_text(step.capitalize())
        return page

    return opened


def test_a_training_starts_with_what_was_typed_just_before(opened, project):
    """Not a moment passes between the choices, while an answer takes up to 1.2 s."""
    page = opened("train")
    page.get_by_label("The tiny demonstration model").check()
    budget = page.get_by_label("Time budget")
    budget.focus()
    page.keyboard.type("2h30m")
    page.get_by_role("button", name="Download the base model and start training").dblclick()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("alert")).to_have_count(0)  # a double click is no second start
    chosen = project.settings("train")
    assert chosen["time_budget"] == "2h30m"
    assert chosen["model"].endswith("base")
    assert "max_steps" not in chosen
    # What the run reads is that, whatever the form says later.
    run = runs.find(project.folder, "train")
    read = run.command[run.command.index("--config") + 1]
    project.set_settings("train", {"time_budget": "1m"})
    with open(read, encoding="utf-8") as file:
        assert yaml.safe_load(file) == chosen


def test_a_field_stays_as_it_is_while_the_rest_changes(opened, project):
    page = opened("train")
    budget = page.get_by_label("Time budget")
    budget.evaluate("(field) => { window.field = field; }")
    budget.focus()
    page.keyboard.type("2h")
    page.keyboard.press("ArrowLeft")
    project.set_settings("train", {"model": "ana/other"})  # in another window
    expect(page.get_by_label("Its folder, or OWNER/NAME on the Hub")).to_have_value("ana/other")
    page.keyboard.type("30m")
    expect(budget).to_have_value("230mh")
    assert budget.evaluate("(field) => field === window.field && field === document.activeElement")
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")  # back, before the answer is there
    page.keyboard.press("End")
    page.keyboard.type("!")
    expect(page.locator("#steps [aria-current]")).to_be_visible()
    page.wait_for_timeout(2000)  # the answer to the first change has come, and another look
    expect(budget).to_have_value("230m!")
    assert project.settings("train") == {"model": "ana/other", "time_budget": "230m"}


def test_nothing_starts_with_a_time_that_was_refused(opened, project):
    page = opened("train", is_slow=False)
    page.get_by_label("Time budget").fill("soon")
    page.get_by_role("button", name="Download the base model and start training").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("write it as 2h30m, 45m or 90s")
    page.wait_for_timeout(1000)  # both requests are answered
    expect(alert).to_contain_text("write it as 2h30m, 45m or 90s")
    expect(page.get_by_label("Time budget")).to_have_value("soon")
    assert runs.find(project.folder, "train") is None
    assert "time_budget" not in project.settings("train")


def test_a_rule_that_is_typed_stays_while_other_rules_come(opened, project):
    page = opened("corpus")
    fields = page.locator("input[id^=rule-]")
    expect(fields.first).to_be_attached(timeout=60_000)
    last = fields.last
    last.fill("zz")
    expect(page.locator(".preview table").last).to_be_visible()
    first = fields.first.get_attribute("data-preview")
    fields.first.fill("y")
    page.get_by_role("button", name="Make the rule").first.click()
    expect(page.get_by_role("button", name="Back to the usual rules")).to_be_visible(timeout=60_000)
    expect(last).to_have_value("zz")
    expect(page.locator("#all-characters")).to_have_attribute("open", "")
    assert [rule["replace"] for rule in project.settings("prepare")["rules"] if "replace" in rule] == [{first: "y"}]


# The control in focus, also within the editor, as a place in window.controls; and whether one sees that.
CONTROLS = """() => {
  const found = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) walk(element.shadowRoot);
      if (!element.matches("button, input, select, textarea, summary, a[href], iframe, [tabindex='0']")) continue;
      if (element.disabled || !element.checkVisibility({ visibilityProperty: true })) continue;
      // Of radio buttons, Tab reaches the one that is on; arrow keys the others.
      if (element.type === "radio" && !element.checked) continue;
      found.push(element);
    }
  };
  walk(document.getElementById("studio"));
  window.controls = found;
  return found.map((element) => element.id || element.ariaLabel || element.className || element.outerHTML.slice(0, 80));
}"""
FOCUS = """() => {
  let element = document.activeElement;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const isSeen = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
  const label = element.ariaLabel || element.labels?.[0]?.textContent || element.textContent;
  return { place: window.controls?.indexOf(element), isSeen, label: label.trim(), value: element.value ?? "" };
}"""


def require_reachable(page):
    """Go round the page by Tab: every control gets the focus, and shows it."""
    names = page.evaluate(CONTROLS)
    reached, unseen = set(), set()
    for _ in range(3 * len(names)):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["place"] >= 0:
            reached.add(names[focus["place"]])
            if not focus["isSeen"]:
                unseen.add(names[focus["place"]])
        if reached == set(names):
            break
    assert reached == set(names)
    assert unseen <= {"report"}  # a frame's own contents have the focus


def go_to(page, label, value=None):
    """Press Tab until the control with this label, or one that begins so, has the focus."""
    for _ in range(200):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["label"].startswith(label) and value in (None, focus["value"]):
            return
    raise AssertionError(label)


def press(page, label):
    go_to(page, label)
    page.keyboard.press("Enter")


def test_a_keyboard_is_enough(running, open_page, demo_folder, tmp_path, elan_schema):
    """The whole way; what recipes make, other than a dataset, is made here."""
    corpus = tmp_path / "corpus"
    shutil.copytree(demo_folder / "corpus", corpus)
    project = Project(tmp_path / "by_keys")
    page = open_page(f"{running.address}&step=project")
    heading = page.locator("h1")
    expect(heading).to_have_text("Project")
    if page.get_by_role("button", name="Open another project").count():
        press(page, "Open another project")
    go_to(page, "Folder of the project")
    page.keyboard.type(str(project.folder))
    go_to(page, "Folder of the corpus")
    page.keyboard.type(str(tmp_path))
    press(page, "Browse… Folder of the corpus")
    expect(page.get_by_role("button", name="📁 corpus")).to_be_visible()
    require_reachable(page)
    press(page, "📁 corpus")
    expect(page.locator(".path")).to_have_text(str(corpus))
    press(page, "Choose this folder")
    expect(page.get_by_label("Folder of the corpus", exact=True)).to_have_value(str(corpus))
    press(page, "Make the project")

    expect(heading).to_have_text("Corpus")
    expect(heading).to_be_focused()
    expect(page.locator("#all-characters")).to_be_visible(timeout=60_000)
    require_reachable(page)
    for _ in range(2):
        go_to(page, "notes")
        page.keyboard.press("Space")
        page.wait_for_timeout(300)
    press(page, "Choose for me again")
    expect(page.get_by_role("button", name="Choose for me again")).to_have_count(0)
    expect(page.get_by_text("Looking at the corpus")).to_have_count(0, timeout=60_000)  # its characters, not the notes'
    go_to(page, "write instead of")
    page.keyboard.type("y")
    expect(page.locator(".preview table").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Back to the usual rules")).to_be_visible(timeout=60_000)
    go_to(page, "the loudest channel of each speaker")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("the first tier on the first channel")).to_be_checked()
    page.keyboard.press("ArrowUp")
    press(page, "Next: Prepare")

    expect(heading).to_have_text("Prepare")
    require_reachable(page)
    press(page, "Prepare the dataset")
    expect(page.get_by_text("Done in")).to_be_visible(timeout=60_000)
    assert set(project.settings("prepare")) == {"rules"}
    require_reachable(page)
    press(page, "Next: Train")

    expect(heading).to_have_text("Train")
    require_reachable(page)
    go_to(page, "mHuBERT-147")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    go_to(page, "Time budget")
    page.keyboard.type("20s")
    press(page, "Start training")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert project.settings("train")["time_budget"] == "20s"
    require_reachable(page)
    press(page, "Stop")
    expect(page.get_by_text("Stopped.")).to_be_visible(timeout=60_000)
    project.model.mkdir(exist_ok=True)
    (project.model / "train.yaml").touch()
    expect(page.get_by_role("button", name="Next: Scores")).to_be_visible()  # the page looks each second and a half
    press(page, "Next: Scores")

    expect(heading).to_have_text("Scores")
    require_reachable(page)
    project.scores.mkdir()
    (project.scores / "metrics.json").write_text('{"cer": 0.125, "wer": 0.5, "utterances": 8}')
    (project.scores / "evaluation.html").write_text("<h1>Scores</h1>")
    expect(page.get_by_role("button", name="Next: Transcribe")).to_be_visible()
    press(page, "Next: Transcribe")
    expect(heading).to_have_text("Transcribe")
    require_reachable(page)
    transcript = project.transcripts / "a.eaf"
    transcript.parent.mkdir()
    texts = ["ña ku tisi", "nuu", "koo ini", "vii"]
    segments = tuple(Annotation(1000 * i, 1000 * i + 900, text) for i, text in enumerate(texts))
    soundfile.write(corpus / "a.wav", np.sin(np.arange(5 * 8000) / 5), 8000)
    types = Tier("checked", (), CORRECTED_TYPE)
    write_eaf(transcript, [Tier("channel 1", segments, SEGMENT_TYPE), types], [], writers.CONSTRAINTS)
    expect(page.get_by_role("button", name="Next: Correct")).to_be_visible()
    press(page, "Next: Correct")

    expect(heading).to_have_text("Correct")
    require_reachable(page)
    press(page, "a.eaf")
    expect(page.get_by_role("textbox", name="Text 0:03.0")).to_be_visible()
    require_reachable(page)
    go_to(page, "Text 0:00.0")
    page.keyboard.press("Control+Home")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Control+b")  # within the text: ña | ku tisi
    page.keyboard.press("Control+ArrowDown")
    page.keyboard.press("Control+ArrowDown")
    page.keyboard.press("End")
    page.keyboard.type("n")
    page.keyboard.press("Control+ArrowDown")
    page.keyboard.press("Control+j")  # koo ini + vii
    go_to(page, "End")
    page.keyboard.press("ArrowUp")  # 10 ms later
    go_to(page, "Text 0:01.0")
    page.keyboard.press("Control+d")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    press(page, "All of it is checked")
    expect(page.get_by_text("It counts as checked now")).to_be_visible()
    elan_schema(transcript)
    tier = read_eaf(transcript).tiers[0]
    found = [(a.start_ms, a.end_ms, a.value) for a in tier.annotations]
    assert [text for *_, text in found] == ["ña", "ku tisi", "nuun", "koo ini vii"]
    assert [found[0][0], *found[1][1:2], *found[2][:2], *found[3][:2]] == [0, 900, 1000, 1900, 2000, 3910]
    assert found[0][1] == found[1][0]
    assert tier.linguistic_type == CORRECTED_TYPE
    press(page, "All transcripts")
    go_to(page, "Learn from the corrections")

    press(page, "Share")
    expect(heading).to_have_text("Share")
    require_reachable(page)
