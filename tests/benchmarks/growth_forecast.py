"""Does the forecast of grow.py cover what comes? Real trainings on parts of a dataset, and the truth at all of it.

    python tests/benchmarks/growth_forecast.py --dataset my_dataset --config recipes/demo/train.yaml --folder DIR

In each run, another half of the training data is all there is. The forecast is made as grow.py makes it, from five
trainings on parts of that half, for as much speech more; then one training on all of the data tells the truth. The
recogniser in use, whose error rate the forecast is relative to, and the true one have trainings of their own, with
other seeds. Every training takes as many steps as --config says, or --seconds. Run the same command again to resume,
with a higher --runs to go on.
"""

import argparse
import json
import shutil
from pathlib import Path

from u2u_hf.comparison.programs import Programs
from u2u_hf.demo.quickstart import BASE_MODEL
from u2u_hf.files import write_text
from u2u_hf.growth.forecast import forecasts
from u2u_hf.growth.keep import error_rate
from u2u_hf.growth.learning_curve import LearningCurve, trained_and_scored, write_part
from u2u_hf.growth.recipes import Recipes
from u2u_hf.project.folder import Project


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, type=Path, help="prepared dataset")
    parser.add_argument("--folder", required=True, type=Path, help="where the trainings go")
    parser.add_argument("--config", required=True, type=Path, help="settings of train.py")
    parser.add_argument("--model", default=str(BASE_MODEL), help="the base model (the tiny one)")
    parser.add_argument("--seconds", type=int, help="of each training, in place of the steps in --config")
    parser.add_argument("--runs", type=int, default=20)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    project = Project(args.folder)
    shutil.copyfile(args.config, project.config("train"))
    with Programs() as programs:
        recipes = Recipes(project, programs.run, args.folder / "log.txt", lambda: programs.stopped)
        found = [one_run(args, recipes, number) for number in range(args.runs)]
    told = [row for row in found if row["interval"]]
    hits = sum(row["interval"][0] <= row["truth"] <= row["interval"][1] for row in told)
    for number, row in enumerate(found):
        between = "{:.1%} to {:.1%}".format(*row["interval"]) if row["interval"] else row["why_not"]
        print(f"run {number}: now {row['now']:.1%}, then {row['truth']:.1%}, forecast {between}; parts {row['parts']}")
    print(f"{hits} of {len(told)} forecasts covered the truth; in {len(found) - len(told)} runs nothing could be told")


def one_run(args, recipes, number):
    """Make a forecast from a half of the data, and measure what all of it gives → both."""
    here = args.folder / f"run_{number:02d}"
    result = here / "result.json"
    if result.is_file():
        return json.loads(result.read_text(encoding="utf-8"))
    half, seed = here / "half", 100 * (number + 1)
    has = write_part(args.dataset, half, 0.5, seed)
    curve = LearningCurve(here / "curve", half, args.model, args.seconds, seed)
    curve.run(recipes)
    rates = {}
    for name, data, own in (("now", half, seed + 50), ("truth", args.dataset, seed + 60)):
        if not (here / name / "scores" / "evaluation.html").is_file():
            trained_and_scored(recipes, here / name, data, args.model, args.seconds, own)
        rates[name] = error_rate(here / name / "scores")
        shutil.rmtree(here / name / "model", ignore_errors=True)
    trials, recordings = curve.trials()
    [forecast] = forecasts(trials, recordings, rates["now"], [has])
    row = rates | {"interval": forecast.interval, "why_not": forecast.why_not}
    row["parts"] = [[round(60 * trial.hours, 1), round(trial.rate, 3)] for trial in trials]
    write_text(result, json.dumps(row) + "\n")
    shutil.rmtree(half, ignore_errors=True)
    return row


if __name__ == "__main__":
    main()
