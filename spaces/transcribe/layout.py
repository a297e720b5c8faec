"""What the page shows, and which action each click calls."""

from collections.abc import Mapping, Sequence

import gradio as gr
from actions import Actions
from correction_table import COLUMNS
from gradio.components import Component
from strings import STRINGS

from u2u_hf.corpus.folder import AUDIO_SUFFIXES

KEPT_SECONDS = 3600
_SOUND = ["audio", "video", *AUDIO_SUFFIXES]


def transcription_page(
    actions: Actions, facts: Mapping[str, str], examples: Sequence[str], has_language_model: bool
) -> gr.Blocks:
    """Return the page of one model.

    Args:
        facts: about the model, with the keys that `STRINGS` has after ``model_``.
        examples: paths of recordings that visitors may try.
    """
    t = gr.I18n(**STRINGS)
    with gr.Blocks(title=STRINGS["en"]["title"], analytics_enabled=False, delete_cache=(600, KEPT_SECONDS)) as page:
        gr.Markdown(t("title"), elem_classes="heading")
        gr.Markdown(t("private"))
        inputs = [*_recordings(t, examples), *_options(t, has_language_model)]
        with gr.Row():
            start = gr.Button(t("transcribe"), variant="primary", elem_id="transcribe")
            stop = gr.Button(t("cancel"), elem_id="cancel")
        status = gr.Markdown(elem_id="status", min_height=60)
        results = gr.State([])  # as long as the page is open
        chosen = gr.Dropdown(label=t("shown"), visible=False, elem_id="shown")
        # Not asked of `chosen`, whose choices Gradio compares with what the server remembers.
        number = gr.Number(visible=False, precision=0)
        waveform, table, hint, undo, wrong, files = _result(t)
        after_correction = [undo, wrong, files]
        shown = [number, waveform, table, hint, *after_correction]
        with gr.Accordion(t("model"), open=False):
            for name, value in facts.items():
                gr.Textbox(value, label=t(f"model_{name}"), interactive=False)

        outputs = [status, results, chosen, *shown]
        waiting = start.click(actions.wait, queue=False, api_name=False)
        run = {"api_name": "transcribe", "concurrency_limit": 1, "show_progress_on": status}
        waiting.then(actions.run, [*inputs, results], outputs, **run)
        stop.click(actions.cancel, None, status, queue=False, api_name="cancel")
        page.unload(actions.leave)
        chosen.input(actions.show, [results, chosen], shown, api_name=False)
        # One after the other, in the order of the clicks.
        corrections = {"api_name": False, "concurrency_id": "corrections", "show_progress": "hidden"}
        last = {**corrections, "trigger_mode": "always_last"}
        table.input(actions.edit, [results, number, table], [results, *after_correction], **last)
        undo.click(actions.undo, [results, number], [results, table, *after_correction], **corrections)
        gr.Timer(KEPT_SECONDS * 0.75).tick(
            actions.renew, [results, number], files, show_progress="hidden", api_name=False
        )
        for changed in (table.input, undo.click):
            changed(None, js="() => document.dispatchEvent(new Event('corrected'))", api_name=False)
    page.i18n_words = t
    return page


def _recordings(t: gr.I18n, examples: Sequence[str]) -> list[Component]:
    with gr.Row():
        files = gr.File(label=t("upload"), file_count="multiple", file_types=_SOUND, scale=2, elem_id="files")
        # With a format, Gradio would convert the upload with the system's FFmpeg, which also reads playlists.
        recorded = gr.Audio(label=t("record"), sources=["microphone"], type="filepath", format=None, buttons=[])
    if examples:
        gr.Examples([[[path]] for path in examples], [files], label=t("examples"))
    return [files, recorded]


def _options(t: gr.I18n, has_language_model: bool) -> list[Component]:
    with gr.Accordion(t("options"), open=False):
        return [
            gr.Slider(0.1, 0.9, 0.5, step=0.05, label=t("sensitivity"), info=t("sensitivity_info")),
            gr.Slider(5, 20, 20, step=1, label=t("longest")),
            gr.Checkbox(True, label=t("all_channels"), info=t("all_channels_info")),
            gr.Checkbox(has_language_model, label=t("language_model"), visible=has_language_model),
        ]


def _result(t: gr.I18n) -> tuple[gr.HTML, gr.Dataframe, gr.Markdown, gr.Button, gr.Markdown, gr.File]:
    """Return what `Actions.show` fills: waveform, table, hint, undo button, what is wrong in the table, downloads."""
    waveform = gr.HTML(visible=False, elem_id="player", padding=False)
    table = gr.Dataframe(
        headers=list(COLUMNS),
        datatype="str",
        type="array",
        label=t("table"),
        static_columns=[4],
        column_widths=["11%", "11%", "9%", "49%", "14%"],
        show_row_numbers=True,
        wrap=True,
        interactive=True,
        visible=False,
        buttons=[],
        elem_id="table",
    )
    hint = gr.Markdown(t("how"), elem_classes="how", visible=False)
    undo = gr.Button(t("undo"), visible=False, interactive=False, size="sm", elem_id="undo")
    wrong = gr.Markdown(visible=False, elem_id="wrong")
    many = {"file_count": "multiple", "interactive": False, "visible": False}
    return waveform, table, hint, undo, wrong, gr.File(label=t("downloads"), elem_id="downloads", **many)


def setup_page(problem: str) -> gr.Blocks:
    """Return a page that says what is missing and how to set it, so that the Space does not restart in a loop."""
    t = gr.I18n(**STRINGS)
    with gr.Blocks(title=STRINGS["en"]["title"], analytics_enabled=False) as page:
        gr.Markdown(t("setup"), elem_classes="heading")
        gr.Markdown(f"**{problem}**", elem_id="problem")
        gr.Markdown(t("setup_how"))
    page.i18n_words = t
    return page
