#!/usr/bin/python3
"""Expectations for tests/ml/test_logistic.c and test_naive_bayes.c, worked out by scikit-learn and numpy.

Usage: tools/oracle/linear.py > tests/golden/linear.json    (needs Debian's python3-sklearn)
"""
import json
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB, CategoricalNB

rng = np.random.default_rng(20240607)
N, NUMBERS, LEVELS = 160, 3, 4


def sig(z):
    return 1 / (1 + np.exp(-z))


level = rng.choice(LEVELS, N, p=[.4, .3, .2, .1])
flags = (rng.random((N, 2)) < [.5, .2]).astype(float)
X = np.hstack([np.round(rng.normal(size=(N, NUMBERS)), 3), np.eye(LEVELS)[level], flags])
D = X.shape[1]
truth = np.array([1.2, -.8, .1, .5, -.5, 0, 1, .7, -.4])
y = (rng.random(N) < sig(X @ truth - .3)).astype(float)
weight = rng.integers(1, 4, N).astype(float) / 2
prior_mean = np.round(rng.normal(size=D + 1), 2)
prior_weight = np.round(rng.uniform(.2, 3, D + 1), 2)
fold = rng.permutation(np.arange(N) % 4)
GRID = [30.0, 3.0, 0.3, 0.03]


def newton(X, y, w, mean, precision):
    Z = np.hstack([X, np.ones((len(X), 1))])
    t = np.zeros(Z.shape[1])
    for _ in range(100):
        p = sig(Z @ t)
        g = Z.T @ (w * (p - y)) + precision * (t - mean)
        H = (Z * (w * p * (1 - p))[:, None]).T @ Z + np.diag(precision)
        step = np.linalg.solve(H, g)
        t = t - step
        if np.abs(step).max() < 1e-14:
            break
    return t, np.linalg.inv(H)


def plain(C):
    m = LogisticRegression(C=C, tol=1e-10, max_iter=10000, solver='newton-cg').fit(X, y)
    return np.append(m.coef_[0], m.intercept_[0])


def loss(y, z):
    return np.sum(np.logaddexp(0, z) - y * z)


plain_precision = np.append(np.ones(D), 0)
cv = []
for penalty in GRID:
    z = np.zeros(N)
    for f in range(4):
        a = fold != f
        t, _ = newton(X[a], y[a], np.ones(a.sum()), np.zeros(D + 1), penalty * plain_precision)
        z[~a] = X[~a] @ t[:-1] + t[-1]
    cv.append((loss(y, z) / N, z))
best = int(np.argmin([l for l, _ in cv]))
assert np.abs(plain(1 / 2.5) - newton(X, y, np.ones(N), np.zeros(D + 1), 2.5 * plain_precision)[0]).max() < 1e-8
posterior, covariance = newton(X, y, weight, prior_mean, 0.7 * prior_weight)
_, plain_covariance = newton(X, y, np.ones(N), np.zeros(D + 1), 0.7 * plain_precision)

nb = CategoricalNB(alpha=2.0).fit(level[:, None], y)
bern = BernoulliNB(alpha=2.0, fit_prior=False).fit(flags, y)
prior = np.log((y.sum() + 2) / (N - y.sum() + 2))  # Galena smooths the prior odds too
lc, lb = nb._joint_log_likelihood(level[:, None]), bern.predict_log_proba(flags)
nb_logit = (lc[:, 1] - lc[:, 0]) - (nb.class_log_prior_[1] - nb.class_log_prior_[0]) + lb[:, 1] - lb[:, 0] + prior

print(json.dumps({
    'rows': N, 'columns': D, 'x': X.ravel().tolist(), 'y': y.tolist(), 'weight': weight.tolist(), 'fold': fold.tolist(),
    'sklearn_penalty': 2.5, 'sklearn': plain(1 / 2.5).tolist(),
    'prior_mean': prior_mean.tolist(), 'prior_weight': prior_weight.tolist(), 'penalty': 0.7,
    'posterior': posterior.tolist(), 'covariance': covariance.ravel().tolist(),
    'plain_covariance': plain_covariance.ravel().tolist(),
    'grid': GRID, 'cv_loss': [l for l, _ in cv], 'cv_best': GRID[best], 'cv_logit': cv[best][1].tolist(),
    'nb_smoothing': 2.0, 'nb_logit': nb_logit.tolist(),
}, separators=(',', ':')))
