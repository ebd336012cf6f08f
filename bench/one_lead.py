#!/usr/bin/python3
"""Time of one lead of X Education through a loaded model, with interval and three reasons, each lead scored by itself.

  bench/one_lead.py [--galena PATH] [--json]

Trains both models, builds one_lead beside the program and runs it. The bars are on the median of the CPU time; the 99th percentile
and the clock are shown too. Exit code 1 when a bar is missed."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

from tables import path_of, train_arguments

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE, BARS_US = "x_education", {"logistic": 50, "auto": 500}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galena", default=os.path.join(HERE, "../build/src/cmd/galena"))
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    build = os.path.join(os.path.dirname(os.path.abspath(a.galena)), "../..")
    subprocess.run(["ninja", "-C", build, "bench/one_lead"], check=True, stdout=subprocess.DEVNULL)
    result, missed = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for family, bar in BARS_US.items():
            model = os.path.join(folder, family + ".galena")
            subprocess.run([a.galena, "train", *train_arguments(TABLE), "--family", family, "--out", model, "--json"],
                           check=True, capture_output=True)
            out = subprocess.run([os.path.join(build, "bench/one_lead"), model, path_of(TABLE)],
                                 check=True, capture_output=True, text=True).stdout
            r = result[family] = dict(json.loads(out), bar_us=bar)
            missed += r["cpu_median_us"] >= bar
            if not a.json:
                print(f"one lead, {family:10} CPU median {r['cpu_median_us']:7.1f} us, 99 % {r['cpu_p99_us']:7.1f} us; clock "
                      f"{r['wall_median_us']:7.1f} us, 99 % {r['wall_p99_us']:7.1f} us (bar {bar} us)"
                      f"{'' if r['cpu_median_us'] < bar else '  MISSED'}", flush=True)
    if a.json:
        print(json.dumps(result))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
