#!/usr/bin/env python3
"""Compares `galena fuse` with vote, median, CRH, CATD and ACCU on simulated worlds and, where they are, on real claims.

Worlds are drawn by families that differ from the fitted model: `jumps` (values change at once), `sizes` (small companies are
measured worse), `collusion` (sources that share their mistakes), `malicious` (one of five lies), and `drift` (the model's own
family). Every world has a quantity and a category for each object. Nothing is given to the program but the claims.

    python3 bench/fusion.py --galena build/src/cmd/galena [--worlds 6] [--objects 1000] [--real DIR] [--speed]
"""
import argparse, collections, csv, datetime, json, math, os, random, resource, statistics, subprocess, sys, tempfile

FAMILIES = ['drift', 'jumps', 'sizes', 'collusion', 'malicious']


# ---- worlds ----

def draw_sources(r, family):
    n = 5 if family == 'malicious' else 8
    sources = [dict(cover=r.uniform(.3, .75), sd=math.exp(r.uniform(math.log(.05), math.log(.5))), bias=r.gauss(0, .06),
                    accuracy=r.uniform(.55, .95), age=r.choice([.1, .3, 1, 2.5]), mistaken=r.uniform(0, .06))
               for _ in range(n)]
    if family == 'malicious':
        for s in sources:
            s['cover'] = r.uniform(.55, .9)
    return sources


def observe(r, family, sources, s, truth, category, size_centre, prior, shared):
    """One claim (number, category, age in years) of source s."""
    q = sources[s]
    age = r.expovariate(1 / q['age'])
    x, k = truth, category
    if family == 'jumps':
        if r.random() < 1 - math.exp(-.25 * age):
            x -= r.choice([-1, 1]) * r.uniform(.4, 1.2)
    elif family == 'drift':
        x -= r.gauss(0, .3) * math.sqrt(age)
    if r.random() < 1 - math.exp(-.06 * age):
        k = draw(r, prior)
    sd = q['sd']
    if family == 'sizes':
        sd *= math.exp(-.45 * (truth - size_centre))
        sd = min(sd, 1.5)
    if r.random() < q['mistaken']:
        x, k = r.gauss(size_centre, 1.5), draw(r, prior)
    x += q['bias'] + r.gauss(0, sd)
    if r.random() > q['accuracy']:
        k = r.randrange(len(prior))
    if family == 'collusion' and s in (0, 1, 2) and shared['active']:
        x, k = shared['x'] + r.gauss(0, .01), shared['k']
    if family == 'malicious' and s == 0:
        if r.random() < .8:
            x = truth + r.choice([-1, 1]) * r.uniform(.7, 1.6)
            k = (category + 1 + r.randrange(len(prior) - 1)) % len(prior)
    return x, k, age


def draw(r, prior):
    u = r.random()
    for k, p in enumerate(prior):
        u -= p
        if u < 0:
            return k
    return len(prior) - 1


def world(family, seed, objects, categories=20):
    r = random.Random(f'{family} {seed}')
    sources = draw_sources(r, family)
    prior = [1 / (k + 1) for k in range(categories)]
    prior = [p / sum(prior) for p in prior]
    rows = []
    for i in range(objects):
        truth, category = r.gauss(4.5, 1.5), draw(r, prior)
        shared = dict(active=r.random() < .35, x=truth + r.gauss(0, .8), k=r.randrange(categories))
        claims = [(s,) + observe(r, family, sources, s, truth, category, 4.5, prior, shared)
                  for s in range(len(sources)) if r.random() < sources[s]['cover']]
        if claims:
            rows.append((truth, category, claims))
    return len(sources), rows


# ---- the others ----

def weighted_median(pairs):
    pairs = sorted(pairs)
    half, seen = sum(w for _, w in pairs) / 2, 0
    for x, w in pairs:
        seen += w
        if seen >= half:
            return x
    return pairs[-1][0]


def chi_square_quantile(k, z=-1.645):
    return k * (1 - 2 / (9 * k) + z * math.sqrt(2 / (9 * k))) ** 3


def crh_number(n, rows):
    estimate = [statistics.median(c[1] for c in row[2]) for row in rows]
    for _ in range(10):
        loss, count = [1e-6] * n, [1e-6] * n
        for e, (_, _, claims) in zip(estimate, rows):
            sd = max(.1, statistics.pstdev([c[1] for c in claims])) if len(claims) > 1 else 1
            for c in claims:
                loss[c[0]] += abs(c[1] - e) / sd
                count[c[0]] += 1
        mean = [a / b for a, b in zip(loss, count)]
        w = [max(1e-6, -math.log(m / sum(mean))) for m in mean]
        estimate = [weighted_median([(c[1], w[c[0]]) for c in row[2]]) for row in rows]
    return estimate


def catd_number(n, rows):
    estimate = [statistics.median(c[1] for c in row[2]) for row in rows]
    for _ in range(10):
        loss, count = [1e-6] * n, [0] * n
        for e, (_, _, claims) in zip(estimate, rows):
            for c in claims:
                loss[c[0]] += (c[1] - e) ** 2
                count[c[0]] += 1
        w = [chi_square_quantile(max(1, k)) / l for k, l in zip(count, loss)]
        estimate = [sum(w[c[0]] * c[1] for c in row[2]) / sum(w[c[0]] for c in row[2]) for row in rows]
    return estimate


def vote(rows, weight):
    out = []
    for _, _, claims in rows:
        by = collections.defaultdict(float)
        for c in claims:
            by[c[2]] += weight[c[0]]
        out.append(max(by, key=by.get))
    return out


def weighted_category(n, rows, kind):
    w = [1.0] * n
    estimate = vote(rows, w)
    for _ in range(10):
        loss, count = [1e-6] * n, [1e-6] * n
        for e, (_, _, claims) in zip(estimate, rows):
            for c in claims:
                loss[c[0]] += c[2] != e
                count[c[0]] += 1
        if kind == 'crh':
            mean = [a / b for a, b in zip(loss, count)]
            w = [max(1e-6, -math.log(max(1e-9, m / sum(mean)))) for m in mean]
        else:
            w = [chi_square_quantile(max(1, k)) / max(l, .5) for k, l in zip(count, loss)]
        estimate = vote(rows, w)
    return estimate


def accu(n, rows, n_false=19):
    accuracy = [.8] * n
    for _ in range(15):
        right, count = [0] * n, [1e-9] * n
        estimate = []
        for _, _, claims in rows:
            score = collections.defaultdict(float)
            for c in claims:
                score[c[2]] += math.log(n_false * accuracy[c[0]] / (1 - accuracy[c[0]]))
            top = max(score.values())
            p = {k: math.exp(v - top) for k, v in score.items()}
            total = sum(p.values()) + max(0, n_false + 1 - len(p)) * math.exp(-top)
            for c in claims:
                right[c[0]] += p[c[2]] / total
                count[c[0]] += 1
            estimate.append(max(p, key=p.get))
        accuracy = [min(.97, max(.03, a / b)) for a, b in zip(right, count)]
    return estimate


# ---- ours ----

def fuse(program, rows, directory, extra=()):
    """[(number, low, high, category, confidence)] and seconds."""
    path, out = os.path.join(directory, 'claims.csv'), os.path.join(directory, 'facts.csv')
    now = datetime.datetime(2026, 1, 1)
    with open(path, 'w', newline='') as f:
        w = csv.writer(f)
        w.writerow(['object', 'attribute', 'value', 'source', 'observed_at'])
        for i, (truth, category, claims) in enumerate(rows):
            for s, x, k, age in claims:
                day = (now - datetime.timedelta(days=365.25 * age)).strftime('%Y-%m-%dT%H:%M:%SZ')
                w.writerow([f'o{i}', 'employees', f'{math.exp(x):.6g}', f's{s}', day])
                w.writerow([f'o{i}', 'industry', f'class {k}', f's{s}', day])
    done = subprocess.run([program, 'fuse', path, '--out', out, '--json', *extra], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    facts = {}
    for row in csv.DictReader(open(out)):
        facts[row['object'], row['attribute']] = row
    result = []
    for i in range(len(rows)):
        a, b = facts[f'o{i}', 'employees'], facts[f'o{i}', 'industry']
        result.append((math.log(float(a['value'])), math.log(float(a['low'])), math.log(float(a['high'])),
                       int(b['value'].split()[1]), float(b['confidence'])))
    return result, json.loads(done.stdout)


def calibration_error(pairs):
    """Expected calibration error with ten bins of equal width: pairs of (confidence, right)."""
    bins = [[0, 0.0, 0] for _ in range(10)]
    for p, right in pairs:
        b = bins[min(9, int(p * 10))]
        b[0] += 1
        b[1] += p
        b[2] += right
    return sum(abs(b[1] - b[2]) for b in bins) / max(1, len(pairs))


def mean_error(estimate, rows):
    return statistics.mean(abs(e - row[0]) for e, row in zip(estimate, rows))


def error_rate(estimate, rows):
    return statistics.mean(e != row[1] for e, row in zip(estimate, rows))


def measure(program, family, seed, objects, directory):
    n, rows = world(family, seed, objects)
    ours, summary = fuse(program, rows, directory)
    number = {'median': [statistics.median(c[1] for c in row[2]) for row in rows], 'crh': crh_number(n, rows),
              'catd': catd_number(n, rows), 'fuse': [o[0] for o in ours]}
    category = {'vote': vote(rows, [1.0] * n), 'crh': weighted_category(n, rows, 'crh'),
                'catd': weighted_category(n, rows, 'catd'), 'accu': accu(n, rows), 'fuse': [o[3] for o in ours]}
    return dict(mae={k: mean_error(v, rows) for k, v in number.items()},
                error={k: error_rate(v, rows) for k, v in category.items()},
                cover=statistics.mean(o[1] <= row[0] <= o[2] for o, row in zip(ours, rows)),
                pairs=[(o[4], o[3] == row[1]) for o, row in zip(ours, rows)], types=[f['type'] for f in summary['fields']])


def table(results, key):
    print(f'\n{key:11}' + ''.join(f'{m:>9}' for m in results[FAMILIES[0]][0][key]) + f'{"ratio":>9}{"worst":>9}')
    ratios = []
    for family, worlds in results.items():
        means = {m: statistics.mean(w[key][m] for w in worlds) for m in worlds[0][key]}
        best = min(v for m, v in means.items() if m != 'fuse')
        each = [w[key]['fuse'] / max(1e-9, min(v for m, v in w[key].items() if m != 'fuse')) for w in worlds]
        ratios.append(means['fuse'] / best)
        print(f'{family:11}' + ''.join(f'{v:9.4f}' for v in means.values()) + f'{ratios[-1]:9.3f}{max(each):9.3f}')
    print(f'mean ratio to the best of the others {statistics.mean(ratios):.3f} '
          f'(without drift, the model\'s own family: {statistics.mean(ratios[1:]):.3f})')
    return ratios


def speed(program, directory, claims):
    rows, r = [], random.Random(1)
    path = os.path.join(directory, 'many.csv')
    with open(path, 'w') as f:
        f.write('object,attribute,value,source,observed_at\n')
        for i in range(claims // 8):
            x, k = r.gauss(4.5, 1.5), r.randrange(20)
            for s in r.sample(range(8), 4):
                day = f'202{r.randrange(6)}-0{r.randrange(1, 10)}-1{r.randrange(10)}'
                f.write(f'o{i},employees,{math.exp(x + r.gauss(0, .2)):.5g},s{s},{day}\n')
                f.write(f'o{i},industry,class {k if r.random() < .8 else r.randrange(20)},s{s},{day}\n')
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, 'fuse', path, '--out', os.path.join(directory, 'o.csv'), '--quiet'], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    second = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f'\nspeed: {claims} claims in {second:.2f} CPU seconds, {claims / second:.0f} a second, '
          f'{after.ru_maxrss / 1024:.0f} MiB')


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--galena', default='build/src/cmd/galena')
    a.add_argument('--worlds', type=int, default=4, help='worlds of each family')
    a.add_argument('--objects', type=int, default=1000)
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--speed', type=int, default=0, metavar='CLAIMS')
    o = a.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        results = {f: [measure(o.galena, f, o.seed + k, o.objects, directory) for k in range(o.worlds)] for f in FAMILIES}
        table(results, 'mae')
        table(results, 'error')
        print(f'\n{"":11}{"cover 90":>9}{"ECE":>9}{"ECE each":>10}')
        for family, worlds in results.items():
            print(f'{family:11}{statistics.mean(w["cover"] for w in worlds):9.3f}'
                  f'{calibration_error([p for w in worlds for p in w["pairs"]]):9.3f}'
                  f'{statistics.mean(calibration_error(w["pairs"]) for w in worlds):10.3f}  '
                  + ' '.join(f'{w["cover"]:.3f}' for w in worlds))
        if o.speed:
            speed(o.galena, directory, o.speed)


if __name__ == '__main__':
    main()
