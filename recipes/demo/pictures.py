"""Make README's pictures from the output of the quickstart.

    python recipes/quickstart.py --output_dir quickstart
    python recipes/export.py --model quickstart/model --dataset quickstart/dataset
    python recipes/demo/pictures.py --quickstart quickstart --output_dir recipes/demo/pictures

Needs Chromium, Node.js and what `pip install -e ".[test]"` installs. Look at every picture before you commit it.
praat.webp is a picture of a screen, taken by hand.
"""

import dataclasses
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
import soundfile
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from u2u_hf import cli
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.integrations.elan.help_page import help_page
from u2u_hf.project.folder import Project
from u2u_hf.records import Tier, U2UError
from u2u_hf.settings import setting

SPACES = Path(__file__).parents[2] / "spaces"
WIDTH = 1280  # pixels
RECORDING = "nci_new_09"
STRETCH_MS = (0, 11_500)  # part of the recording that the transcript picture shows
# Chromium has no sandbox for root; without a microphone the Gradio page shows a message about it.
ARGUMENTS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@dataclasses.dataclass
class Arguments:
    quickstart: str = setting(help="output folder of quickstart.py, its model exported by export.py")
    output_dir: str = setting(help="folder for the pictures; older ones are replaced")


def main() -> None:
    (args,) = cli.parse(Arguments, description=__doc__)
    source, folder = Path(args.quickstart), Path(args.output_dir)
    recording = source / "demo" / "new_recordings" / f"{RECORDING}.wav"
    if not recording.is_file():
        raise U2UError(f"{recording}: is missing: run quickstart.py --output_dir {source} first")
    folder.mkdir(parents=True, exist_ok=True)
    save(transcript(recording, source / "transcripts" / f"{RECORDING}.eaf"), folder / "transcript.webp")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        report = document(browser, source / "dataset" / "report.html", "durations-and-pace")
        save(report, folder / "report.webp")
        scores = document(browser, source / "scores" / "evaluation.html", "speakers", "worst-utterances")
        save(scores, folder / "evaluation.webp")
        save(gradio_page(browser, source / "model", recording), folder / "gradio_page.webp")
        save(browser_page(browser, source / "model", recording), folder / "browser_page.webp")
        save(elan_tab(browser), folder / "elan_tab.webp")
        save(studio(browser, source / "demo" / "corpus"), folder / "studio.webp")
        browser.close()
    print(f"pictures: {folder}, {sum(path.stat().st_size for path in folder.glob('*.webp')) / 1000:.0f} kB")


def save(png: bytes, path: Path) -> None:
    """Write a PNG as lossless WebP, which takes about half of its size."""
    Image.open(BytesIO(png)).convert("RGB").save(path, lossless=True, method=6)


def transcript(recording: Path, eaf: Path) -> bytes:
    """Return a PNG of the recording's channels and the tiers of its transcript, laid out as in ELAN."""
    samples, rate = soundfile.read(recording, dtype="float32", always_2d=True)
    tiers = read_eaf(eaf).tiers
    matplotlib.rcParams["font.family"] = "DejaVu Sans"
    heights = [1.2] * samples.shape[1] + [0.55] * len(tiers)
    figure = Figure(figsize=(WIDTH / 100, sum(heights) * 0.62), dpi=100, layout="constrained")
    rows = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    figure.get_layout_engine().set(h_pad=0, hspace=0, w_pad=0.06, rect=(0, 0.01, 1, 0.97))
    for axes, channel in zip(rows, samples.T, strict=False):
        draw_waveform(axes, channel, rate)
    for axes, tier in zip(rows[samples.shape[1] :], tiers, strict=True):
        draw_tier(axes, tier)
    rows[0].set_xlim(STRETCH_MS[0] / 1000, STRETCH_MS[1] / 1000)
    rows[0].tick_params(top=True, labeltop=True, labelsize=9)
    rows[-1].tick_params(labelbottom=False)
    rows[0].xaxis.set_major_formatter(lambda seconds, _: f"00:{seconds:04.1f}")
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def draw_waveform(axes: Axes, channel: np.ndarray, rate: int) -> None:
    """Draw the peaks of one channel, two pixels apart."""
    begin, end = (round(ms * rate / 1000) for ms in STRETCH_MS)
    peaks = [np.abs(part).max() for part in np.array_split(channel[begin:end], WIDTH // 2)]
    times = np.linspace(STRETCH_MS[0] / 1000, STRETCH_MS[1] / 1000, len(peaks))
    axes.fill_between(times, np.negative(peaks), peaks, color="#1f4e79", linewidth=0)
    axes.set_ylim(-0.6, 0.6)
    axes.set_yticks([])
    axes.tick_params(bottom=False)


def draw_tier(axes: Axes, tier: Tier) -> None:
    """Draw the annotations of one tier with their limits, as ELAN's timeline does."""
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.tick_params(bottom=False)
    axes.set_facecolor("#f4f6f9" if tier.parent else "white")
    axes.set_ylabel(tier.name, rotation=0, ha="right", va="center", fontsize=9)
    for annotation in tier.annotations:
        start, end = annotation.start_ms / 1000, annotation.end_ms / 1000
        axes.plot([start, start, end, end], [0.9, 0.1, 0.1, 0.9], color="#1f4e79", linewidth=1)
        centred = {"ha": "center", "va": "center", "clip_on": True, "fontsize": 8 if tier.parent else 10}
        axes.text((start + end) / 2, 0.5, annotation.value, **centred)


def document(browser: Browser, path: Path, *sections: str) -> bytes:
    """Return a PNG of an HTML file: its head, and the sections with these ids."""
    page = new_page(browser, path.resolve().as_uri())
    there = page.locator("section").evaluate_all("sections => sections.map(section => section.id)")
    if missing := set(sections) - set(there):
        raise U2UError(f"{path}: has no section {', '.join(sorted(missing))}, only {', '.join(there)}")
    page.add_style_tag(content="".join(f"#{name} {{display: none}}" for name in there if name not in sections))
    last = page.locator(f"#{sections[-1]}").bounding_box()
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": last["y"] + last["height"] + 20}
    return page.screenshot(full_page=True, clip=clip)


def elan_tab(browser: Browser) -> bytes:
    """Return a PNG of ELAN's tab for a recogniser, as its help page draws it."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
    page.set_content(help_page("my_model"))
    return page.locator("table").first.screenshot()


def new_page(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": WIDTH, "height": 1000}, locale="en-US", color_scheme="light")
    page.goto(address)
    return page


def gradio_page(browser: Browser, model: Path, recording: Path) -> bytes:
    """Return a PNG of the Gradio page with a transcribed recording."""
    with served(SPACES / "transcribe" / "app.py", "--model", model.resolve()) as address:
        page = new_page(browser, address)
        page.locator("#files input[type=file]").set_input_files(recording)
        page.locator("#files").get_by_text(recording.name[:4]).first.wait_for()
        page.locator("#transcribe").click()
        page.locator("u2u-editor .row").first.wait_for(timeout=120_000)
        page.wait_for_timeout(1500)  # the waveform's last layout
        return page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": 1050})


def browser_page(browser: Browser, model: Path, recording: Path) -> bytes:
    """Return a PNG of the page that works in the browser, with a transcribed recording."""
    with served(SPACES / "browser" / "serve.py", "--model", model.resolve()) as address:
        page = new_page(browser, address)
        page.locator("#model-state").get_by_text("ready").wait_for(timeout=120_000)
        page.locator("#files").set_input_files(recording)
        page.locator("article").get_by_text("Done:").wait_for(timeout=120_000)
        return page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": 1050})


def studio(browser: Browser, corpus: Path) -> bytes:
    """Return a PNG of Studio with a project's corpus."""
    with tempfile.TemporaryDirectory() as folder:
        Project(Path(folder, "nahuatl")).set_paths(corpus)
        words = "--project", Path(folder, "nahuatl"), "--no_browser"
        with served(SPACES.parent / "recipes" / "studio.py", *words) as address:
            page = new_page(browser, address)
            page.locator("#step-corpus").click()
            page.get_by_role("heading", name="Tiers").wait_for(timeout=60_000)
            page.locator("h1").hover()  # else the step has the colours of what is pointed at
            page.wait_for_timeout(500)
            return page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": 640})


@contextmanager
def served(program: Path, *words: str | Path) -> Iterator[str]:
    """Start a page's server and yield its address."""
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-u", *map(str, (program, *words))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            found = next((m for line in process.stdout if (m := re.search(r"http://127\.0\.0\.1:\S+", line))), None)
            if not found:
                log.seek(0)
                raise U2UError(f"{program}: did not start: {log.read()[-100:].strip()}")
            yield found[0]
        finally:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    cli.launch(main)
