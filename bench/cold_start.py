#!/usr/bin/python3
"""How a profile and few outcomes combine, on the public tables with their hand-made profiles (bench/profiles).

  bench/cold_start.py [--build DIR] [--resamples N]

Runs DIR/bench/cold_start (ninja -C DIR bench/cold_start) for each table. The bar: with 20, 50 and 100 outcomes, profile and data together
have no greater mean log loss than the better of the profile alone and the data alone; lines that
miss it end in WORSE, and the exit code is 1."""
import argparse
import os
import subprocess
import sys

from tables import TABLES, path_of

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(HERE, "../build"))
    parser.add_argument("--resamples", default="50")
    args = parser.parse_args()
    subprocess.run(["ninja", "-C", args.build, "bench/cold_start"], check=True, stdout=subprocess.DEVNULL)
    missed = 0
    for name in ("x_education", "bank", "online_shoppers"):
        t = TABLES[name]
        exclude = ",".join(t["exclude"] + ([t["id"]] if t["id"] else []))
        out = subprocess.run([os.path.join(args.build, "bench/cold_start"), path_of(name), os.path.join(HERE, "profiles", name + ".yaml"),
                              t["target"], t["positive"], exclude, args.resamples], check=True, capture_output=True, text=True).stdout
        print(out)
        missed += sum(line.split()[0] in ("20", "50", "100") for line in out.splitlines() if line.endswith("WORSE"))
    return 1 if missed else 0


sys.exit(main())
