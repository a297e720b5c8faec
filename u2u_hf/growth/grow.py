"""One round: from what people corrected to a better recogniser, better drafts and the next queue.

A round is a row of steps. Each is noted in rounds/NN/state.json when it is done, and can be done again from its
beginning, so that a round that was killed is finished by the same command.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from u2u_hf import folder_lock
from u2u_hf.corpus.reader import Recording, read_corpus
from u2u_hf.data import audio
from u2u_hf.files import replacing, write_text
from u2u_hf.formats import writers
from u2u_hf.growth import corrections, snapshot
from u2u_hf.growth.closing import pushed
from u2u_hf.growth.corrections import Corrections
from u2u_hf.growth.drafts import QUEUE, Drafts
from u2u_hf.growth.forecast import forecasts
from u2u_hf.growth.growth import as_values, rows
from u2u_hf.growth.growth_page import growth_page
from u2u_hf.growth.held_out import save_sides, sides_of
from u2u_hf.growth.keep import error_rate, replace_model
from u2u_hf.growth.learning_curve import PARTS, LearningCurve
from u2u_hf.growth.preparing import preparation_of
from u2u_hf.growth.recipes import Recipes, Stopped
from u2u_hf.growth.rounds import LAST_STEP, Round, new_round, rounds_of
from u2u_hf.growth.state import recordings_of, state_of
from u2u_hf.growth.wishes import Wishes
from u2u_hf.model_folder import CONFIG, LANGUAGE_MODEL, SETTINGS, checkpoints
from u2u_hf.project.folder import Project
from u2u_hf.recognition.model import DEFAULT_MODEL
from u2u_hf.records import Skipped, U2UError
from u2u_hf.reports.digest import hours, hours_by
from u2u_hf.reports.quantities import length
from u2u_hf.settings import duration
from u2u_hf.visible_text import visible
from u2u_hf.written_files import put_back

MORE_HOURS = (0.5, 1.0, 5.0)  # of which the forecast tells
# Until the model of a round is trained, a file that somebody changes takes the round back to its beginning.
_BEFORE_TRAINED = ("changes", "prepare", "train")
_DRAFT = ("eaf", "json")  # formats that every draft is written in: for people, and for the queue
_SHOWN = 20  # sentences in the terminal; all are in growth.html


@dataclass
class Growth:
    """A project and the round that it is in.

    Attributes:
        earlier: the finished rounds.
    """

    project: Project
    recipes: Recipes
    wishes: Wishes
    round: Round
    earlier: list[Round] = field(default_factory=list)

    def run(self) -> None:
        """Do the steps that are left.

        Raises:
            U2UError: a step fails; what was done before is kept. Stopped: the user asked to stop.
        """
        self._look_again()
        for number, (name, title, step) in enumerate(self._steps(), 1):
            print(f"\nround {self.round.number}, {number}/{len(self._steps())}  {title}", flush=True)
            if name in self.round.facts:
                print("  was done already")
            else:
                self.round.finish(name, step())
            if self.recipes.is_stopped():
                raise Stopped

    def _steps(self) -> list[tuple[str, str, Callable[[], Any]]]:
        return [
            ("changes", "what people changed", self._changes),
            ("prepare", "the dataset", self._prepare),
            ("train", "the recogniser learns", self._train),
            ("language_model", "words and sentences of the language", self._language_model),
            ("compare", "is it better than the one in use?", self._compare),
            ("keep", "the recogniser in use", self._keep),
            ("test", "how good it is, on recordings that chose nothing", self._test),
            ("transcribe", "better drafts, and what to correct next", self._transcribe),
            ("forecast", "what more correcting would bring", self._forecast),
            ("push", "on the Hub", self._push),
            (LAST_STEP, "the report", self._report),
        ]

    def _look_again(self) -> None:
        """Take a round back to its beginning if somebody changed a file before its model was trained."""
        facts = self.round.facts
        if "changes" not in facts or "train" in facts:
            return
        is_same = facts["changes"]["state"] == state_of(self.project)
        is_same = is_same and all(Path(path).is_file() for path in facts["changes"]["audio"].values())
        if not is_same or ("prepare" in facts and facts["prepare"] != self._dataset_state()):
            print("files were changed since this round was begun: it begins anew, with what they are now")
            shutil.rmtree(self.round.model, ignore_errors=True)
            self.round.reopen(*_BEFORE_TRAINED)

    # The steps. Each returns what state.json keeps of it.

    def _changes(self) -> dict[str, Any]:
        project, last = self.project, self.earlier[-1] if self.earlier else None
        state = state_of(project)
        corpus, lines, problems = self._corpus(last)
        found = self._corrections(last)
        lines, problems = [*lines, *found.lines] if last else found.lines, [*problems, *found.problems]
        _tell(lines, problems)  # before what fails for this reason
        preparation, settings = preparation_of(project, [self._copies, *found.audio.values()], self._earlier_sides)
        sides, marks, renamed = sides_of(preparation, settings, self._earlier_sides, self._fact(last, "sounds", {}))
        if self._earlier_sides:
            save_sides(self.round.splits, sides, settings.split_by)
        for path, kept in ((self.round.corpus, corpus), (self.round.corrected, found.state)):
            snapshot.save(path, kept)
        unusable = [
            f"{Path(item.where).name}: {item.reason}; it is not learnt from"
            for item in preparation.skipped
            if item.is_problem and Path(item.where).is_relative_to(self._copies)
        ]
        _tell(renamed, unusable)
        train = preparation.splits["train"]
        return {
            "state": state,
            "lines": [*lines, *renamed],
            "problems": [*problems, *unusable],
            "touched": found.touched,
            "open_segments": found.open_segments,
            "audio": found.audio,
            "changed": found.changed,
            "characters": found.characters,
            "counted": found.counted,
            "sounds": marks,
            "hours": round(hours(train), 4),
            "speakers": {name: round(value, 4) for name, value in hours_by(train, lambda u: u.speaker).items()},
        }

    def _prepare(self) -> Any:
        project, facts = self.project, self.round.facts["changes"]
        values = project.settings("prepare") | {"also": [str(self._copies), *facts["audio"].values()]}
        if self.round.splits.is_file():
            # What came into the corpus since then goes into training too.
            values |= {"splits": str(self.round.splits), "validation_hours": 0.0, "test_hours": 0.0}
        config = self.round.folder / "prepare.yaml"
        write_text(config, yaml.safe_dump(values, allow_unicode=True, sort_keys=False))
        places = "--corpus", project.corpus, "--output_dir", project.dataset
        self.recipes("prepare.py", *places, config=config)
        if not self.round.splits.is_file() and (dealt := project.dataset / "splits.csv").is_file():
            write_text(self.round.splits, dealt.read_text(encoding="utf-8"))
        return self._dataset_state()

    def _train(self) -> dict[str, Any]:
        base = self._base
        print(f"from {base}{f', for {duration(self.wishes.train_seconds)}' if self.wishes.train_seconds else ''}")
        budget = ["--time_budget", duration(self.wishes.train_seconds)] if self.wishes.train_seconds else []
        places = "--dataset", self.project.dataset, "--model", base, "--output_dir", self.round.model
        self.recipes("train.py", *places, "--resume", *budget)
        if not (self.round.model / SETTINGS).is_file():
            raise U2UError(f"{self.round.model}: train.py left no model there: run grow.py again")
        return {"base": base}

    def _language_model(self) -> bool:
        wanted = (self.project.model / LANGUAGE_MODEL).is_dir() or self.project.config("language_model").is_file()
        if not wanted:
            print("  the recogniser in use has no language model, and language_model.yaml is missing: none")
            return False
        self.recipes("language_model.py", "--model", self.round.model, "--dataset", self.project.dataset)
        return True

    def _compare(self) -> dict[str, Any]:
        new = self._score(self.round.model, "validation", "new")
        if not self._has_model:
            print(f"the first recogniser: {new:.1%} of the characters wrong on validation")
            return {"is_better": True, "new": new, "old": None}
        old = self._score(self.project.model, "validation", "old")
        is_better = new < old
        verdict = "it takes the place of the one before" if is_better else "the one before stays in use"
        print(f"characters wrong on validation: {new:.1%}, before {old:.1%}: {verdict}")
        return {"is_better": is_better, "new": new, "old": old}

    def _keep(self) -> None:
        if not self.round.facts["compare"]["is_better"]:
            for path in checkpoints(self.round.model).values():
                shutil.rmtree(path, ignore_errors=True)
            return
        if self.round.model.is_dir():
            self.recipes("export.py", "--model", self.round.model, "--dataset", self.project.dataset)
        replace_model(self.project.model, self.round.model, self.round.earlier_model)

    def _test(self) -> float:
        scores = self.project.scores
        places = "--model", self.project.model, "--dataset", self.project.dataset, "--split", "test"
        self.recipes("evaluate.py", *places, "--output_dir", scores)
        kept = self.round.scores("test")
        kept.mkdir(parents=True, exist_ok=True)
        for name in ("metrics.json", "pairs.tsv"):
            with replacing(kept / name) as temporary:
                shutil.copyfile(scores / name, temporary)
        return error_rate(kept)

    def _transcribe(self) -> dict[str, Any]:
        project, facts = self.project, self.round.facts["changes"]
        drafts = self._drafts
        drafts.begin(self.round.number)
        names = recordings_of(project)
        if not names:
            print("  there are no recordings to transcribe")
            return {"written": 0}
        by_people = corrections.edited_files(project.transcripts)
        touched = {*by_people, *facts["touched"]}
        done = {name for name, path in names.items() if path in self._transcribed}
        stay = names if not self.round.facts["compare"]["is_better"] else ()
        kept = {name for name in stay if all((project.transcripts / f"{name}.{form}").is_file() for form in _DRAFT)}
        drafts.skip(touched | done, facts["open_segments"], kept - touched - done)
        if not drafts.are_whole:
            (drafts.new / QUEUE).unlink(missing_ok=True)
            places: list[str | Path] = [
                "--model",
                project.model,
                "--output_dir",
                drafts.new,
                "--queue",
                *project.recordings,
            ]
            self.recipes("transcribe.py", *places)
            drafts.note_whole()
        project.transcripts.mkdir(parents=True, exist_ok=True)
        written, edited = drafts.take(self.round.drafts)
        drafts.clean()
        print(f"{written} drafts are new; {len(by_people)} transcripts stay as people left them")
        for name in edited:
            print(visible(f"! {name}: was edited, and stays as it is"))
        return {"written": written}

    def _forecast(self) -> list[dict[str, Any]]:
        if not self.wishes.forecast_seconds:
            print("  not asked for: give --time_budget, or --forecast, for the trainings that it needs")
            return []
        seconds = self.wishes.forecast_seconds // len(PARTS)
        folder = self.round.folder / f"forecast_{duration(seconds)}"  # all trainings of a forecast take the same time
        curve = LearningCurve(folder, self.project.dataset, self._first_base, seconds)
        curve.run(self.recipes)
        trials, recordings = curve.trials()
        found = forecasts(trials, recordings, self.round.facts["test"], MORE_HOURS)
        for forecast in found:
            told = (
                f"{forecast.rate:.1%} ({forecast.interval[0]:.1%} to {forecast.interval[1]:.1%})"
                if forecast.interval
                else f"cannot be told yet: {forecast.why_not}"
            )
            print(f"with {length(forecast.more_hours)} more: {told}")
        return [asdict(forecast) for forecast in found]

    def _push(self) -> None:
        if not (name := self.wishes.push_to):
            print("  not asked for: --push_to OWNER/NAME pushes recogniser and dataset, private")
            return
        print(*pushed(self.project, name), sep="\n")

    def _report(self) -> None:
        found = rows([*self.earlier, self.round])
        facts = self.round.facts["changes"]
        text = json.dumps(as_values(found), ensure_ascii=False, indent=2) + "\n"
        write_text(self.project.folder / "growth.json", text)
        write_text(self.project.folder / "growth.html", growth_page(found, facts["lines"], facts["problems"]))

    # What the steps need.

    @property
    def _copies(self) -> Path:
        """Copies of what was corrected, as deep in the project as the transcripts: links to recordings lead there."""
        return self.project.folder / f".corrected-{self.round.number:02d}"

    @property
    def _has_model(self) -> bool:
        return (self.project.model / CONFIG).is_file()

    @property
    def _first_base(self) -> str:
        """What the first round started from: the same for every forecast."""
        return str(self.project.settings("train").get("model") or DEFAULT_MODEL)

    @property
    def _base(self) -> str:
        return str(self.project.model) if self._has_model else self._first_base

    @property
    def _earlier_sides(self) -> Path | None:
        tables = [one.splits for one in reversed(self.earlier)] + [self.project.dataset / "splits.csv"]
        return next((table for table in tables if table.is_file()), None)

    @cached_property
    def _drafts(self) -> Drafts:
        given = str(self.project.settings("transcribe").get("formats") or "eaf")
        formats = writers.parse_formats(given)
        formats += [form for form in _DRAFT if form not in formats]
        return Drafts(self.project.transcripts, self.project.folder / ".transcripts", formats)

    def _fact(self, one: Round | None, name: str, default: Any) -> Any:
        return one.facts["changes"].get(name, default) if one else default

    def _dataset_state(self) -> list[Any]:
        files = sorted((self.project.dataset / "data").glob("*.parquet"))
        return [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files]

    def _score(self, model: Path, split: str, name: str) -> float:
        scores = self.round.scores(name)
        places = "--model", model, "--dataset", self.project.dataset, "--split", split, "--output_dir", scores
        self.recipes("evaluate.py", *places)
        return error_rate(scores)

    @cached_property
    def _read(self) -> tuple[list[Recording], list[Skipped]]:
        return read_corpus(self.project.corpus, lambda path: audio.audio_info(str(path)).duration_ms)

    def _corpus(self, last: Round | None) -> tuple[snapshot.Snapshot, list[str], list[str]]:
        """Return the corpus as it is now, what changed in it since the last round, and what cannot be used any more."""
        recordings, skipped = self._read
        now = {one.name: snapshot.by_people(one.document.tiers) for one in recordings}
        before = snapshot.load(last.corpus) if last else {}
        unread = [item for item in skipped if item.is_problem]
        problems = [f"{item.where}: {item.reason}; it is not learnt from until it is repaired" for item in unread]
        # What cannot be read now will be compared with its last state.
        paths = [Path(os.path.relpath(item.where, self.project.corpus)) for item in unread]
        names = {path.as_posix() for spelled in paths for path in (spelled, spelled.with_suffix(""))}
        now |= {name: before[name] for name in names & before.keys() - now.keys()}
        return now, snapshot.differences(before, now), problems

    def _corrections(self, last: Round | None) -> Corrections:
        return corrections.collect(
            self.project.transcripts,
            self._copies,
            [one.drafts for one in reversed(self.earlier)],
            snapshot.load(last.corrected) if last else {},
            self._fact(last, "counted", {}),
            recordings_of(self.project),
            self._transcribed,
        )

    @cached_property
    def _transcribed(self) -> set[str]:
        """The recordings of the corpus that people transcribed: they need no draft."""
        return {
            sound
            for one in self._read[0]
            for sound in one.all_audio
            if any(a.value.strip() for t in snapshot.by_people(one.document.tiers) for a in t.annotations)
        }


def growth_of(project: Project, recipes: Recipes, asked: Wishes) -> Growth | None:
    """Return the round that is to be done, begun or new; None if nobody changed anything since the last one.

    Raises:
        U2UError: the folder is no project, or its corpus cannot be read.
    """
    _require_apart(project)
    _require_unpushed(project)
    put_back(project.transcripts)
    found = rounds_of(project)
    if found and not found[-1].is_finished:
        return Growth(project, recipes, asked, found[-1], found[:-1])
    is_same = found and found[-1].facts["changes"]["state"] == state_of(project)
    if is_same and (project.model / CONFIG).is_file():
        return None
    return Growth(project, recipes, asked, new_round(project, found[-1].number + 1 if found else 1), found)


@contextlib.contextmanager
def lock(project: Project) -> Iterator[None]:
    """Keep other runs from this project, in a context or until this process ends.

    Raises:
        U2UError: another run works on it.
    """
    project.rounds.mkdir(parents=True, exist_ok=True)
    try:
        folder_lock.take(project.rounds)
    except U2UError as error:
        raise U2UError(f"{project.folder}: another grow.py works on it: let it end") from error
    try:
        yield
    finally:
        folder_lock.release(project.rounds)


def _require_apart(project: Project) -> None:
    folder, corpus = project.folder.resolve(), project.corpus.resolve()
    if corpus in (folder, *folder.parents):
        raise U2UError(
            f"{project.folder}: lies in the corpus, which would then hold the drafts too: move it out of there"
        )


def _require_unpushed(project: Project) -> None:
    """Raise U2UError if a setting would push models that are not yet chosen, or make them public."""
    for recipe in ("train", "language_model", "transcribe"):
        if {"push_to", "public"} & project.settings(recipe).keys():
            raise U2UError(f"{project.config(recipe)}: push_to, public: remove them, and give grow.py --push_to")


def _tell(lines: Sequence[str], problems: Sequence[str]) -> None:
    more = [f"and {len(lines) - _SHOWN} more: see growth.html"] if lines[_SHOWN:] else []
    # Problems are told all: if the round fails over them, they stand in no growth.html.
    for line in (*lines[:_SHOWN], *more, *(f"! {problem}" for problem in problems)):
        print(visible(line))
