#!/usr/bin/python3
"""`galena train --family auto` against a tuned XGBoost on many tables that nothing was tuned for.

  bench/generality.py [--galena PATH] [--only NAME ...] [--kind real|sim] [--folder DIR] [--keep DIR] [--json]

Tables: those of generality_tables.py (real ones from installed Python packages, simulated ones), and those of --folder: a folder of
CSV files with a manifest.json: [{"file", "target", "positive", "id", "exclude": [...]}].
The peer reads the same file, encodes it as bench/peers/scikit_pipeline.py does (dates: day number, month, weekday) and searches its
settings on the training rows; both see the fixed split only. --keep keeps tables and the peer's predictions for the next run.
For each table: AUC of both, the difference with its 95 % interval (paired bootstrap of the test rows), log loss, ECE, CPU seconds.
Exit code 1 when a lower bound is below -0.005 for a difference below -0.005, or an expectation of a simulated table is not met."""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "peers")]
import generality_tables as tables
import scikit_pipeline as peer


def split(n):
    return ((np.arange(n, dtype=np.uint64) * np.uint64(2654435761)) & np.uint64(0xffffffff)).astype(float) / 2**32 < .3


def log_loss(y, p):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p)))


def ece(y, p, bins=15):
    order = np.argsort(p, kind="stable")
    return float(sum(abs(y[b].sum() - p[b].sum()) for b in np.array_split(order, bins)) / len(y))


def fast_auc(y, p):
    order = np.argsort(p, kind="stable")
    rank = np.empty(len(p))
    values, inverse, count = np.unique(p, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
    k = y.sum()
    return (rank[y > 0].sum() - k * (k + 1) / 2) / (k * (len(y) - k))


def auc_difference(y, mine, theirs, times=400):
    rng = np.random.default_rng(7)
    found = []
    for _ in range(times):
        i = rng.integers(0, len(y), len(y))
        if 0 < y[i].sum() < len(y):
            found.append(fast_auc(y[i], mine[i]) - fast_auc(y[i], theirs[i]))
    return [float(v) for v in np.quantile(found, [.025, .975])]


# ---- the peer ----

def with_dates(x):
    for c in list(x):
        known = x[c].dropna()
        if len(known) and known.str.match(r"^\d{4}[-/]\d\d[-/]\d\d([ T]\d\d:\d\d(:\d\d)?Z?)?$").mean() > .95:
            d = pd.to_datetime(x[c], errors="coerce", utc=True)
            x = x.drop(columns=c)
            x[c + " weekday"], x[c + " month"] = d.dt.dayofweek.astype(str), d.dt.month.astype(str)
            x[c + " day"] = ((d - d.min()).dt.total_seconds() / 86400).round(3).astype(str).replace("nan", np.nan)
    return x


def fit_large(z, y):
    """As the peer of ../shared/peers/ml/baselines.py above 20,000 rows: three settings and one, on one holdout of a fifth."""
    import xgboost as xgb
    from sklearn.model_selection import train_test_split
    draw = np.random.RandomState(peer.SEED)
    grid = [dict(max_depth=d, min_child_weight=w, subsample=.8, colsample_bytree=c, reg_lambda=l)
            for d in (3, 4, 6, 8) for w in (1, 5, 20) for c in (.4, .8) for l in (1, 10)]
    a, b = train_test_split(np.arange(len(y)), test_size=.2, stratify=y, random_state=peer.SEED)
    best, held = None, xgb.DMatrix(z[b], y[b])
    for s in [grid[i] for i in draw.choice(len(grid), 3, replace=False)] + [
            dict(max_depth=4, min_child_weight=5, subsample=.8, colsample_bytree=.4, reg_lambda=5)]:
        s = dict(s, eta=.05, objective="binary:logistic", eval_metric="logloss", tree_method="hist", nthread=1, seed=peer.SEED)
        seen = {}
        xgb.train(s, xgb.DMatrix(z[a], y[a]), 1500, evals=[(held, "v")], early_stopping_rounds=25, evals_result=seen, verbose_eval=False)
        loss = np.array(seen["v"]["logloss"])
        if best is None or loss.min() < best[0]:
            best = (loss.min(), s, int((loss.argmin() + 1) * 1.15) + 1)
    return xgb.train(best[1], xgb.DMatrix(z, y), best[2])


class Encoder(peer.Encoder):
    def transform(self, x):
        return super().transform(x) if self.levels else self.number_columns(x).astype(np.float32)


def run_peer(path, target, positive, drop):
    import xgboost as xgb
    frame = peer.read(path)
    start = time.process_time()
    y = (frame[target] == positive).astype(int).values
    test = split(len(y))
    x = with_dates(peer.prepare(frame, [target] + drop, ["", "Select", "unknown", "N/A", "nan", "NA"]))
    encoder = Encoder(True).fit(x[~test])
    z = encoder.transform(x)
    model = (fit_large if (~test).sum() >= 20000 else peer.fit_xgboost)(z[~test], y[~test])
    model.set_param({"nthread": 1})
    return y[test], model.predict(xgb.DMatrix(z[test])).astype(float), time.process_time() - start


# ---- galena ----

def cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return run, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_galena(a, path, table, folder):
    """Trains and scores; a certain leak is noted and then allowed."""
    model, out = os.path.join(folder, f"model-{os.getpid()}.galena"), os.path.join(folder, f"scored-{os.getpid()}.csv")
    command = [a.galena, "train", path, "--target", table["target"], "--positive", table["positive"], "--family", a.family,
               "--split", "hash:0.3", "--out", model, "--json"]
    if table.get("id"):
        command += ["--id", table["id"]]
    if table.get("exclude"):
        command += ["--exclude", ",".join(table["exclude"])]
    run, seconds = cpu(command)
    error = json.loads(run.stdout).get("error", {}) if run.returncode != 0 and run.stdout.strip() else {}
    leak, sentence = error.get("name") == "leak_certain", error.get("message", "")
    if leak:
        run, seconds = cpu(command + ["--allow-leaks"])
    if run.returncode != 0:
        return dict(failed=(sentence or run.stderr.strip())[-300:], stopped=leak, sentence=sentence)
    report = json.loads(run.stdout)
    scored = subprocess.run([a.galena, "score", path, "--model", model, "--out", out, "--reasons", "0"], capture_output=True, text=True)
    if scored.returncode != 0:
        return dict(failed="score: " + scored.stderr.strip()[-300:], stopped=leak, sentence=sentence)
    table = pd.read_csv(out, dtype=str, keep_default_na=False, usecols=["galena_score"])
    p = pd.to_numeric(table["galena_score"], errors="coerce").values
    return dict(report=report, p=p[split(len(p))], cpu=seconds, stopped=leak, sentence=sentence)


# ---- one table ----

def measure(a, name, table, expected, path, folder, scratch):
    cache = os.path.join(folder, name + ".peer.npz")
    row = dict(table=name)
    g = run_galena(a, path, table, scratch)
    row["stopped"] = g["stopped"]
    row["sentence"] = g["sentence"] if g["stopped"] else ""
    if "failed" in g:
        return dict(row, failed=g["failed"])
    if expected in ("none", "leak"):  # not a comparison: the base rate is the peer
        y = (pd.read_csv(path, dtype=str, keep_default_na=False, usecols=[table["target"]])[table["target"]] == table["positive"]).values
        test = split(len(y))
        y, theirs, peer_cpu = y[test].astype(int), np.full(test.sum(), y[~test].mean()), 0.0
    elif os.path.exists(cache):
        kept = np.load(cache)
        y, theirs, peer_cpu = kept["y"], kept["p"], float(kept["cpu"])
    else:
        drop = table.get("exclude", []) + ([table["id"]] if table.get("id") else [])
        y, theirs, peer_cpu = run_peer(path, table["target"], table["positive"], drop)
        np.savez(cache, y=y, p=theirs, cpu=peer_cpu)
    mine = g["p"]
    if np.isnan(mine).any():
        row["not_scored"] = int(np.isnan(mine).sum())
        mine = np.where(np.isnan(mine), np.nanmean(mine), mine)
    r = g["report"]
    codes = sorted({w["code"] for w in r["warnings"]})
    low, high = auc_difference(y, mine, theirs)
    row.update(rows=r["rows"], rate=r["positives"] / r["rows"], auc=fast_auc(y, mine), peer_auc=fast_auc(y, theirs), low=low, high=high,
               loss=log_loss(y, mine), peer_loss=log_loss(y, theirs), ece=ece(y, mine), peer_ece=ece(y, theirs), cpu=g["cpu"],
               peer_cpu=peer_cpu, no_signal="not_enough_signal" in codes or "no_signal" in codes, sd=float(mine.std()), warnings=codes,
               members={m["family"]: round(m["weight"], 2) for m in r.get("members", []) if m["weight"] > 0})
    row["difference"] = row["auc"] - row["peer_auc"]
    return row


def judge(row, expected):
    """What is wrong with a result; "" when nothing is."""
    if "failed" in row:
        return "failed: " + row["failed"]
    if expected == "leak":
        return "" if row["stopped"] else "leak missed"
    if row["stopped"]:
        return "false stop: " + row["sentence"]
    if expected == "none":
        return "" if row["no_signal"] and row["sd"] < .05 else "noise taken for signal"
    if expected == "signal" and row["no_signal"]:
        return "signal missed"
    wrong = []
    if row["difference"] < -.005 and row["low"] < -.005 and not (row["no_signal"] and row["high"] > 0):
        wrong.append("AUC")
    if row["loss"] > row["peer_loss"] + .005:
        wrong.append("log loss")
    return ", ".join(wrong)


def show(row, wrong):
    if "failed" in row:
        print(f"{row['table']:26} {wrong}", flush=True)
        return
    print(f"{row['table']:26} n {row['rows']:6d} rate {row['rate']:.3f}  auc {row['auc']:.4f} peer {row['peer_auc']:.4f} "
          f"diff {row['difference']:+.4f} [{row['low']:+.4f},{row['high']:+.4f}]  loss {row['loss']:.4f} peer {row['peer_loss']:.4f}  "
          f"ece {row['ece']:.3f}/{row['peer_ece']:.3f}  cpu {row['cpu']:5.1f}/{row['peer_cpu']:5.1f}  "
          f"{'no signal ' if row['no_signal'] else ''}{row['members']} {'<<< ' + wrong if wrong else ''}", flush=True)


def jobs(a):
    """(name, table, expectation, maker of the data frame or path)"""
    if a.folder:
        with open(os.path.join(a.folder, "manifest.json")) as f:
            for t in json.load(f):
                yield t.get("name", t["file"]), t, t.get("expect", "any"), os.path.join(a.folder, t["file"])
        return
    plain = dict(target="outcome", positive="won")
    for name in tables.SIMULATED:
        if a.kind in (None, "sim"):
            yield name, plain, tables.SIMULATED[name][3], lambda name=name: tables.simulated(name)
    for name in tables.REAL:
        if a.kind in (None, "real"):
            yield name, plain, "any", lambda name=name: tables.real(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galena", default=os.path.join(HERE, "../build/src/cmd/galena"))
    parser.add_argument("--family", default="auto")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--kind", choices=["real", "sim"])
    parser.add_argument("--folder")
    parser.add_argument("--keep")
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    bad, rows, absent = 0, [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = a.keep or temporary
        os.makedirs(folder, exist_ok=True)
        for name, table, expected, make in jobs(a):
            if a.only and name not in a.only:
                continue
            path = make if isinstance(make, str) else os.path.join(folder, name + ".csv")
            if not os.path.exists(path):
                try:
                    frame = make()
                except (ImportError, AttributeError):
                    absent.append(name)
                    continue
                frame.to_csv(path, index=False)
            row = measure(a, name, table, expected, path, folder, temporary)
            wrong = judge(row, expected)
            bad += bool(wrong)
            rows.append(dict(row, expected=expected, wrong=wrong))
            if not a.json:
                show(row, wrong)
    if a.json:
        print(json.dumps(rows))
    elif rows:
        fine = [r for r in rows if "difference" in r and r["expected"] in ("any", "signal")]
        print(f"{len(rows)} tables, {bad} with a fault; mean AUC difference {np.mean([r['difference'] for r in fine]):+.4f}, mean log loss "
              f"difference {np.mean([r['loss'] - r['peer_loss'] for r in fine]):+.4f}; CPU {sum(r['cpu'] for r in fine):.0f} s against "
              f"{sum(r['peer_cpu'] for r in fine):.0f} s" + (f"; not installed: {', '.join(absent)}" if absent else ""))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
