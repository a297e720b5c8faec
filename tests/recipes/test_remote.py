"""Renting a computer of the Hub: the recipe as a user starts it, and its job, whose command really runs."""

import datetime
import json
import re
import signal
import subprocess
import sys

import pytest
from conftest import PROJECT, RECIPES
from huggingface_hub import JobInfo
from support import programs
from support.door import with_started
from support.hub_jobs import Job
from support.hub_server import running_hub

from u2u_hf import cli
from u2u_hf.hub import job_state
from u2u_hf.hub.job_code import code_files, exit_status
from u2u_hf.hub.job_state import JobState
from u2u_hf.hub.jobs import running_seconds, usd
from u2u_hf.hub.rental_plan import training_seconds
from u2u_hf.records import U2UError

LOGIN, OF_THE_JOB = "hf_ana_write", "hf_ana_for_the_job"
EARS = "ana/ears"
RENT = "--flavor t4-small --time_budget 10m --secret JOB_TOKEN".split()
SHORT = "--max_steps 4 --eval_steps 2 --save_steps 2 --logging_steps 1 --batch_seconds 8 --use_cpu".split()


def train(push_to, *more, dataset="ana/words"):
    return ["--", "train.py", "--dataset", dataset, "--push_to", push_to, *more]


def language_model(*more):
    return ["--", "language_model.py", "--model", EARS, "--dataset", "ana/words", "--push_to", EARS, *more]


@pytest.fixture(scope="module")
def bytes_of_dataset(demo_dataset):
    return {str(p.relative_to(demo_dataset)): p.read_bytes() for p in demo_dataset.rglob("*") if p.is_file()}


@pytest.fixture
def hub(tmp_path, bytes_of_dataset, random_base):
    with running_hub(tmp_path / "hub") as hub:
        hub.add("dataset", "ana/words", True, bytes_of_dataset)
        hub.add("dataset", "ana/empty", True, {"README.md": b"nothing"})
        hub.add("dataset", "ben/words", True, bytes_of_dataset)
        hub.add("model", "utter-project/mHuBERT-147", False, {p.name: p.read_bytes() for p in random_base.iterdir()})
        yield hub
        require_no_token(hub, tmp_path)


def require_no_token(hub, folder):
    """Whatever happens: no token in what was uploaded, in a job's description and log, or in any file."""
    for job in hub.runner.jobs.values():
        assert job.secrets == {"HF_TOKEN": OF_THE_JOB}
        assert not any(token in json.dumps([job.shown(), job.spec, job.lines]) for token in (LOGIN, OF_THE_JOB))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= len(hub.repos)
    for path in files:
        content = path.read_bytes()
        assert not any(token.encode() in content for token in (LOGIN, OF_THE_JOB)), path


@pytest.fixture
def environment(hub, tmp_path):
    """That of ana, who is logged in, and has another token for the job."""
    return hub.environment(tmp_path / "home", LOGIN) | {"JOB_TOKEN": OF_THE_JOB}


@pytest.fixture
def remote(environment, tmp_path):
    """Run the recipe to its end; nobody is there to answer."""
    (tmp_path / "here").mkdir()

    def run(*words):
        noted = tmp_path / "job.json"
        noted.write_text(" " * 1000)
        own = environment | {job_state.VARIABLE: str(noted)}
        done = programs.run([RECIPES / "remote.py", *words], cwd=tmp_path / "here", env=own)
        run.noted = job_state.read(noted)
        return done

    return run


def without_tokens(done):
    assert not any(token in done.stdout + done.stderr for token in (LOGIN, OF_THE_JOB))
    return done


def test_a_training_from_the_price_to_the_model(hub, remote, tmp_path):
    done = without_tokens(remote(*RENT, "--yes", *train("ana/ears", *SHORT)))
    assert done.returncode == 0, done.stdout + done.stderr
    (job,) = hub.runner.jobs.values()
    assert (job.stage, job.spec["timeoutSeconds"], job.spec["flavor"]) == ("COMPLETED", 600, "t4-small")
    # 10 minutes of $0.006667.
    assert "rents     t4-small: 1 × Nvidia T4, 16 GB; 4 vCPU; 15 GB" in done.stdout
    assert "costs     at most $0.07: 10m at $0.40 an hour" in done.stdout
    assert "reads     dataset ana/words (private), model utter-project/mHuBERT-147 (public), where it is" in done.stdout
    assert "gives     the token of JOB_TOKEN to the job" in done.stdout
    assert "step 4: validation" in done.stdout  # of the log, which is all there
    assert "ended with exit status" not in done.stdout
    assert re.search(r"^finished: http://127\S+/jobs/ana/0{24} \(\d+\w+, about \$0\.0\d\)$", done.stdout, re.MULTILINE)
    noted = remote.noted
    assert f"finished: {noted.url} ({noted.time}, about {noted.cost})" in done.stdout
    assert (noted.job, noted.ending) == (job.id, "finished")
    # On the Hub: the code and the model, private; not a byte of anything else was sent from here.
    mine = {key: repo.private for key, repo in hub.repos.items() if key[1].startswith("ana/") and key[0] == "model"}
    assert mine == {("model", "ana/ears"): True, ("model", "ana/u2u-hf-code"): True}
    assert "model.safetensors" in hub.repos["model", "ana/ears"].at("main").files
    code = {path: hub.content(file) for path, file in hub.repos["model", "ana/u2u-hf-code"].at("main").files.items()}
    assert code == {path: file.read_bytes() for path, file in code_files(PROJECT).items()}
    assert not any((tmp_path / "here").iterdir())
    # Again: the code is there, and a finished model is not replaced without a word.
    sent = len(hub.uploads())
    again = without_tokens(remote(*RENT, *train("ana/ears", *SHORT)))
    assert "!         ana/ears holds a finished model: the job trains a new one in its place" in again.stdout
    assert again.stdout.endswith("nothing was started or uploaded\n")  # nobody has said yes
    assert (again.returncode, len(hub.runner.jobs), len(hub.uploads())) == (0, 1, sent)
    assert remote.noted == JobState()


def test_a_job_that_is_stopped_resumes_once_within_the_price(hub, remote):
    hub.runner.stopped_at[0] = "step 2: validation"
    done = without_tokens(remote(*RENT, "--yes", *train("ana/ears", *SHORT)))
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = hub.runner.jobs.values()
    assert (first.stage, first.message, second.stage) == ("ERROR", "Job timeout", "COMPLETED")
    assert "ended with exit status" not in first.text
    assert re.search(rf"! {first.id} was stopped after \d+\w+: resuming for the \d+m\w* that are left: ", done.stdout)
    assert "more, within the $0.07 that you agreed to" in done.stdout
    assert second.spec["timeoutSeconds"] < 600
    # It went on where the first one was.
    assert "step 2: validation" in first.text
    assert "step 2: validation" not in second.text
    assert "step 4: validation" in second.text
    files = set(hub.repos["model", "ana/ears"].at("main").files)
    assert "model.safetensors" in files
    assert not any(path.startswith("last-checkpoint/") for path in files)


def test_a_job_whose_time_is_over_is_not_paid_twice_without_asking(hub, remote):
    done = without_tokens(remote(*RENT[:2], "--time_budget", "1s", *RENT[4:], "--yes", *train("ana/ears", *SHORT)))
    assert done.returncode == 1
    assert len(hub.runner.jobs) == 1
    assert re.search(r"^error: the job was stopped before its end \(Job timeout\): http\S+ \(\d+s, ", done.stderr)
    assert remote.noted.ending == "stopped"
    assert "the same command as before resumes from the last checkpoint, and costs again" in done.stderr


def test_time_that_the_hub_does_not_give_counts_as_used():
    def seconds(seen_to_end=None, **given):
        job = {"id": "1", "owner": {"id": "a", "name": "ana", "type": "user"}, "status": {"stage": "ERROR"}, **given}
        return running_seconds(JobInfo(**job), seen_to_end)

    start, end = {"startedAt": "2026-01-01T10:00:00.000Z"}, {"finishedAt": "2026-01-01T10:02:00.500Z"}
    seen = datetime.datetime(2026, 1, 1, 10, 5, tzinfo=datetime.timezone.utc)
    assert seconds(seen, **start, **end, durations={"running_secs": 119}) == 119
    assert seconds(seen, **start, **end) == 121
    assert seconds(seen, **start) == 300
    assert seconds(**start) is None
    assert seconds(seen) is None


def test_a_job_of_unknown_time_is_resumed_with_what_is_surely_left(hub, remote, monkeypatch):
    monkeypatch.setattr(Job, "shown", lambda job, shown=Job.shown: {**shown(job), "durations": None})
    hub.runner.stopped_at[0] = hub.runner.stopped_at[1] = "installing the packages"
    done = without_tokens(remote(*RENT, "--yes", *train(EARS, *SHORT)))
    first, second = hub.runner.jobs.values()
    assert first.spec["timeoutSeconds"] == 600
    assert 420 <= second.spec["timeoutSeconds"] <= 540  # a begun minute at least is paid
    assert re.search(rf"! {first.id} was stopped after [1-9]\d*\w+: resuming for the ", done.stdout)
    assert done.stderr.startswith(f"error: the job was stopped before its end (Job timeout): {hub.url}/jobs/ana/")
    assert "about" not in done.stderr


@pytest.mark.parametrize("words", [language_model(), train(EARS, "--untranscribed", "ana/words", *SHORT)])
def test_without_checkpoints_nothing_is_started_twice(hub, remote, words):
    state = {"global_step": 40, "log_history": [{"step": 40, "seconds": 200.5}]}
    hub.add("model", EARS, True, {"last-checkpoint/trainer_state.json": json.dumps(state).encode()})
    hub.runner.stopped_at[0] = "installing the packages"
    done = without_tokens(remote(*RENT, "--yes", *words))
    assert done.returncode == 1
    (job,) = hub.runner.jobs.values()
    assert job.message == "Job timeout"
    assert "resum" not in done.stdout.replace("cannot be resumed: if it is stopped, the same command starts again", "")
    assert "the same command as before starts again from the beginning, and costs again" in done.stderr


def test_the_same_command_resumes_from_the_checkpoint_on_the_hub(hub, remote):
    from u2u_hf.model_folder import LAST, STATE

    state = {"global_step": 40, "log_history": [{"step": 20, "seconds": 100.0}, {"step": 40, "seconds": 200.5}]}
    hub.add("model", "ana/ears", True, {f"{LAST}/{STATE}": json.dumps(state).encode()})
    done = without_tokens(remote(*RENT, *train("ana/ears")))
    assert "resumes   at step 40, from the checkpoint in ana/ears" in done.stdout
    assert "finished model" not in done.stdout


def test_an_error_of_the_recipe_is_not_tried_again(hub, remote):
    done = without_tokens(remote(*RENT, "--yes", *train("ana/ears", *SHORT, dataset="ana/empty")))
    assert done.returncode == 1
    (job,) = hub.runner.jobs.values()
    assert (job.stage, exit_status(job.lines[-1]["data"])) == ("ERROR", 1)
    assert (remote.noted.job, remote.noted.ending) == (job.id, "failed")
    assert re.search(r"^error: .*any data files", done.stdout, re.MULTILINE)  # of the log
    assert re.search(
        r"^error: the recipe ended with an error, which stands above \(Job failed with exit code: 1\.", done.stderr
    )


class Person:
    """The recipe, with a person before it who types."""

    def __init__(self, words, environment, folder):
        self._program = subprocess.Popen(
            [sys.executable, "-u", RECIPES / "remote.py", *words],
            env={**environment, "PYTHONPATH": with_started(str(PROJECT))},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # What runs in a shell's background ignores Ctrl-C, and so would the recipe.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.told = ""

    def reads(self, text):
        """Wait for a text."""
        while text not in self.told:
            character = self._program.stdout.read(1)
            assert character, self.told
            self.told += character

    def types(self, line):
        self._program.stdin.write(line + "\n")
        self._program.stdin.flush()

    def presses_ctrl_c(self):
        self._program.send_signal(signal.SIGINT)

    def leaves(self):
        """→ exit status"""
        self.told += self._program.communicate()[0]
        assert not any(token in self.told for token in (LOGIN, OF_THE_JOB))
        return self._program.returncode


@pytest.mark.slow
def test_ctrl_c_lets_the_job_go_on_or_cancels_it(hub, environment, remote, tmp_path):
    words = [*RENT, *train("ana/ears", "--max_steps", "100000", "--batch_seconds", "8", "--use_cpu")]
    person = Person(words, environment, tmp_path)
    person.reads("Start it? [y/N] ")
    assert not hub.runner.jobs
    assert not hub.uploads()
    person.types("y")
    person.reads("u2u-hf: starting recipes/train.py")
    (job,) = hub.runner.jobs.values()
    person.presses_ctrl_c()
    person.reads("runs on if you say no. Cancel it? [y/N] ")
    person.types("n")
    assert person.leaves() == 0
    assert f"{job.id} goes on, and costs. Its log again: python recipes/remote.py --watch {job.id}" in person.told
    assert job.stage == "RUNNING"
    # The same command finds it: two jobs would write into one repository.
    person = Person([*words[: words.index("--")], "--yes", *words[words.index("--") :]], environment, tmp_path)
    person.reads(f"{job.id} runs already for ana/ears: watching it. It keeps the settings that it was started with: ")
    person.reads("u2u-hf: starting recipes/train.py")
    person.presses_ctrl_c()
    person.reads("Cancel it? [y/N] ")
    person.types("y")
    assert person.leaves() == 0
    assert f"cancelled: {hub.url}/jobs/ana/{job.id}: the same command" in person.told
    watched = remote("--watch", job.id)
    assert (watched.returncode, job.stage, len(hub.runner.jobs)) == (1, "CANCELED", 1)
    assert (remote.noted.job, remote.noted.ending) == (job.id, "cancelled")
    assert "u2u-hf: starting recipes/train.py" in watched.stdout
    assert watched.stderr.startswith(f"error: the job was cancelled: {hub.url}/jobs/ana/{job.id} (")
    again = remote("--cancel", job.id)  # no harm
    assert (again.returncode, again.stdout) == (0, f"had ended already: {hub.url}/jobs/ana/{job.id}\n")


def test_a_token_in_a_log_is_not_shown(hub, environment, remote):
    printed = "hf_" + "aB3" * 12
    start = f"from huggingface_hub import run_job; run_job(image='x', command=['echo', 'token', '{printed}!'])"
    assert programs.run(["-c", start], env=environment).returncode == 0
    (job,) = hub.runner.jobs.values()
    job.secrets["HF_TOKEN"] = OF_THE_JOB  # it had none
    done = remote("--watch", job.id)
    ended = remote("--cancel", job.id)
    assert ended.stdout == f"had ended already: {hub.url}/jobs/ana/{job.id}\n"
    assert done.returncode == 0
    assert done.stdout.splitlines()[-2] == "token hf_…!"
    assert re.fullmatch(rf"finished: {hub.url}/jobs/ana/{job.id} \(\d+s, about \$0.0\d\)", done.stdout.splitlines()[-1])


def test_the_login_is_passed_on_only_if_it_is_named(hub, tmp_path, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "token").write_text(LOGIN)  # as `hf auth login` leaves it
    words = [*RENT[:4], "--secret", "HF_TOKEN", *train(EARS)]
    done = programs.run([RECIPES / "remote.py", *words], cwd=tmp_path, env=hub.environment(home))
    assert "gives     the token of your login to the job, encrypted, as its secret HF_TOKEN" in done.stdout
    assert LOGIN not in done.stdout + done.stderr


def test_computers_are_listed_with_their_prices_the_cheapest_first(remote):
    done = remote()
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()[1:5]]
    assert [(row[0], row[-1]) for row in rows] == [
        ("cpu-basic", "$0.01"),
        ("t4-small", "$0.40"),
        ("a100-large", "$2.50"),
        ("l4x4", "$3.80"),
    ]
    assert "4 × Nvidia L4, 96 GB; 48 vCPU; 186 GB" in done.stdout


ASK_ALL = """
import contextlib, io, json, os, runpy, sys
said, GIVEN = [], {name: os.environ[name] for name in ("HF_TOKEN", "JOB_TOKEN")}
for words, changed in json.loads(sys.argv[1]):
    os.environ.update(GIVEN | changed)
    sys.argv = ["remote.py", *words]
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
        try:
            runpy.run_path(RECIPE, run_name="__main__")
        except SystemExit as end:
            said.append(str(end.code))
print(json.dumps(said))
"""


def asked(cases, environment, folder):
    """How each command of the recipe ends: cases of its words and changed variables → its error or exit status."""
    code = ASK_ALL.replace("RECIPE", repr(str(RECIPES / "remote.py")))
    done = programs.run(["-c", code, json.dumps(cases)], cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(without_tokens(done).stdout.splitlines()[-1])


def test_what_cannot_work_is_said_before_it_costs(hub, environment, tmp_path):
    for folder in ("my_dataset", "my_recordings", "my_texts"):
        (tmp_path / folder).mkdir()
    (tmp_path / "fsdp.json").write_text("{}")
    hub.add("model", "ana/open", False)
    not_ours = "after -- give one of train.py, export.py, language_model.py with its settings, not"
    unreadable = "is not on the Hub, or is private and the token of JOB_TOKEN may not read it"
    here = "the job cannot see this computer's"
    told_first = {
        "t4-smal: there is no such computer: did you mean t4-small?": ["--flavor", "t4-smal", *RENT[2:], *train(EARS)],
        f"--dataset ben/words: {unreadable}": [*RENT, *train(EARS, dataset="ben/words")],
        f"--dataset my_dataset: {here} folders: give OWNER/NAME": [*RENT, *train(EARS, dataset="my_dataset")],
        f"--fsdp_config fsdp.json: {here} files": [*RENT, *train(EARS, "--fsdp_config", "fsdp.json")],
        f"--untranscribed my_recordings: {here} fo": [*RENT, *train(EARS, "--untranscribed", "my_recordings")],
        f"--untranscribed ben/words: {unreadable}": [*RENT, *train(EARS, "--untranscribed", "ben/words")],
        f"--texts: {here} files: run language_model.py with": [*RENT, *language_model("--texts", "my_texts")],
        "unknown argument --max_step: did you mean --max_steps?": [*RENT, *train(EARS, "--max_step", "4")],
        "train.py: add --push_to OWNER/NAME: the job's": [*RENT, "--", "train.py", "--dataset", "ana/words"],
        "does not fit: the job has 10m, also to install and": [*RENT, *train(EARS, "--time_budget", "9m")],
        f"{not_ours} transcribe.py": [*RENT, "--", "transcribe.py", "a.wav"],
        f"{not_ours} nothing": RENT,
        "--secret: name the environment variable": [*RENT[:4], *train(EARS)],
        "--secret: give the name of an environment": [*RENT[:4], "--secret", OF_THE_JOB, *train(EARS)],
        "--secret NOTHING: this environment variable is empty": [*RENT[:4], "--secret", "NOTHING", *train(EARS)],
        "a token stands in the command": [*RENT, *train(EARS, "--run_name", f"x{OF_THE_JOB}")],
        "ana/open: this model is public, everybody could read": [*RENT, "--yes", *train("ana/open")],
        f"is no job of your account: look it up at {hub.url}/settings/jobs": ["--watch", "0" * 24],
        "../x: is not the id of a job: the last part of the address": ["--cancel", "../x"],
        "../y: is not the id of a job": ["--watch", "../y"],
    }
    cases = [(expected, words, {}) for expected, words in told_first.items()]
    weak = {"JOB_TOKEN": "hf_ana_read"}, {"HF_TOKEN": "hf_ana_read"}
    cases.append(("ana/ears: the token of JOB_TOKEN may not write to it", [*RENT, "--yes", *train(EARS)], weak[0]))
    cases.append(("ana/ears: cannot be pushed to: the token may only read", [*RENT, "--yes", *train(EARS)], weak[1]))
    errors = asked([case[1:] for case in cases], environment, tmp_path)
    for error, (expected, words, _) in zip(errors, cases, strict=True):
        assert error.startswith("error: "), words
        assert expected in error, error
        assert len(error) < 330, error
        assert "goes on" not in error
    assert not hub.runner.jobs


def test_no_credit_is_said_with_the_way_out(hub, remote):
    hub.without_credit.add("ana")
    done = without_tokens(remote(*RENT, "--yes", *train("ana/ears")))
    assert done.returncode == 1
    assert done.stderr == (
        "error: the job cannot be started: the Hugging Face Hub refuses (HTTP 402: Pre-paid credit balance is "
        f"insufficient): buy credit, or see what your plan includes at {hub.url}/settings/billing\n"
    )
    assert not hub.runner.jobs


def test_code_is_the_whole_code_and_nothing_of_the_user(tmp_path):
    files = code_files(PROJECT)
    assert {"pyproject.toml", "LICENSE", "recipes/train.py", "u2u_hf/publishing/cards/model.md"} <= files.keys()
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert set(files) <= {*tracked.split("\n")}
    assert {path for path in tracked.split("\n") if re.fullmatch(r"(u2u_hf/.*|recipes/[^/]*)\.py", path)} <= set(files)


def test_files_of_the_user_among_the_code_are_left_out_or_looked_through(tmp_path):
    for name in ("pyproject.toml", "README.md", "u2u_hf/__init__.py", "recipes/train.py", "recipes/mine.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert "recipes/mine.py" in code_files(tmp_path)  # an unpacked archive does not tell whose they are
    (tmp_path / "recipes" / "mine.py").write_text(f'login("hf_{"aB3" * 12}")')
    with pytest.raises(U2UError, match=r"mine\.py: has a token in it, which would be uploaded: take it out"):
        code_files(tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "*.toml", "*.md", "u2u_hf", "recipes/train.py"], cwd=tmp_path, check=True)
    assert [*code_files(tmp_path)] == ["README.md", "pyproject.toml", "recipes/train.py", "u2u_hf/__init__.py"]


def test_amounts_are_rounded_up_to_a_cent():
    assert [usd(amount) for amount in (0.4 * 3, 1.201, 0.0001, 0.0)] == ["$1.20", "$1.21", "$0.01", "$0.00"]


def test_a_training_has_what_its_job_has_left():
    # 3 h, of which 15 minutes are kept; resumed after 75 minutes of training, with half of the time: 15 of those kept.
    assert training_seconds(10_800, 10_800, 0) == 9900
    assert training_seconds(10_800, 5400, 4500) == 4500 + 5400 - 900
    # Once more with the same command: only what is left of the run.
    assert training_seconds(10_800, 10_800, 9000) == 9900
    assert training_seconds(100, 100, 0) == 80


def test_a_run_that_has_had_its_time_is_not_resumed_for_nothing(hub, environment, tmp_path):
    state = {"global_step": 40, "log_history": [{"step": 40, "seconds": 480}]}  # what 10 minutes leave for training
    hub.add("model", EARS, True, {"last-checkpoint/trainer_state.json": json.dumps(state).encode()})
    longer = [*RENT[:2], "--time_budget", "11m", *RENT[4:]]
    trained = f"the run in {EARS} has trained 8m already"
    error = asked(
        [[[*RENT, *train(EARS)], {}], [[*longer, *train(EARS, "--time_budget", "8m")], {}]], environment, tmp_path
    )
    assert error == [
        f"error: --time_budget 10m: {trained}, and some time goes into installing: give more",
        f"error: train.py --time_budget 8m: {trained}: give more",
    ]
    # To a number of steps, it may need no more than to be pushed.
    assert (
        asked([[[*longer, *train(EARS)], {}], [[*RENT, *train(EARS, *SHORT)], {}]], environment, tmp_path) == ["0"] * 2
    )


def test_a_recipe_tells_what_it_read_and_does_not_run(tmp_path):
    words = ["--dataset", "ana/words", "--output_dir", str(tmp_path / "model"), "--max_steps", "7"]
    args, push, training = cli.understood(RECIPES / "train.py", words)
    assert (args.dataset, push.push_to, training.max_steps) == ("ana/words", "", 7)
    assert not (tmp_path / "model").exists()
