import dataclasses
import errno
from pathlib import Path

import pytest
import yaml
from transformers import TrainingArguments

from u2u_hf import cli
from u2u_hf.records import U2UError
from u2u_hf.settings import setting
from u2u_hf.training.arguments import CtcTrainingArguments


@dataclasses.dataclass
class Arguments:
    corpus: str = setting(help="a folder")
    tiers: list[str] = setting([], help="tiers")
    rate: float = setting(1e-4, help="rate")
    count: int = setting(3, help="count")
    loud: bool = setting(False, help="loud")
    rules: list[dict] = setting([{"case": "lower"}], help="rules")


def parse(tmp_path, text, *argv):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return cli.parse(Arguments, argv=["--config", str(path), *argv])[0]


def test_defaults_then_file_then_command_line(tmp_path):
    args = parse(tmp_path, "corpus: from_file\ncount: 5\nrate: 0.1\n", "--count", "7")
    assert (args.corpus, args.count, args.rate, args.loud) == ("from_file", 7, 0.1, False)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("rate: 5e-5", "rate", 5e-5),  # a string, for YAML
        ("rate: 1", "rate", 1.0),
        ("corpus: 2024", "corpus", "2024"),
        ("tiers: 'A*'", "tiers", ["A*"]),
        ("tiers: [A, 7]", "tiers", ["A", "7"]),
        ("loud: yes", "loud", True),
        ("loud: 'true'", "loud", True),
        ("rules: [{case: keep}]", "rules", [{"case": "keep"}]),
    ],
)
def test_values_have_the_kind_of_their_field(tmp_path, line, name, value):
    assert getattr(parse(tmp_path, line, *(() if name == "corpus" else ("--corpus", "c"))), name) == value


@pytest.mark.parametrize(
    ("text", "argv", "message"),
    [
        ("corpsu: x", (), r"c\.yaml: unknown key 'corpsu': did you mean corpus\?"),
        ("zzz: x", (), r"c\.yaml: unknown key 'zzz'$"),
        ("rate: fast", (), r"c\.yaml: rate: 'fast' cannot be read"),
        ("count: .inf", (), r"c\.yaml: count: inf cannot be read"),
        ("corpus: {a: 1}", (), r"corpus: \{'a': 1\} cannot be read \(a table or list, where one value belongs\)"),
        ("tiers: [[A]]", (), r"tiers: \[\['A'\]\] cannot be read"),
        ("rules: 5", (), r"rules: 5 cannot be read"),
        ("rules:", (), r"c\.yaml: rules: has no value: write one, or remove the line$"),
        ("- a", (), r"c\.yaml: must hold lines of the form"),
        ("a: [", (), r"c\.yaml: is not YAML: line 1: expected the node content"),
        ("corpus: 2026-13-45", (), r"c\.yaml: is not YAML: month must be in 1\.\.12"),
        ("{" * 2000, (), r"c\.yaml: is not YAML: maximum recursion depth exceeded"),
        ("", (), "required: --corpus"),
        ("corpus: x", ("--tires", "y"), r"unknown argument --tires: did you mean --tiers\?"),
        ("corpus: x", ("--count", "many"), "count: invalid int value: 'many'"),
        (
            "",
            ("--corpus", "my", "field", "notes"),
            r'unknown argument field: names with spaces need quotes: --corpus "my field"',
        ),
        ("rules:\n\t- case: keep", (), "line 2: begins with a tab, which YAML does not allow: use spaces$"),
    ],
)
def test_mistakes_are_named(tmp_path, text, argv, message):
    with pytest.raises(U2UError, match=message):
        parse(tmp_path, text, *argv)


def test_without_any_argument_the_missing_one_is_named():
    with pytest.raises(U2UError, match="the following arguments are required: --corpus"):
        cli.parse(Arguments, argv=[])


def test_a_missing_file_is_named():
    with pytest.raises(U2UError, match=r"nowhere\.yaml: cannot be read .No such file"):
        cli.parse(Arguments, argv=["--config", "nowhere.yaml"])


def test_what_is_saved_is_read_again_and_holds_no_token(tmp_path):
    args = Arguments(corpus="Yoloxóchitl", rate=5e-5, tiers=["*SURFACE*"])
    training = TrainingArguments(output_dir=str(tmp_path), learning_rate=3e-5, use_cpu=True, hub_token="hf_secret")
    cli.save(tmp_path / "saved.yaml", args, training)
    text = (tmp_path / "saved.yaml").read_text(encoding="utf-8")
    assert "hf_secret" not in text
    again, trained = cli.parse(Arguments, TrainingArguments, argv=["--config", str(tmp_path / "saved.yaml")])
    assert again == args
    assert trained.learning_rate == 3e-5


@pytest.mark.parametrize("path", sorted(Path("recipes").rglob("*.yaml")), ids=str)
def test_every_yaml_of_the_recipes_is_read_by_its_recipe(path, recipe, tmp_path):
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(values, dict)
    if path.parent.name == "accelerate":
        from accelerate.commands.config.config_args import load_config_from_file

        assert load_config_from_file(str(path)).num_processes >= 1
        return
    # The recipe reads the whole file before it misses the corpus or dataset.
    result = recipe(f"{path.stem}.py", "--config", path, *NOT_THERE[path.stem](tmp_path))
    assert "there is no such" in result.stderr
    assert "unknown key" not in result.stderr


NOT_THERE = {
    "prepare": lambda folder: ("--corpus", folder / "none", "--output_dir", folder / "out"),
    "train": lambda folder: ("--dataset", folder / "none", "--output_dir", folder / "out"),
}


@dataclasses.dataclass
class WithPositional:
    files: list[str] = setting([], help="files", positional=True)
    tiers: list[str] = setting([], help="tiers")


@pytest.mark.parametrize(
    ("argv", "files", "tiers"),
    [
        (["--tiers", "A", "f", "g"], ["f", "g"], ["A"]),
        (["f", "--tiers", "A", "--tiers", "B"], ["f"], ["A", "B"]),
        (["f"], ["f"], ["C", "D"]),  # of the file
    ],
)
def test_a_flag_takes_none_of_the_files(tmp_path, argv, files, tiers):
    (tmp_path / "c.yaml").write_text("tiers: [C, D]\n", encoding="utf-8")
    (args,) = cli.parse(WithPositional, argv=["--config", str(tmp_path / "c.yaml"), *argv])
    assert (args.files, args.tiers) == (files, tiers)


@dataclasses.dataclass
class Switches:
    files: list[str] = setting([], help="files", positional=True)
    loud: bool = setting(False, help="loud")
    best: bool = setting(True, help="best")
    half: bool | None = setting(None, help="half")
    sorted: bool = setting(False, fixed=True)


@pytest.mark.parametrize(
    ("argv", "values"),
    [
        (["a"], (False, True, None)),
        (["--loud", "a"], (True, True, None)),
        (["a", "--loud", "--no_best", "--no_half"], (True, False, False)),
        (["--loud", "--half", "a", "--no_loud"], (False, True, True)),
    ],
)
def test_a_switch_stands_alone(argv, values):
    (args,) = cli.parse(Switches, argv=argv)
    assert args.files == ["a"]
    assert (args.loud, args.best, args.half) == values


def test_the_command_line_turns_off_what_the_file_turns_on(tmp_path):
    (tmp_path / "c.yaml").write_text("loud: true\nbest: no\nhalf: 'true'\n", encoding="utf-8")
    (args,) = cli.parse(Switches, argv=["--config", str(tmp_path / "c.yaml"), "--no_loud", "a"])
    assert (args.loud, args.best, args.half) == (False, False, True)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--loud", "true", "a"], r"^--loud true: a switch takes no value: give --loud alone$"),
        (["--loud=true", "a"], r"^--loud true: a switch takes no value: give --loud alone$"),
        (["a", "--best", "False"], r"^--best False: a switch takes no value: give --no_best alone$"),
        (["a", "--sorted"], r"unknown argument --sorted"),
    ],
)
def test_a_value_of_a_switch_is_an_error_that_names_the_bare_form(argv, message):
    with pytest.raises(U2UError, match=message):
        cli.parse(Switches, argv=argv)


def test_a_fixed_setting_is_no_key_of_a_file(tmp_path):
    (tmp_path / "c.yaml").write_text("sorted: true\n", encoding="utf-8")
    with pytest.raises(U2UError, match="unknown key 'sorted'"):
        cli.parse(Switches, argv=["--config", str(tmp_path / "c.yaml"), "a"])
    assert cli.parse(Switches, argv=["a"])[0].sorted is False


def help_text(capsys, flag, *classes):
    with pytest.raises(SystemExit) as end:
        cli.parse(*classes, description="About it.", argv=[flag])
    assert end.value.code == 0
    return capsys.readouterr().out


def test_help_shows_our_settings_and_help_all_those_of_transformers_too(capsys):
    ours = help_text(capsys, "--help", CtcTrainingArguments)
    every = help_text(capsys, "--help_all", CtcTrainingArguments)
    for text in (ours, every):
        assert "About it." in text
        assert "--batch_seconds X" in text
        assert "--no_load_best_model_at_end" in text
        assert "--greater_is_better" not in text
    assert "--weight_decay" not in ours
    assert "--weight_decay" in every
    assert len(ours.splitlines()) < 80 < len(every.splitlines())
    # A recipe without settings of transformers has nothing more to show.
    assert "--help_all" not in help_text(capsys, "--help", Arguments)


def ending(error):
    def main():
        raise error

    with pytest.raises(SystemExit) as stop:
        cli.launch(main)
    return stop.value.code


def test_a_full_disk_is_one_line():
    line = ending(OSError(errno.ENOSPC, "No space left on device", "out/data/part"))
    assert line == "error: out/data/part: the disk is full: make room, then run the same command again"


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "x"), RuntimeError("std::bad_alloc")])
def test_too_little_memory_is_one_line(error):
    assert ending(error) == (
        "error: there is not enough memory: close other programs, or use a computer with more memory"
    )


def test_a_fault_of_the_program_keeps_its_traceback():
    with pytest.raises(ConnectionError):
        cli.launch(lambda: (_ for _ in ()).throw(ConnectionError("no such server")))


def test_a_name_commands_no_terminal():
    line = ending(U2UError("a\x1b[2Jb\u202ec\nd.wav: no sound"))
    assert line == "error: a‹U+001B›[2Jb‹U+202E›c d.wav: no sound"


def test_what_a_recipe_prints_cannot_command_the_terminal(capsys):
    with pytest.raises(SystemExit):
        cli.launch(lambda: print("dataset: a\x1b]0;x\x07\u202e\nnext"))
    print("\x1b", end="")  # the stream is as it was
    assert capsys.readouterr().out == "dataset: a‹U+001B›]0;x‹U+0007›‹U+202E›\nnext\n\x1b"
