#!/usr/bin/python3
"""Speed of `galena` beside pandas with scikit-learn or XGBoost on the same files in the same run, in rows per CPU second.

  bench/speed.py [--galena PATH] [--rows N] [--repeat N] [--json]

CPU seconds are user plus system of the whole galena process; the peer's are those of its work, without starting Python and
importing libraries. Training: both read the CSV, encode, tune and fit; galena also looks for leaks, evaluates with bootstrap intervals and
writes the model. Scoring: both read the CSV, encode, predict and write a CSV. Both sides run in turn, --repeat times (three; boosted
trees are trained once), and the least time of each counts, since other work on the machine only adds to it. Ratios are what counts:
absolute figures depend on the machine. Exit code 1 when a bar is missed."""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tables import TABLES, path_of, train_arguments

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = "x_education"


def tile(path, rows, out):
    """Writes a file of `rows` rows by repeating the table."""
    with open(path, newline="") as f:
        header, body = f.readline(), f.read()
    lines = body.count("\n")
    with open(out, "w", newline="") as f:
        f.write(header)
        for _ in range(max(1, round(rows / lines))):
            f.write(body)
    return max(1, round(rows / lines)) * lines


def cpu_of(command):
    """CPU seconds, peak memory and standard output of a finished command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{run.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, run.stdout


def peer(*arguments):
    env = dict(os.environ, OMP_NUM_THREADS="1", PYTHONWARNINGS="ignore")
    run = subprocess.run(["/usr/bin/python3", os.path.join(HERE, "peers/scikit_pipeline.py"), *arguments],
                         capture_output=True, text=True, env=env)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout)


class Bench:
    def __init__(self, a, folder):
        self.a, self.folder, self.rows, self.missed = a, folder, [], 0
        t = TABLES[TABLE]
        self.file = path_of(TABLE)
        self.drop = ",".join([t["id"]] + t["exclude"])

    def at(self, name):
        return os.path.join(self.folder, name)

    def report(self, name, ours, theirs, bar, unit):
        ratio = theirs / ours
        self.missed += ratio < bar
        self.rows.append(dict(name=name, ours=ours, theirs=theirs, ratio=ratio, bar=bar, unit=unit))
        if not self.a.json:
            note = "" if ratio >= bar else "  MISSED"
            print(f"{name:44} {ours:10.3f} {theirs:10.3f} {unit:14} {ratio:7.1f} times (bar {bar}){note}", flush=True)

    def train(self, family):
        model = self.at(family + ".galena")
        cpu, _ = cpu_of([self.a.galena, "train", *train_arguments(TABLE), "--family", family, "--out", model, "--json"])
        return cpu, model

    def score(self, model, file, *options):
        cpu, _ = cpu_of([self.a.galena, "score", file, "--model", model, "--out", self.at("out.csv"), *options])
        return cpu

    def least(self, ours, theirs):
        """The least CPU seconds of each side, which run in turn."""
        pairs = [(ours(), theirs()) for _ in range(self.a.repeat)]
        return [min(side) for side in zip(*pairs)]

    def compare_scores(self, name, bar, model, pickle, options, rows, contribution_rows=0):
        """CPU microseconds a row; XGBoost's contributions are so slow that their file may be smaller."""
        ours_file, theirs_file = self.at("big.csv"), self.at("small.csv" if contribution_rows else "big.csv")
        flags = ["--contributions"] if contribution_rows else []
        score = ["score", theirs_file, "--model", pickle, "--out", self.at("peer.csv"), *flags]
        ours, theirs = self.least(lambda: self.score(model, ours_file, *options), lambda: peer(*score)["cpu_s"])
        self.report(name, ours * 1e6 / rows, theirs * 1e6 / (contribution_rows or rows), bar, "CPU us a row")

    def run(self):
        t = TABLES[TABLE]
        fit = ["fit", self.file, "--target", t["target"], "--positive", t["positive"], "--drop", self.drop]
        lr, xgb = self.at("lr.pickle"), self.at("xgb.pickle")
        cpu, theirs = self.least(lambda: self.train("logistic")[0], lambda: peer(*fit, "--model", "lr", "--out", lr)["cpu_s"])
        self.report("train logistic (whole process)", cpu, theirs, 10, "CPU s")
        cpu, _ = self.train("auto")
        self.report("train auto (whole process)", cpu, peer(*fit, "--model", "xgb", "--out", xgb)["cpu_s"], 1, "CPU s")
        _, gbdt = self.train("gbdt")
        n = tile(self.file, self.a.rows, self.at("big.csv"))
        few = tile(self.file, max(9000, self.a.rows // 20), self.at("small.csv"))
        self.compare_scores("score logistic, interval, 3 reasons", 5, self.at("logistic.galena"), lr, [], n)
        self.compare_scores("score gbdt, no reasons", 5, gbdt, xgb, ["--reasons", "0"], n)
        self.compare_scores("score gbdt, 3 reasons", 20, gbdt, xgb, [], n, few)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galena", default=os.path.join(HERE, "../build/src/cmd/galena"))
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    if not a.json:
        print(f"{'':44} {'galena':>10} {'peer':>10}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(a, folder)
        bench.run()
    if a.json:
        print(json.dumps(bench.rows))
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
