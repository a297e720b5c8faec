"""The recipe for OpenSLR 89, on a made-up corpus of its layout and on texts worked out by hand."""

import re
from pathlib import Path

import datasets
import numpy as np
import pytest
import soundfile as sf
import yaml
from conftest import RECIPES

from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.records import Annotation, Tier

RECIPE = RECIPES / "yoloxochitl_mixtec"
TOP = Path("Yoloxochitl-Mixtec-for-ASR")
SOUND = TOP / "Sound-files-Narratives-for-ASR"
ELAN = TOP / "Transcriptions-for-ASR" / "ELAN-files-with-underlying-and-surface-tiers"
RATE = 16_000


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        # as published: capitals, punctuation of both languages, nasal vowels, tones, glottal stops
        ("¿Sa¹a³ nã³nỹũ⁴?", "sa¹a³ nã³nỹũ⁴"),
        ("Mm, tã³ ba'¹a³nĩ⁴² ja⁴xi²⁴ ndi³ki'⁴ndya⁴³.", "mm tã³ ba'¹a³nĩ⁴² ja⁴xi²⁴ ndi³ki'⁴ndya⁴³"),
        ("o⁴ra² xa¹⁴³ ji⁴tu³nã²,o⁴ra² chi'³i³nã²", "o⁴ra² xa¹⁴³ ji⁴tu³nã² o⁴ra² chi'³i³nã²"),
        ("Filomeno Encarnación.", "filomeno encarnación"),
        # plain digits are tones, where they can be
        ("i3kã4 i4yo2 xa'14a4", "i³kã⁴ i⁴yo² xa'¹⁴a⁴"),
        ("nỹu\u03033 j\u03034", "nỹũ³ j\u0303⁴"),  # a tilde of its own: composed, or kept where it cannot be
        ("¹3", "¹³"),
        # figures: nobody knows how they were said
        ("el 4 de mayo", ""),
        ("colecta 40196", ""),
        ("ka⁵ ndi⁴", ""),
        ("ka²⁰", ""),
        # one apostrophe for all, but not as quotation marks
        ("ya’¹bi³ ya‘¹bi³ yaʼ¹bi³ ya´¹bi³ yaꞌ¹bi³", "ya'¹bi³ ya'¹bi³ ya'¹bi³ ya'¹bi³ ya'¹bi³"),
        ("‘kã⁴’ 'kã⁴' “kã⁴”", "kã⁴ kã⁴ kã⁴"),
        # Spanish keeps its text, and what stands between two spans is never touched
        ("Tũ⁴ nĩ¹..., nĩ¹i³xa³ <i>colectar</i>ndu¹ yo'⁴o⁴", "tũ⁴ nĩ¹ nĩ¹i³xa³ colectarndu¹ yo'⁴o⁴"),
        ("<i>Según</i> ka¹a³ <i>Solanaceae</i>", "según ka¹a³ solanaceae"),
        ("<i>bueno ndi⁴", "bueno ndi⁴"),
        # remarks and marks
        ("ndi⁴ [risa 3 s] ka¹a³ [¿?]", "ndi⁴ ka¹a³"),
        ("[todo]", ""),
        ("*ka⁴xi²⁴ ndi⁴* ba¹⁽⁴⁾ (ka⁴)chi³ be'³e³=ra² nĩ¹-xa³a⁴", "ka⁴xi²⁴ ndi⁴ ba¹⁴ ka⁴chi³ be'³e³ra² nĩ¹xa³a⁴"),
        ("kã⁴/ndi⁴ – ra²… \\ ya¹", "kã⁴ ndi⁴ ra² ya¹"),
        ("äÿš ñö 日", "ays ñ"),
    ],
)
def test_rules_worked_out_by_hand(raw, text):
    rules = yaml.safe_load((RECIPE / "prepare.yaml").read_text(encoding="utf-8"))["rules"]
    assert TextRules(rules)(raw) == text


def test_spanish_can_be_left_out_as_the_comment_says():
    rules = yaml.safe_load((RECIPE / "prepare.yaml").read_text(encoding="utf-8"))["rules"]
    markup = next(rule["markup"] for rule in rules if "i" in rule.get("markup", {}))
    markup["i"] = "drop_utterance"
    assert TextRules(rules)("nĩ¹i³xa³ <i>colectar</i>ndu¹") == ""
    markup["i"] = "drop_text"
    assert TextRules(rules)("nĩ¹i³xa³ <i>colectar</i>ndu¹ yo'⁴o⁴") == "nĩ¹i³xa³ ndu¹ yo'⁴o⁴"


# (start, end, annotation, text in the dataset or None) of the speaker on the left, then of the one on the right
ESTEBAN, REY = "Esteban Guadalupe Sierra", "Rey Castillo García"
STORIES = {
    "Yolox_Agric_EGS505_Siembra-de-frijoles_2010-12-15-t": {
        f"{ESTEBAN} SURFACE2": [
            (500, 3400, "I³kã⁴ i⁴yo² tu³kwa² ya¹ tu⁴u²⁴.", "i³kã⁴ i⁴yo² tu³kwa² ya¹ tu⁴u²⁴"),
            (3400, 5000, "ya1 ke'4e24 ji̱4 ku4u4 ya1 sa4bi4", None),  # 1.6 s: too short
            (12000, 14500, "Nĩ¹i³xa³ <i>colectar</i>ndu¹ yo’⁴o⁴", "nĩ¹i³xa³ colectarndu¹ yo'⁴o⁴"),
        ],
        f"{REY} SURFACE2": [
            (6000, 9620, "Mm, tã³ ba'¹a³nĩ⁴² ja⁴xi²⁴ ndi³ki'⁴ndya⁴³.", "mm tã³ ba'¹a³nĩ⁴² ja⁴xi²⁴ ndi³ki'⁴ndya⁴³"),
            (9700, 11900, "Colecta 40196 de la familia Solanaceae", None),  # a figure
            (14600, 17000, "Ndi³chi² tyu⁴kũ⁴.", None),  # 16 characters: too few
        ],
    },
    "Yolox_Botan_CTB501-RCG500_Asteraceae_2013-07-08-e": {
        "Constantino Teodoro Bautista-Surface": [
            (0, 4000, "a3chi1 yu'1u1 ndi4 ñũ'4ũ4nĩ42 ji1nĩ42", "a³chi¹ yu'¹u¹ ndi⁴ ñũ'⁴ũ⁴nĩ⁴² ji¹nĩ⁴²"),
        ],
        "RCG Corrección-Surface": [
            (5000, 9000, "ta¹ kwã'¹ã¹ [ruido] tĩ³ĩ³ ji¹ndo¹ko⁴ *ku⁴u²", "ta¹ kwã'¹ã¹ tĩ³ĩ³ ji¹ndo¹ko⁴ ku⁴u²"),
        ],
    },
    "Yolox_Creen_FNL520_La-lluvia_2012-03-01-h": {
        "Fernando Niño Leonardo SURFACE1": [
            (1000, 9000, "¿Nda⁴a² ba⁴² nĩ¹tỹũ³ũ⁴ ti⁴ ka¹a³?", "nda⁴a² ba⁴² nĩ¹tỹũ³ũ⁴ ti⁴ ka¹a³"),
            (9000, 19500, "xa'¹a⁴ ñã'¹ã³nã³ ndi⁴ nde³e⁴nĩ⁴² kwã'¹ã¹", None),  # 10.5 s: too long
        ],
    },
}
CHANNELS = "Yolox_Agric_EGS505_Siembra-de-frijoles_2010-12-15-t,EGS505,RCG500\n"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Both archives, unpacked: stereo recordings, a speaker on each side; ELAN files that name media elsewhere."""
    folder = tmp_path_factory.mktemp("corpus")
    data, manifest = folder / "Yoloxochitl-Mixtec-Data", folder / "Yoloxochitl-Mixtec-Manifest"
    manifest.mkdir()
    random = np.random.default_rng(0)
    for number, (name, surface) in enumerate(STORIES.items()):
        signal = random.normal(0, 1e-4, (20 * RATE, 2))
        tiers = []
        for channel, (tier, rows) in enumerate(surface.items()):
            for start, end, _, _ in rows:
                part = slice(start * RATE // 1000, end * RATE // 1000)
                signal[part, channel] += random.normal(0, 0.1, len(signal[part]))
            speaker = tier.replace("-Surface", "").rpartition(" SURFACE")[0] or tier.replace("-Surface", "")
            underlying = tuple(Annotation(start, end, f"underlying={text}") for start, end, text, _ in rows)
            tiers.append(Tier(speaker, underlying, linguistic_type="Transcription"))
            said = tuple(Annotation(start, end, text) for start, end, text, _ in rows)
            tiers.append(Tier(tier, said, linguistic_type="Surface"))
        sound = data / SOUND / f"{name}.wav"
        sound.parent.mkdir(parents=True, exist_ok=True)
        sf.write(sound, signal, RATE)
        # One names its recording, one is an edited file, one names another.
        eaf = f"{name}_ed-2020-01-02.eaf" if number == 1 else f"{name}.eaf"
        media = f"C:/Users/Kenia/GRABACIONES YOLO/{name if number == 0 else 'another'}.wav"
        write_eaf(data / ELAN / eaf, tiers, [media])
    (manifest / "speaker_wav_mapping_mixtec_remove_reserve.csv").write_text(CHANNELS, encoding="utf-8")
    return folder


def test_from_corpus_to_dataset(corpus, recipe, tmp_path):
    dataset = tmp_path / "dataset"
    result = recipe("prepare.py", "--config", RECIPE / "prepare.yaml", "--corpus", corpus, "--output_dir", dataset)
    assert result.returncode == 0, result.stderr
    rows = datasets.concatenate_datasets(list(datasets.load_dataset(str(dataset)).values()))
    found = {
        (Path(row["recording"]).name.partition("_ed-")[0], row["tier"], row["start_ms"], row["end_ms"]): (
            row["channel"],
            row["raw_text"],
            row["text"],
        )
        for row in rows.remove_columns("audio")
    }
    assert found == {
        (name, tier, start, end): (channel, raw, text)
        for name, surface in STORIES.items()
        for channel, (tier, said) in enumerate(surface.items())
        for start, end, raw, text in said
        if text
    }


def test_every_command_of_its_readme_is_understood(understood):
    readme = (RECIPE / "README.md").read_text(encoding="utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) for line in block.splitlines()]
    ours = [command for command in commands if "recipes/" in command]
    assert len(ours) == 4
    for command in ours:
        understood(command)
    # Each archive is fetched and unpacked under one name.
    for archive in ("Yoloxochitl-Mixtec-Manifest.tgz", "Yoloxochitl-Mixtec-Data.tgz"):
        address, path = f"https://www.openslr.org/resources/89/{archive}", f"yoloxochitl/{archive}"
        assert f"curl -L -C - -o {path} {address}" in commands
        assert f"tar -xzf {path} -C yoloxochitl" in commands
