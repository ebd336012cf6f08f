#!/usr/bin/python3
"""Quality and speed of `galena dedupe`.

  bench/dedupe.py [--galena PATH] [--data DIR] [--half NAME] [--rows N] [--json]

Quality: precision, recall and F1 of the pairs at the standing threshold on Febrl 3 and 4 and fake_1000 in DIR
(../shared/data/lead-dedup; files *_NAME.csv, NAME "dev"). No file's truth is used but to count. Speed: N synthetic leads
(bench/dedupe_leads.py, one million; 0 leaves it out), CPU seconds and peak memory of the process. Exit code 1 when a bar is
missed."""
import argparse
import collections
import csv
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

FEBRL = ["given_name=given_name", "surname=surname", "street_number=street_number", "street=address_1", "street=address_2",
         "city=suburb", "postcode=postcode", "state=state", "birth_date=date_of_birth"]
FAKE = ["given_name=first_name", "surname=surname", "birth_date=dob", "city=city", "email=email"]
LEADS = ["given_name=first_name", "surname=last_name", "email=email", "phone=phone", "company=company", "domain=domain",
         "city=city", "postcode=postcode", "country=country"]
SECOND, BYTE = 120.0, 2 << 30


def run(a, columns, *words):
    command = [a.galena, "dedupe", *words, "--json"]
    for c in columns:
        command += ["--column", c]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), cpu, after.ru_maxrss * 1024


def truth(path, key, gold):
    with open(path, newline="") as f:
        return {r[key]: r[gold] for r in csv.DictReader(f)}


def figures(out, first, second=None):
    """Precision, recall, F1 of the pairs in `out`."""
    both = {**first, **(second or {})}
    with open(out, newline="") as f:
        found = {frozenset((r["id_a"], r["id_b"])) for r in csv.DictReader(f)}
    if second is None:
        real = sum(n * (n - 1) // 2 for n in collections.Counter(first.values()).values())
    else:
        n = collections.Counter(second.values())
        real = sum(n[v] for v in first.values())
    right = sum(len({both[x] for x in pair}) == 1 for pair in found)
    p, r = right / max(len(found), 1), right / real
    return p, r, 2 * p * r / max(p + r, 1e-9)


def quality(a, folder):
    at = lambda name: os.path.join(a.data, f"{name}_{a.half}.csv")
    out = os.path.join(folder, "pairs.csv")
    sets = [("Febrl 4", ["febrl4a", "febrl4b"], FEBRL + ["identifier=soc_sec_id"], "rec_id", "entity", 0.985),
            ("Febrl 4 without number", ["febrl4a", "febrl4b"], FEBRL, "rec_id", "entity", 0.97),
            ("Febrl 3", ["febrl3"], FEBRL + ["identifier=soc_sec_id"], "rec_id", "entity", 0.97),
            ("Febrl 3 without number", ["febrl3"], FEBRL, "rec_id", "entity", 0.0),
            ("fake_1000", ["fake1000"], FAKE, "unique_id", "cluster", 0.85)]
    for name, files, columns, key, gold, bar in sets:
        link = ["--link", at(files[1])] if len(files) > 1 else []
        _, cpu, _ = run(a, columns, at(files[0]), *link, "--id", key, "--out", out)
        p, r, f1 = figures(out, *(truth(at(f), key, gold) for f in files))
        yield {"what": name, "precision": p, "recall": r, "f1": f1, "bar": bar, "cpu_s": cpu, "met": f1 >= bar}


def speed(a, folder):
    from dedupe_leads import write_leads
    leads, out = os.path.join(folder, "leads.csv"), os.path.join(folder, "pairs.csv")
    gold = write_leads(leads, a.rows, seed=1)
    summary, cpu, byte = run(a, LEADS, leads, "--id", "lead_id", "--out", out)
    p, r, f1 = figures(out, gold)
    wall = sum(summary["seconds"][k] for k in ("read", "search", "write"))
    return {"what": f"{a.rows:,} leads", "precision": p, "recall": r, "f1": f1, "cpu_s": cpu, "wall_s": wall,
            "rss_gib": byte / 2**30, "compared": summary["compared"], "window": summary["window"],
            "bar": f"{SECOND:.0f} s on two cores, 2 GiB", "met": cpu / 2 <= SECOND and byte <= BYTE}


def main():
    p = argparse.ArgumentParser()
    here = os.path.dirname(os.path.abspath(__file__))
    p.add_argument("--galena", default=os.path.join(here, "../build/src/cmd/galena"))
    p.add_argument("--data", default=os.path.join(here, "../../shared/data/lead-dedup"))
    p.add_argument("--half", default="dev")
    p.add_argument("--rows", type=int, default=1000000)
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = list(quality(a, folder))
        if a.rows > 0:
            rows.append(speed(a, folder))
    if a.json:
        print(json.dumps(rows, indent=1))
    else:
        for r in rows:
            more = "".join(f"  {k} {r[k]:.4g}" for k in ("wall_s", "rss_gib", "compared", "window") if k in r)
            print(f"{r['what']:24} P {r['precision']:.4f} R {r['recall']:.4f} F1 {r['f1']:.4f}  CPU {r['cpu_s']:6.1f} s"
                  f"{more}  bar {r['bar']}  {'met' if r['met'] else 'MISSED'}")
    sys.exit(not all(r["met"] for r in rows))


if __name__ == "__main__":
    main()
