"""bayesian.py: the average over assumptions of src/ml/bayesian.c, written again with numpy → tests/golden/ml/bayesian.json.

Run from the root of the repository: /usr/bin/python3 tools/oracle/bayesian.py"""
import json
import os

import numpy as np

PENALTIES = [0, 300, 100, 30, 10, 3]
WIDTHS = dict(given=(0.05, 0.05, 0, 1), recalibrated=(0.4, 0.4, 0.7, 1.5), doubted=(1.5, 1.5, 0, 0.1), none=(2, 1, 0, 1))


def solve(x, y, w, mean, precision):
    t = mean.copy()
    for _ in range(200):
        p = 1 / (1 + np.exp(-x @ t))
        g = x.T @ (w * (p - y)) + precision * (t - mean)
        h = (x * (w * p * (1 - p))[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(h, g)
        k = min(1, 2 / np.abs(step).max()) if np.abs(step).max() > 0 else 1
        t = t - k * step
        if np.abs(step).max() < 1e-12:
            break
    z = x @ t
    evidence = -np.sum(w * (np.logaddexp(0, z) - y * z)) - 0.5 * np.sum(precision * (t - mean) ** 2)
    evidence += 0.5 * np.sum(np.log(precision)) - 0.5 * np.linalg.slogdet(h)[1]
    return t, np.linalg.inv(h), evidence


def fit(x, y, w, mu, mu0, trust):
    """x: n x d dense. Columns with mu != 0 are the prior's. Returns coefficients (d + 1, intercept last), their covariance, and the
    weights of given, recalibrated, doubted and of assumptions with features."""
    d = x.shape[1]
    feature, prior = np.where(mu == 0)[0], np.where(mu != 0)[0]
    center = np.average(x[:, feature], axis=0, weights=w)
    a = np.column_stack([x[:, feature] - center, x[:, prior] * mu[prior], x @ mu, np.ones(len(y))])
    m, nf, npr = a.shape[1], len(feature), len(prior)
    listed = []
    if npr == 0:
        listed = [("none", 0, pen, 1) for pen in PENALTIES]
    else:
        listed = [("given", 0, 0, 1)]
        for pen in PENALTIES:
            listed += [("recalibrated", dev, pen, 1.5 / 12) for dev in (0, 1)] + [("doubted", 0, pen, 0.1 / 6)]
    # T: parameters to coefficients
    t_map = np.zeros((d + 1, m))
    for i, c in enumerate(feature):
        t_map[c, i] = 1
        t_map[d, i] = -center[i]
    for i, c in enumerate(prior):
        t_map[c, nf + i] = t_map[c, m - 2] = mu[c]
    t_map[d, m - 1] = 1
    found = []
    for kind, deviates, pen, weight in listed:
        wi, wa, wd, _ = WIDTHS[kind]
        scale = 1 if kind == "none" else trust
        precision = np.concatenate([np.full(nf, pen if pen else 1e12), np.full(npr, scale / wd**2 if deviates else 1e8),
                                    [scale / wa**2, scale / wi**2]])
        mean = np.concatenate([np.zeros(nf + npr), [1, mu0]])
        t, cov, ev = solve(a, y, w, mean, precision)
        found.append((kind, pen, t, cov, ev + np.log(weight)))
    e = np.array([f[4] for f in found])
    p = np.exp(e - e.max())
    p /= p.sum()
    mean = sum(q * f[2] for q, f in zip(p, found))
    second = sum(q * (f[3] + np.outer(f[2], f[2])) for q, f in zip(p, found)) - np.outer(mean, mean)
    kinds = [sum(q for q, f in zip(p, found) if f[0] in k) for k in (("given",), ("recalibrated",), ("doubted", "none"))]
    return t_map @ mean, t_map @ second @ t_map.T, kinds + [sum(q for q, f in zip(p, found) if f[1])]


def main():
    r = np.random.default_rng(3)
    cases = []
    for n, with_prior, trust, weighted in [(15, True, 1, False), (60, True, 1, True), (60, True, 5, False), (60, False, 1, False),
                                           (250, True, 0.5, False)]:
        x = np.column_stack([(r.random((n, 4)) < 0.4).astype(float), r.normal(size=(n, 2)).round(3), r.uniform(-0.5, 0.5, (n, 3)).round(3)])
        truth = np.array([1, -1, 0, 0, 0.8, 0, 1, 0, 2])
        y = (r.random(n) < 1 / (1 + np.exp(1 - x @ truth))).astype(float)
        w = r.integers(1, 4, n).astype(float) if weighted else np.ones(n)
        mu = np.array([0, 0, 0, 0, 0, 0, 1.5, -0.5, 1]) if with_prior else np.zeros(9)
        mu0 = -1.2 if with_prior else 0.0
        theta, cov, kinds = fit(x, y, w, mu, mu0, trust)
        prior = mu.tolist() + [mu0] if with_prior else []
        cases.append(dict(n=n, d=9, x=x.ravel().tolist(), y=y.tolist(), weight=w.tolist(), prior=prior,
                          trust=trust, theta=theta.tolist(), covariance=cov.ravel().tolist(), kinds=kinds))
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/golden/ml")
    with open(os.path.join(here, "bayesian.json"), "w", encoding="utf-8") as f:
        json.dump({"cases": cases}, f, separators=(",", ":"))
        f.write("\n")


main()
