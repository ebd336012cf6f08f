#!/usr/bin/python3
"""Memory of `galena score` against the number of rows, which come through a pipe and are never on disk.

  bench/memory.py [--galena PATH] [--rows N] [--family NAME] [--json]

The same block of leads is sent again and again: once 300,000 rows, once --rows of them (10 million when left out). The greatest
resident memory must stay below 200 MB and must not grow with the rows (within 20 %). Exit code 1 when it does."""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

LIMIT_MB, GROWTH, FEW, BLOCK = 200, 0.2, 300_000, 20_000
SOURCES, COUNTRIES = ["Ads", "Referral", "Fair", "Web", "Partner"], ["DE", "FR", "US", "IN", ""]


def leads(n, seed, outcome):
    """n rows of ten columns as CSV lines."""
    draw = random.Random(seed)
    lines = []
    for i in range(n):
        source, visits, seconds = draw.choice(SOURCES), draw.randrange(20), round(draw.expovariate(1 / 300), 1)
        odds = 0.05 * 3 ** (source == "Referral") * 1.15**visits
        line = (f"L{i:07d},{source},{visits},{seconds},20{draw.randrange(10, 26)}-{draw.randrange(1, 13):02d}-05,{draw.choice(COUNTRIES)},"
                f"{draw.choice(['yes', 'no'])},{draw.randrange(1, 5000)},{draw.choice(['Select', 'Sales', 'IT'])},{draw.random():.4f}")
        lines.append(line + (f",{'yes' if draw.random() < odds / (1 + odds) else 'no'}" if outcome else "") + "\n")
    return "".join(lines).encode()


HEAD = "id,source,visits,seconds,founded,country,newsletter,employees,department,index"


def peak_of(galena, model, rows):
    """Greatest resident memory in MB and seconds of scoring so many rows."""
    block = leads(BLOCK, 2, False)
    began = time.monotonic()
    run = subprocess.Popen([galena, "score", "-", "--model", model, "--out", "/dev/null", "--quiet"], stdin=subprocess.PIPE)
    run.stdin.write(HEAD.encode() + b"\n")
    for _ in range(max(1, rows // BLOCK)):
        run.stdin.write(block)
    run.stdin.flush()
    with open(f"/proc/{run.pid}/status", encoding="ascii") as f:  # while it waits for the end of its input
        peak = int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024
    run.stdin.close()
    if run.wait() != 0:
        raise SystemExit(f"galena score ended with {run.returncode}")
    return peak, time.monotonic() - began


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--galena", default="build/src/cmd/galena")
    p.add_argument("--rows", type=int, default=10_000_000)
    p.add_argument("--family", default="logistic")
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "a.model")
        subprocess.run([a.galena, "train", "-", "--target", "won", "--id", "id", "--family", a.family, "--out", model, "--quiet"],
                       input=(HEAD + ",won\n").encode() + leads(3000, 1, True), check=True)
        few, _ = peak_of(a.galena, model, FEW)
        many, seconds = peak_of(a.galena, model, a.rows)
    good = many < LIMIT_MB and few < LIMIT_MB and many < (1 + GROWTH) * few
    if a.json:
        print(json.dumps({"rows": [FEW, a.rows], "peak_mb": [few, many], "seconds": seconds, "good": good}))
    else:
        print(f"  {FEW:>12,} rows  {few:7.1f} MB\n  {a.rows:>12,} rows  {many:7.1f} MB   {a.rows / seconds:,.0f} rows/s through a pipe"
              f"\n  bar: below {LIMIT_MB} MB, and the same within {GROWTH:.0%}: {'held' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
