#!/usr/bin/python3
"""Expected values for tests/ml/test_{metrics,calibration,stack}.c, from scikit-learn and scipy.

Usage: tools/oracle/evaluation.py tests/golden/ml    (Debian: python3-sklearn, python3-scipy)
Writes metrics.json, calibration.json, nonneg.json there. Deterministic.
"""
import json
import os
import sys

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve


def share_ties(y, p):
    """Each outcome replaced by the mean outcome of the rows with the same probability."""
    _, g = np.unique(p, return_inverse=True)
    return (np.bincount(g, y) / np.bincount(g))[g]


def ece(y, p, k=15):
    o = np.argsort(p, kind='stable')
    t = share_ties(y, p)
    return sum(len(b) / len(y) * abs(t[b].mean() - p[b].mean()) for b in np.array_split(o, k) if len(b))


def metrics(name, y, p):
    y = np.asarray(y, float)
    p = np.asarray(p, float)
    two = 0 < y.sum() < len(y)
    top = np.argsort(-p, kind='stable')[:max(1, len(y) // 10)]
    at_10 = share_ties(y, p)[top].mean()
    fpr, tpr, _ = roc_curve(y, p, drop_intermediate=False) if two else ([], [], [])
    return dict(name=name, y=y.astype(int).tolist(), p=p.tolist(),
                auc=roc_auc_score(y, p) if two else None,
                log_loss=log_loss(y, p, eps=1e-15, labels=[0, 1]), brier=brier_score_loss(y, p), ece=ece(y, p),
                pr_auc=average_precision_score(y, p) if y.sum() else None, precision_at_10=at_10,
                lift_at_10=at_10 / y.mean() if y.sum() else None,
                roc=dict(fpr=list(fpr), tpr=list(tpr)))


def metric_cases(r):
    def draw(n, spread, digits=None, shift=0.0):
        p = expit(r.normal(-1, spread, n))
        y = r.random(n) < expit(np.log(p / (1 - p)) + shift)
        return y, (np.round(p, digits) if digits is not None else p)
    yield 'smooth', *draw(300, 1.5)
    yield 'miscalibrated', *draw(257, 1.5, shift=0.8)
    yield 'two decimals', *draw(400, 1.5, 2)
    yield 'one decimal', *draw(333, 2.0, 1)
    yield 'one score for all', r.random(100) < 0.3, np.full(100, 0.25)
    yield 'perfect', np.arange(40) >= 30, np.arange(40) / 40
    yield 'reversed', np.arange(40) < 10, np.arange(40) / 40
    yield 'zeros and ones', r.random(60) < 0.5, (r.random(60) < 0.5).astype(float)
    yield 'next to zero and one', r.random(50) < 0.5, np.where(r.random(50) < 0.5, 1e-17, 1 - 1e-16)
    yield 'seven rows', [0, 1, 0, 1, 1, 0, 0], [0.1, 0.8, 0.8, 0.3, 0.9, 0.2, 0.3]
    yield 'two rows', [0, 1], [0.5, 0.5]
    yield 'no positive', np.zeros(20), r.random(20)
    yield 'no negative', np.ones(20), r.random(20)


def calibration_cases(r):
    for name, n, truth, digits in (('steep', 400, lambda z: 1.7 * z - 0.4, 9), ('flat', 300, lambda z: 0.4 * z + 0.5, 9),
                                   ('bent', 500, lambda z: 2 * np.tanh(z) - 0.5, 9), ('tied', 350, lambda z: z, 1),
                                   ('reversed', 200, lambda z: -z, 9)):
        z = np.round(r.normal(-0.5, 1.8, n), digits)
        y = (r.random(n) < expit(truth(z))).astype(float)
        w = np.where(r.random(n) < 0.2, 2.0, 1.0)
        l = LogisticRegression(C=1e12, tol=1e-12, max_iter=10000, solver='newton-cg').fit(z[:, None], y, sample_weight=w)
        iso = IsotonicRegression().fit(z, y, sample_weight=w)
        u, v = -np.logaddexp(0, -z), np.logaddexp(0, z)
        a, c = solve(np.column_stack([u, v]), y, w, np.zeros(2), np.zeros(2), 0)
        at = np.unique(z)
        yield dict(name=name, z=z.tolist(), y=y.tolist(), weight=w.tolist(), platt=[l.coef_[0, 0], l.intercept_[0]],
                   beta=[a[0], a[1], c], isotonic_z=at.tolist(), isotonic_p=iso.predict(at).tolist())


def solve(Z, y, w, pull, target, intercept_pull):
    """Non-negative penalised logistic regression: L-BFGS-B, then polished by Newton on the free variables."""
    m = Z.shape[1]
    A = np.column_stack([Z, np.ones(len(y))])
    q = np.r_[pull, intercept_pull]
    t = np.r_[target, 0]

    def fg(x):
        f = A @ x
        return (w * np.logaddexp(0, np.where(y > 0, -f, f))).sum() + .5 * (q * (x - t) ** 2).sum(), \
            A.T @ (w * (expit(f) - y)) + q * (x - t)
    x = minimize(fg, np.ones(m + 1) / m, jac=True, method='L-BFGS-B', bounds=[(0, None)] * m + [(None, None)],
                 options=dict(ftol=1e-15, gtol=1e-10, maxiter=5000)).x
    for _ in range(30):
        g = fg(x)[1]
        free = np.r_[(x[:m] > 1e-9) | (g[:m] < -1e-7), True]
        s = expit(A @ x)
        H = (A * (w * s * (1 - s))[:, None]).T @ A + np.diag(q)
        x[free] -= np.linalg.solve(H[np.ix_(free, free)], g[free])
        x[:m] = np.maximum(x[:m], 0)
    g = fg(x)[1]
    assert np.all(np.abs(g[free]) < 1e-7) and np.all(g[~free] > -1e-7), g
    return x[:m], x[m]


def nonneg_cases(r):
    for name, n, sd, rho, pull in (('near copies', 400, [.5, .52, .54], .97, 1e-3), ('one is noise', 300, [.4, .6, 5], .3, 0),
                                   ('pulled', 150, [.5, .7, .9, 1.1], .6, 30), ('one alone', 200, [.8], 0, 0)):
        f = r.normal(-1, 1.5, n)
        common = r.normal(size=n)
        Z = np.column_stack([f + s * (np.sqrt(rho) * common + np.sqrt(1 - rho) * r.normal(size=n)) for s in sd])
        if name == 'one is noise':
            Z[:, 2] = -Z[:, 0] + r.normal(size=n)  # a member that points the wrong way gets nothing
        y = (r.random(n) < expit(f)).astype(float)
        w = np.where(r.random(n) < 0.3, 0.5, 1.0)
        m = len(sd)
        target = np.arange(m) / max(1, m - 1)
        x, b = solve(Z, y, w, np.full(m, float(pull)), target, pull / 2)
        yield dict(name=name, columns=Z.T.tolist(), y=y.tolist(), weight=w.tolist(), pull=float(pull), target=target.tolist(),
                   w=x.tolist(), intercept=b)


def main():
    r = np.random.default_rng(20240607)
    out = dict(metrics=[metrics(*c) for c in metric_cases(r)], calibration=list(calibration_cases(r)), nonneg=list(nonneg_cases(r)))
    for name, cases in out.items():
        with open(os.path.join(sys.argv[1], name + '.json'), 'w') as f:
            json.dump(dict(made_by='tools/oracle/evaluation.py', cases=cases), f, indent=None, separators=(',', ':'))
            f.write('\n')


main()
