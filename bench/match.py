#!/usr/bin/env python3
"""Measures `galena match`: quality on labelled files where they are, and speed on a million made-up names beside PostgreSQL's
pg_trgm (a private server is started when PostgreSQL is installed).

    python3 bench/match.py [--galena build/src/cmd/galena] [--data DIR] [--names 1000000] [--queries 2000] [--no-postgres]

Links are scored as the data says: a link is right only when it is the gold organisation, and a link where there is none is wrong.
Queries of kind `renamed_no_overlap` (today's name shares no word with the old one) are left out of the first figures.
"""
import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'flow'))


def run(*words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows_of(path):
    with open(path, newline='', encoding='utf-8') as f:
        return list(csv.DictReader(f))


def ece(pairs, bins=10):
    """Expected calibration error of (probability, right)."""
    error = 0
    for k in range(bins):
        part = [(p, y) for p, y in pairs if min(int(p * bins), bins - 1) == k]
        if part:
            error += abs(sum(p for p, _ in part) - sum(y for _, y in part))
    return error / max(len(pairs), 1)


def link_quality(rows):
    links = [r for r in rows if r['match_id']]
    right = sum(r['match_id'] == r['gold_cik'] for r in links)
    p, r = right / max(len(links), 1), right / max(sum(r['gold_cik'] != '' for r in rows), 1)
    return p, r, 2 * p * r / (p + r) if p + r else 0


def f1(pairs):
    hit = sum(p and y for p, y in pairs)
    return 2 * hit / max(sum(p for p, _ in pairs) + sum(y for _, y in pairs), 1)


def show(bar, measured):
    print(f'{bar:58} | {measured}', flush=True)


def quality(o, folder):
    data, out = o.data, os.path.join(folder, 'out.csv')
    found = [f for f in sorted(os.listdir(data)) if f.startswith(('queries_', 'name_pairs_'))] if os.path.isdir(data) else []
    for name in found:
        path = os.path.join(data, name)
        if name.startswith('queries_'):
            run(o.galena, 'match', path, '--registry', os.path.join(data, 'registry.csv'), '--query-column', 'query_name',
                '--registry-name', 'name', '--registry-id', 'cik', '--threshold', '0.000001', '--out', out)
            every = {r['query_id']: r for r in rows_of(out)}  # with the best candidate's id, for the calibration
            run(o.galena, 'match', path, '--registry', os.path.join(data, 'registry.csv'), '--query-column', 'query_name',
                '--registry-name', 'name', '--registry-id', 'cik', '--out', out)
            rows = rows_of(out)
            some = [r for r in rows if r['kind'] != 'renamed_no_overlap']
            show(f'{name}: F1 >= .82 at precision >= .95', 'F1 %.3f, precision %.3f, recall %.3f' % (
                lambda q: (q[2], q[0], q[1]))(link_quality(some)))
            show(f'{name}: with renames', 'F1 %.3f, precision %.3f, recall %.3f' % (lambda q: (q[2], q[0], q[1]))(link_quality(rows)))
            show(f'{name}: ECE <= .05', '%.3f; with renames %.3f' % tuple(
                ece([(float(r['match_confidence']), every[r['query_id']]['match_id'] == r['gold_cik'] != '') for r in part])
                for part in (some, rows)))
        else:
            run(o.galena, 'match', '--pairs', path, '--a', 'name1', '--b', 'name2', '--kind-column', 'schema', '--out', out)
            rows = [(r['schema'], float(r['pair_probability']), r['pair_match'] == 'true', r['is_match'] == 'true')
                    for r in rows_of(out)]
            show(f'{name}: F1 >= .76', '%.3f' % f1([(m, y) for _, _, m, y in rows]))
            show(f'{name}: organisations F1 >= .83', '%.3f' % f1([(m, y) for k, _, m, y in rows if k != 'Person']))
            show(f'{name}: ECE <= .05', '%.3f' % ece([(p, y) for _, p, _, y in rows]))


# ---- a million names ----

KINDS = 'Holdings Group Technologies Systems Energy Capital Partners Industries Services Solutions Media Foods Pharma Labs Software ' \
        'Bank Insurance Logistics Motors Consulting Design Construction Properties Investments Trading'.split()
FORMS = ['Inc', 'Inc.', 'LLC', 'Ltd', 'Limited', 'Corp', 'GmbH', 'AG', 'S.A.', 'B.V.', 'PLC', 'L.P.', 'Oy', 'AB', '']


def coin(r):
    return ''.join(r.choice('bcdfghklmnprstvz') + r.choice('aeiou') for _ in range(r.randint(2, 4))) + r.choice(['', 'n', 'x', 's', 'r'])


def names(n, seed):
    r = random.Random(seed)
    words = [coin(r).capitalize() for _ in range(max(n // 5, 50))]
    while True:
        parts = [words[min(int(r.paretovariate(0.6)) - 1, 10**9) % len(words)] for _ in range(r.choice([1, 2, 2, 2, 3]))]
        parts += r.sample(KINDS, r.choice([0, 1, 1, 2])) + [r.choice(FORMS)]
        yield ' '.join(p for p in parts if p)


def slip(r, name):
    k = r.randrange(len(name))
    return r.choice([name[:k] + name[k + 1:], name[:k] + name[k:k + 1] + name[k:], name.split(' ', 1)[0], name + ' International', name])


def speed(o, folder):
    registry, index = os.path.join(folder, 'names.csv'), os.path.join(folder, 'names.registry')
    queries, out = os.path.join(folder, 'queries.csv'), os.path.join(folder, 'out.csv')
    source, r, sample = names(o.names, 1), random.Random(2), []
    with open(registry, 'w', encoding='utf-8') as f:
        f.write('id,name\n')
        for i in range(o.names):
            name = next(source)
            f.write(f'{i},{name}\n')
            if r.random() < 2 * o.queries / o.names and len(sample) < o.queries:
                sample.append(slip(r, name))
    with open(queries, 'w', encoding='utf-8') as f:
        f.write('q\n' + ''.join(q + '\n' for q in sample if q.strip()))
    text, cpu = run(o.galena, 'registry', 'build', registry, '--name', 'name', '--id', 'id', '--out', index, '--json')
    built = json.loads(text)
    show(f'{o.names:,} names indexed in <= 60 CPU s', f'{cpu:.1f} CPU s, {built["bytes"] / 1e6:.0f} MB')
    text, cpu = run(o.galena, 'match', queries, '--registry', index, '--query-column', 'q', '--out', out, '--json')
    done = json.loads(text)
    show('look-up p99 <= 2 ms', 'p50 %.2f ms, p99 %.2f ms; CPU time p99 %.2f ms; index opened and checked in %.2f s' % (
        done['lookup_ms']['p50'], done['lookup_ms']['p99'], done['lookup_cpu_ms']['p99'], done['registry_seconds']))
    return registry, sample


def postgres(registry, sample):
    from pipeline import Postgres
    if not Postgres.there():
        print('PostgreSQL is not installed: pg_trgm not measured')
        return
    server = Postgres()
    try:
        server.rows('CREATE EXTENSION pg_trgm')
        server.rows('CREATE TABLE company (id int, name text)')
        with open(registry, 'rb') as f:
            subprocess.run([f'{server.bin}/psql', '-X', '-q', '-d', server.url, '-c', 'COPY company FROM STDIN CSV HEADER'], stdin=f,
                           check=True)
        for kind, order in (('gin', 'similarity(name, {q}) DESC'), ('gist', 'name <-> {q}')):
            began = time.monotonic()
            server.rows(f'CREATE INDEX company_name ON company USING {kind} (name {kind}_trgm_ops)')
            built, spent = time.monotonic() - began, []
            few = sample[:20]
            script = '\\timing on\n' + ''.join(
                'SELECT id FROM company WHERE name %% %s ORDER BY %s LIMIT 1;\n' % (q, order.format(q=q))
                for q in ("'" + q.replace("'", "''") + "'" for q in few))
            done = subprocess.run([f'{server.bin}/psql', '-X', '-q', '-A', '-t', '-d', server.url], input=script, text=True,
                                  capture_output=True, check=True)
            spent = sorted(float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith('Time:'))
            show(f'PostgreSQL pg_trgm, {kind}', 'indexed in %.1f s; look-up p50 %.1f ms, p99 %.1f ms (%d queries)' % (
                built, spent[len(spent) // 2], spent[min(len(spent) * 99 // 100, len(spent) - 1)], len(spent)))
            server.rows('DROP INDEX company_name')
    finally:
        server.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--galena', default=os.path.join(HERE, '..', 'build', 'src', 'cmd', 'galena'))
    parser.add_argument('--data', default=os.path.join(os.environ.get('GALENA_SHARED', os.path.join(HERE, '..', '..', 'shared')),
                                                       'data', 'entity-matching'))
    parser.add_argument('--names', type=int, default=1000000)
    parser.add_argument('--queries', type=int, default=2000)
    parser.add_argument('--no-postgres', action='store_true')
    o = parser.parse_args()
    os.environ.setdefault('GALENA', o.galena)
    print(f'{"bar":58} | measured')
    with tempfile.TemporaryDirectory(prefix='galena-bench-') as folder:
        quality(o, folder)
        registry, sample = speed(o, folder)
        if not o.no_postgres:
            postgres(registry, sample)


main()
