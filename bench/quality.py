#!/usr/bin/python3
"""Quality of `galena train --family auto` on the public tables, fixed split, leaking columns left out, against the bars.

  bench/quality.py [--galena PATH] [--family NAME] [--only TABLE ...] [--json]

Exit code 1 when a bar is missed."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tables import TABLES, path_of, train_arguments


def measure(galena, name, family, folder):
    out = os.path.join(folder, name + ".galena")
    run = subprocess.run([galena, "train", *train_arguments(name), "--family", family, "--out", out, "--json"],
                         capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{name}: galena train failed:\n{run.stderr}")
    return json.loads(run.stdout)


def check(name, m):
    t = TABLES[name]
    ece_bar = t["ece"] if t["ece"] is not None else m["ece_floor_p95"] + 0.005
    return dict(auc=m["auc"] >= t["auc"], log_loss=m["log_loss"] <= t["log_loss"], ece=m["ece"] <= ece_bar), ece_bar


def compare_with_pls(galena, name):
    """What counting by field and value gets on the same rows: the predictive lead scoring of a CRM suite (bench/pls.c)."""
    build = os.path.normpath(os.path.join(os.path.dirname(galena), "../.."))
    if subprocess.run(["ninja", "-C", build, "bench/pls"], stdout=subprocess.DEVNULL).returncode != 0:
        return None
    t = TABLES[name]
    exclude = ",".join(t["exclude"] + ([t["id"]] if t["id"] else []))
    run = subprocess.run([os.path.join(build, "bench/pls"), path_of(name), t["target"], t["positive"], exclude], check=True,
                         capture_output=True, text=True)
    return json.loads(run.stdout)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galena", default=os.path.join(here, "../build/src/cmd/galena"))
    parser.add_argument("--family", default="auto")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    missed, rows = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for name in a.only or TABLES:
            r = measure(a.galena, name, a.family, folder)
            m = r["metrics"]["test"]
            ok, ece_bar = check(name, m)
            missed += not all(ok.values())
            rows.append(dict(table=name, family=r["family"], seconds=r["seconds"]["total"], ece_bar=ece_bar, ok=ok, **m))
            if not a.json:
                t, x = TABLES[name], rows[-1]
                mark = lambda k: "" if ok[k] else " MISSED"
                print(f"{name:20} auc {m['auc']:.4f} (>= {t['auc']:.3f}{mark('auc')})  log loss {m['log_loss']:.4f} "
                      f"(<= {t['log_loss']:.3f}{mark('log_loss')})  ece {m['ece']:.4f} (<= {ece_bar:.4f}{mark('ece')})  "
                      f"{x['seconds']:.1f} s", flush=True)
            if name == "x_education" and (pls := compare_with_pls(a.galena, name)):
                rows[-1]["pls"] = pls
                if not a.json:
                    print(f"{'  lead scoring by PLS':20} auc {pls['auc']:.4f}            log loss {pls['log_loss']:.4f}            "
                          f"ece {pls['ece']:.4f}", flush=True)
    if a.json:
        print(json.dumps(rows))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
