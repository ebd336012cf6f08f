#!/usr/bin/python3
"""The expectation and maximisation of src/ml/linkage.c, written again in plain Python → tests/golden/ml/linkage.json.

Run from the root of the repository: /usr/bin/python3 tools/oracle/linkage.py"""
import json
import math
import random

PRIOR, LEAST, CLIP, ROUNDS = 4.0, 1e-9, 16.0, 25


def draw(seed):
    """Pairs of three kinds with known shares."""
    r = random.Random(seed)
    levels = [3, 4, 3]
    personal = [[False, False, False], [False, False, False, True], [True, True, True]]
    kinds = [(60, [[.1, .9], [.1, .2, .7], [.05, .95]]), (100, [[.05, .95], [.9, .08, .02], [.97, .03]]),
             (1500, [[.9, .1], [.9, .08, .02], [.97, .03]])]
    pairs = {}
    for n, shares in kinds:
        for _ in range(n):
            level = tuple(0 if r.random() < .08 else r.choices(range(1, len(s) + 1), s)[0] for s in shares)
            rare = r.choice([-1.0, 0.0, 1.5]) if level[1] == 3 else 0.0
            shared = r.choice([0.0, 0.5]) if level[0] == 2 else 0.0
            key = (level, rare + shared, shared)
            pairs[key] = pairs.get(key, 0) + 1
    rows = [dict(level=list(k[0]), rarity=k[1], shared=k[2], count=c) for k, c in sorted(pairs.items())]
    some = [[0.0] * n for n in levels]
    for p in rows:
        for f, l in enumerate(p["level"]):
            if l:
                some[f][l] += p["count"]
    any_level = [[x / sum(row) for x in row] for row in some]
    total = sum(p["count"] for p in rows)
    known = [sum(p["count"] for p in rows if p["level"][f]) / total for f in range(3)]
    first = [[0, .2, .8], [0, .1, .2, .7], [0, .1, .9]]
    return dict(levels=levels, personal=personal, pairs=rows, any=any_level, known=known, first=first, match=0.05, weight=2.0,
                total=2.0 * total)


def clip(x):
    return max(-CLIP, min(CLIP, x))


def chance(c, f, match):
    full = max(c["total"] * c["known"][f], 1)
    u = [0.0] + [max(c["any"][f][l] - match[l] * c["weight"] / full, max(1e-3 * c["any"][f][l], LEAST))
                 for l in range(1, c["levels"][f])]
    return [x / sum(u) for x in u]


def relate(c, f, u, seen):
    free = [l for l in range(1, c["levels"][f]) if not c["personal"][f][l]]
    mass, total = sum(u[l] for l in free), sum(seen[l] + PRIOR * u[l] for l in free)
    return [mass * (seen[l] + PRIOR * u[l]) / total if l in free and total > 0 else u[l] for l in range(len(u))]


def terms(c, t, p):
    a, b = p["rarity"], p["shared"]
    for f, l in enumerate(p["level"]):
        if l:
            a += clip(math.log(t["m"][f][l] / t["u"][f][l]))
            b += clip(math.log(t["r"][f][l] / t["u"][f][l]))
    return t["match"] * math.exp(a), t["related"] * math.exp(b), 1 - t["match"] - t["related"]


def fit(c):
    fields = range(len(c["levels"]))
    u = [chance(c, f, [0] * c["levels"][f]) for f in fields]
    t = dict(m=[list(x) for x in c["first"]], u=u, match=c["match"], related=c["match"],
             r=[relate(c, f, u[f], [1e6 * x for x in c["first"][f]]) for f in fields])
    for _ in range(ROUNDS):
        m = [[0.0] * n for n in c["levels"]]
        r = [[0.0] * n for n in c["levels"]]
        sum_m = sum_r = 0.0
        for p in c["pairs"]:
            x, y, z = terms(c, t, p)
            pm, pr = p["count"] * x / (x + y + z), p["count"] * y / (x + y + z)
            sum_m, sum_r = sum_m + pm, sum_r + pr
            for f, l in enumerate(p["level"]):
                m[f][l] += pm
                r[f][l] += pr
        for f in fields:
            seen = sum(m[f][1:])
            t["m"][f] = [0.0] + [(m[f][l] + PRIOR * c["first"][f][l]) / (seen + PRIOR) for l in range(1, c["levels"][f])]
            t["u"][f] = chance(c, f, m[f])
            t["r"][f] = relate(c, f, t["u"][f], r[f])
        t["match"] = min(max(sum_m * c["weight"] / c["total"], .5 / c["total"]), .5)
        t["related"] = min(max(sum_r * c["weight"] / c["total"], .5 / c["total"]), .4)
    return t


cases = []
for seed in (1, 2, 3):
    c = draw(seed)
    t = fit(c)
    for p in c["pairs"]:
        x, y, z = terms(c, t, p)
        p["log_odds"] = math.log(x) - math.log(y + z)
    cases.append(dict(c, rounds=ROUNDS, fitted=t))
with open("tests/golden/ml/linkage.json", "w") as f:
    json.dump(dict(made_by="tools/oracle/linkage.py", cases=cases), f, separators=(",", ":"))
    f.write("\n")
