#!/usr/bin/python3
"""Does the 95 % interval cover the true probability? Worlds with known truth, through the program itself.

  bench/coverage.py [--galena PATH] [--rows N] [--repeats K] [--json]

Each world draws leads and outcomes from a known probability: logistic (linear in numbers and levels), trees (random boxes), and
interactions (products of fields). For each world and family: the share of new leads whose true probability lies inside the
interval, and the interval's median width. The bar (92 to 98 %) holds where the family contains the truth."""
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


def write_table(path, level, number, outcome):
    names = list(LEVELS) + NUMBERS + (["won"] if outcome is not None else [])
    with open(path, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(names)
        for i in range(len(number["age"])):
            row = [f"{c[:2]}{level[c][i]}" for c in LEVELS] + [f"{number[c][i] * 10 + 50:.6g}" for c in NUMBERS]
            w.writerow(row + ([int(outcome[i])] if outcome is not None else []))


def run(command):
    r = subprocess.run(command, capture_output=True, text=True)
    if r.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{r.stderr}")


def once(galena, world, family, n, seed, folder):
    r = np.random.RandomState(seed)
    logit = WORLDS[world](r)
    past, new, model, out = (os.path.join(folder, f) for f in ("past.csv", "new.csv", "model", "out.csv"))
    level, number = draw_leads(r, n)
    write_table(past, level, number, r.uniform(size=n) < 1 / (1 + np.exp(-logit(level, number))))
    level, number = draw_leads(r, 2000)
    write_table(new, level, number, None)
    true = 1 / (1 + np.exp(-logit(level, number)))
    run([galena, "train", past, "--target", "won", "--family", family, "--split", "none", "--out", model, "--quiet"])
    run([galena, "score", new, "--model", model, "--out", out, "--reasons", "0", "--quiet"])
    with open(out, newline="") as f:
        rows = list(csv.DictReader(f))
    low, high = (np.array([float(x[k]) for x in rows]) for k in ("galena_low", "galena_high"))
    return np.mean((low <= true) & (true <= high)), np.median(high - low)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galena", default=os.path.join(HERE, "../build/src/cmd/galena"))
    parser.add_argument("--rows", type=int, nargs="*", default=[500, 2000, 8000])
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    missed, results = 0, []
    for world in WORLDS:
        for family in ("logistic", "gbdt", "auto"):
            for n in a.rows:
                with tempfile.TemporaryDirectory() as folder:
                    got = np.array([once(a.galena, world, family, n, 100 + k, folder) for k in range(a.repeats)])
                cover, width = got.mean(0)
                contains = world == "logistic" and family == "logistic"
                bad = contains and not .92 <= cover <= .98
                missed += bad
                results.append(dict(world=world, family=family, rows=n, coverage=cover, median_width=width, contains=contains))
                if not a.json:
                    note = " (the family contains the truth: bar 92-98 %)" if contains else ""
                    print(f"truth {world:13} family {family:9} n {n:6}  covers {100 * cover:5.1f} %  width {width:.3f}{note}"
                          + (" MISSED" if bad else ""), flush=True)
    if a.json:
        print(json.dumps(results))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
