#!/usr/bin/python3
"""Does the 95 % interval cover the true probability? Worlds with known truth, through the program itself.

  bench/coverage.py [--galena PATH] [--worlds W ...] [--families F ...] [--rows N ...] [--missing SHARE ...] [--repeats K] [--json]

Each world draws leads and outcomes from a known probability: logistic (linear in numbers and levels), trees (a sum of steps), and
interactions (linear and products of numbers). For each world, family, number of rows and share of missing cells, means over
the repeats:

  covers     share of new leads whose true probability, given all their fields, lies inside the interval; new leads lack cells as
             the training leads do, at random
  complete   the same for new leads that lack nothing
  worst      least `covers` among the repeats: errors of one training set are shared by all its leads
  width      median width of the interval
  half/full  a lead with half its fields hidden: how often its interval is wider than its own when complete, and how often it
             covers the score that it has when complete

Bars, each of which makes the exit code 1 when missed: `covers` is 92 to 98 % where the family contains the truth (family logistic,
world logistic, nothing missing); hiding half the fields widens the interval in 95 % of cases where training leads lack at most 20 %
of their cells and are 2,000 or more. With missing cells no family here contains
the truth (a model of what is seen is not a logistic model of it), so those rows are printed without a bar."""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
LEVELS = {"industry": 6, "source": 5, "region": 4}
NUMBERS = ["visits", "pages", "employees", "age"]
FIELDS = list(LEVELS) + NUMBERS
NEW_LEADS = 1500


def draw_leads(r, n):
    level = {c: r.choice(k, n, p=np.arange(k, 0, -1) / (k * (k + 1) / 2)) for c, k in LEVELS.items()}
    number = {c: r.normal(size=n) for c in NUMBERS}
    return level, number


def truth_logistic(r):
    weight = {c: r.normal(0, .7, k) for c, k in LEVELS.items()}
    slope = {c: r.normal(0, .6) for c in NUMBERS}
    return lambda level, number: -.8 + sum(weight[c][level[c]] for c in LEVELS) + sum(slope[c] * number[c] for c in NUMBERS)


def truth_trees(r):
    """A sum of depth-three steps."""
    trees = [([(c, r.normal(0, .8)) for c in r.choice(NUMBERS, 3)], r.normal(0, .5, 8)) for _ in range(12)]

    def logit(level, number):
        z = np.full(len(number["age"]), -.8)
        for cuts, leaf in trees:
            z += leaf[sum((number[c] > at).astype(int) << k for k, (c, at) in enumerate(cuts))]
        return z
    return logit


def truth_interactions(r):
    linear, pairs = truth_logistic(r), [(a, b, r.normal(0, .5)) for a in NUMBERS for b in NUMBERS if a < b]
    return lambda level, number: linear(level, number) + sum(w * number[a] * number[b] for a, b, w in pairs)


WORLDS = {"logistic": truth_logistic, "trees": truth_trees, "interactions": truth_interactions}


def write_table(path, level, number, outcome, hide=None):
    """hide: rows by FIELDS, true where a cell is left empty."""
    with open(path, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(FIELDS + (["won"] if outcome is not None else []))
        for i in range(len(number["age"])):
            row = [f"{c[:2]}{level[c][i]}" for c in LEVELS] + [f"{number[c][i] * 10 + 50:.6g}" for c in NUMBERS]
            if hide is not None:
                row = ["" if hidden else cell for cell, hidden in zip(row, hide[i])]
            w.writerow(row + ([int(outcome[i])] if outcome is not None else []))


def run(command):
    r = subprocess.run(command, capture_output=True, text=True)
    if r.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{r.stderr}")


def score(galena, model, table, folder):
    """Score, low and high; NaN where the program says that too little is known."""
    out = os.path.join(folder, "out.csv")
    run([galena, "score", table, "--model", model, "--out", out, "--reasons", "0", "--quiet"])
    with open(out, newline="") as f:
        rows = list(csv.DictReader(f))
    return [np.array([float(x[k] or "nan") for x in rows]) for k in ("galena_score", "galena_low", "galena_high")]


def inside(value, low, high):
    known = ~np.isnan(low)
    return np.mean((low[known] <= value[known]) & (value[known] <= high[known]))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def once(galena, world, family, n, missing, seed, folder):
    r = np.random.RandomState(seed)
    logit = WORLDS[world](r)
    past, new, model = (os.path.join(folder, f) for f in ("past.csv", "new.csv", "model"))
    level, number = draw_leads(r, n)
    write_table(past, level, number, r.uniform(size=n) < sigmoid(logit(level, number)), r.uniform(size=(n, len(FIELDS))) < missing)
    run([galena, "train", past, "--target", "won", "--family", family, "--split", "none", "--out", model, "--quiet"])
    level, number = draw_leads(r, NEW_LEADS)
    true = sigmoid(logit(level, number))
    got = []
    hidden = r.uniform(size=(NEW_LEADS, len(FIELDS)))
    half = np.argsort(np.argsort(hidden, 1), 1) < np.where(hidden[:, :1] < .5, len(FIELDS) // 2, (len(FIELDS) + 1) // 2)
    for hide in (None, hidden < missing if missing > 0 else None, half):
        write_table(new, level, number, None, hide)
        got.append(score(galena, model, new, folder))
    (p, low, high), (_, some_low, some_high), (_, half_low, half_high) = got
    both = ~np.isnan(half_low) & ~np.isnan(low)
    return (inside(true, some_low, some_high), inside(true, low, high), np.nanmedian(some_high - some_low),
            np.mean((half_high - half_low > high - low)[both]), inside(p, half_low, half_high))


def measure(a, world, family, n, missing):
    with tempfile.TemporaryDirectory() as folder:
        got = np.array([once(a.galena, world, family, n, missing, 100 + k, folder) for k in range(a.repeats)])
    covers, complete, width, wider, half_covers = got.mean(0)
    contains = world == "logistic" and family == "logistic" and missing == 0
    return dict(world=world, family=family, rows=n, missing=missing, covers=covers, complete=complete, worst=got[:, 0].min(), width=width,
                wider_with_half=wider, half_covers_full=half_covers, contains=contains,
                missed=[name for name, bad in (("coverage", contains and not .92 <= covers <= .98),
                                               ("half", n >= 2000 and missing <= .2 and wider < .95)) if bad])


def line(r):
    return (f"| {r['world']:12} | {r['family']:8} | {r['rows']:5} | {100 * r['missing']:5.0f} % | {100 * r['covers']:6.1f} % | "
            f"{100 * r['complete']:6.1f} % | {100 * r['worst']:3.0f} % | {r['width']:.2f}  | {100 * r['wider_with_half']:5.1f} % | "
            f"{100 * r['half_covers_full']:5.1f} % |" + "".join(f" {m.upper()} MISSED" for m in r["missed"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galena", default=os.path.join(HERE, "../build/src/cmd/galena"))
    parser.add_argument("--worlds", nargs="*", default=list(WORLDS), choices=list(WORLDS))
    parser.add_argument("--families", nargs="*", default=["logistic", "gbdt", "auto"])
    parser.add_argument("--rows", type=int, nargs="*", default=[500, 2000, 8000])
    parser.add_argument("--missing", type=float, nargs="*", default=[0, .2, .5])
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    results = []
    if not a.json:
        print("| truth        | family   |  rows | missing |  covers  | complete | worst | width | half: wider | covers full |")
        print("|---|---|---|---|---|---|---|---|---|---|")
    for world in a.worlds:
        for family in a.families:
            for n in a.rows:
                for missing in a.missing:
                    results.append(measure(a, world, family, n, missing))
                    if not a.json:
                        print(line(results[-1]), flush=True)
    if a.json:
        print(json.dumps(results))
    sys.exit(1 if any(r["missed"] for r in results) else 0)


if __name__ == "__main__":
    main()
