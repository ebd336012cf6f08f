#!/usr/bin/python3
"""What a data scientist would write instead: pandas and scikit-learn or XGBoost on a file of leads.

  scikit_pipeline.py fit FILE --target COL --positive V --drop COL,COL --model lr|xgb --out MODEL.pickle
  scikit_pipeline.py score FILE --model MODEL.pickle --out OUT.csv [--contributions]

Prints one JSON line with CPU seconds by part; the time to start Python and to import the libraries is left out in its favour.
Encoding: missing as a level of its own, rare levels pooled, one-hot; numbers standardised after log1p where skewed. The fixed
split of bench/quality.py: row i tests when (i * 2654435761) mod 2^32 < 0.3 * 2^32; only the other rows are fitted."""
import argparse
import json
import pickle
import resource
import time

import numpy as np
import pandas as pd
import xgboost as xgb
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

SEED = 20240607


def read(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def prepare(frame, drop, missing):
    x = frame.drop(columns=[c for c in drop if c in frame])
    return x.replace({m: np.nan for m in missing})


class Encoder:
    """One-hot levels and standardised numbers (dense=False: for linear models; True: raw numbers for trees)."""

    def __init__(self, dense):
        self.dense = dense

    def fit(self, x):
        self.numeric, self.levels, self.numbers = [], {}, {}
        for c in x:
            v = pd.to_numeric(x[c], errors="coerce")
            if v.notna().sum() == x[c].notna().sum() and v.nunique() > 2:
                self.numeric.append(c)
                known = v.dropna()
                skewed = len(known) > 0 and known.min() >= 0 and known.skew() > 1
                z = np.log1p(known) if skewed else known
                self.numbers[c] = (skewed, z.quantile(.001), z.quantile(.999), z.median(), z.mean(), z.std() or 1.0,
                                   v.isna().any())
            else:
                count = x[c].fillna("~NA").value_counts()
                self.levels[c] = {k: j for j, k in enumerate(count.index[count >= 10])}
        return self

    def number_columns(self, x):
        columns = []
        for c in self.numeric:
            skewed, low, high, median, mean, sd, missing = self.numbers[c]
            v = pd.to_numeric(x[c], errors="coerce")
            if self.dense:
                columns.append(v.values)
                continue
            z = (np.log1p(v.clip(lower=0)) if skewed else v).clip(low, high)
            columns.append(((z.fillna(median) - mean) / sd).values)
            if missing:
                columns.append(v.isna().values.astype(float))
        return np.column_stack(columns) if columns else np.zeros((len(x), 0))

    def transform(self, x):
        rows, cols, offset, n = [], [], 0, len(x)
        for c, level in self.levels.items():
            code = x[c].fillna("~NA").map(level).values.astype(float)
            code = np.where(np.isnan(code), len(level), code).astype(int)
            rows.append(np.arange(n))
            cols.append(code + offset)
            offset += len(level) + 1
        hot = sparse.csr_matrix((np.ones(sum(map(len, rows))), (np.concatenate(rows), np.concatenate(cols))), shape=(n, offset))
        numbers = self.number_columns(x)
        if self.dense:
            return np.hstack([numbers.astype(np.float32), hot.toarray().astype(np.float32)])
        return sparse.hstack([sparse.csr_matrix(numbers), hot]).tocsr()


def fit_logistic(z, y):
    best = None
    folds = list(StratifiedKFold(4, shuffle=True, random_state=SEED).split(z, y))
    for c in (.01, .03, .1, .3, 1, 3):
        loss = np.mean([log_loss(y[b], LogisticRegression(C=c, max_iter=300).fit(z[a], y[a]).predict_proba(z[b])[:, 1])
                        for a, b in folds])
        if best is None or loss < best[0] - 1e-5:
            best = (loss, c)
    return LogisticRegression(C=best[1], max_iter=1000).fit(z, y)


def fit_xgboost(z, y):
    """Random search over five settings and one fixed, early stopping on three-fold log loss."""
    draw = np.random.RandomState(SEED)
    grid = [dict(max_depth=d, min_child_weight=w, subsample=.8, colsample_bytree=c, reg_lambda=l)
            for d in (3, 4, 6, 8) for w in (1, 5, 20) for c in (.4, .8) for l in (1, 10)]
    settings = [grid[i] for i in draw.choice(len(grid), 5, replace=False)]
    settings.append(dict(max_depth=4, min_child_weight=5, subsample=.8, colsample_bytree=.4, reg_lambda=5))
    data, best = xgb.DMatrix(z, y), None
    for s in settings:
        s = dict(s, eta=.05, objective="binary:logistic", eval_metric="logloss", tree_method="hist", nthread=1, seed=SEED)
        loss = xgb.cv(s, data, 1500, nfold=3, stratified=True, early_stopping_rounds=25, seed=SEED)["test-logloss-mean"]
        if best is None or loss.min() < best[0]:
            best = (loss.min(), s, int(len(loss) * 1.15) + 1)
    return xgb.train(best[1], data, best[2])


def fit(a):
    start = time.process_time()
    frame = read(a.file)
    read_s = time.process_time() - start
    y = (frame[a.target] == a.positive).astype(int).values
    index = np.arange(len(y), dtype=np.uint64)
    test = ((index * np.uint64(2654435761)) & np.uint64(0xffffffff)).astype(float) / 2**32 < 0.3
    drop, missing = [a.target] + (a.drop.split(",") if a.drop else []), ["", "Select", "unknown"]
    start = time.process_time()
    x = prepare(frame, drop, missing)[~test]
    encoder = Encoder(a.model == "xgb").fit(x)
    z = encoder.transform(x)
    encode_s = time.process_time() - start
    start = time.process_time()
    model = (fit_xgboost if a.model == "xgb" else fit_logistic)(z, y[~test])
    fit_s = time.process_time() - start
    with open(a.out, "wb") as f:
        pickle.dump((a.model, drop, missing, encoder, model), f)
    return dict(rows=len(y), read_s=read_s, encode_s=encode_s, fit_s=fit_s)


def score(a):
    with open(a.model, "rb") as f:
        kind, drop, missing, encoder, model = pickle.load(f)
    start = time.process_time()
    frame = read(a.file)
    read_s, start = time.process_time() - start, time.process_time()
    z = encoder.transform(prepare(frame, drop, missing))
    encode_s, start = time.process_time() - start, time.process_time()
    if a.contributions:
        model.set_param({"nthread": 1})
        share = model.predict(xgb.DMatrix(z), pred_contribs=True)
        frame["score"] = 1 / (1 + np.exp(-share.sum(1)))
        top = np.argsort(-np.abs(share[:, :-1]), 1)[:, :3]
        for k in range(3):
            frame[f"reason_{k + 1}"] = top[:, k]
    elif kind == "xgb":
        model.set_param({"nthread": 1})
        frame["score"] = model.predict(xgb.DMatrix(z))
    else:
        frame["score"] = model.predict_proba(z)[:, 1]
    predict_s, start = time.process_time() - start, time.process_time()
    frame.to_csv(a.out, index=False)
    return dict(rows=len(frame), read_s=read_s, encode_s=encode_s, predict_s=predict_s, write_s=time.process_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    p = commands.add_parser("fit")
    p.add_argument("file")
    for o in ("--target", "--positive", "--drop"):
        p.add_argument(o, default="")
    p.add_argument("--model", choices=["lr", "xgb"], required=True)
    p.add_argument("--out", required=True)
    p = commands.add_parser("score")
    p.add_argument("file")
    p.add_argument("--model", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--contributions", action="store_true")
    a = parser.parse_args()
    result = fit(a) if a.command == "fit" else score(a)
    result["cpu_s"] = sum(v for k, v in result.items() if k.endswith("_s"))
    result["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
