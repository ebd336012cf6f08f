#!/usr/bin/env python3
"""make_golden_models.py — makes the models that every later galena must load and score the same: make_golden_models.py GALENA FOLDER

Writes FOLDER/past.csv, leads.csv, profile.yaml and schema.yaml where they are missing, and for each family (and a logistic model with
interactions) FOLDER/vN-FAMILY.model with the scores of
leads.csv, FOLDER/vN-FAMILY.csv. N is the version of the model format. Files that exist are never overwritten: models of an older format
stay as they were made. The folder's models feed tests/score/test_bundle.c and tests/score/test_scorer.c.
"""
import csv
import os
import random
import subprocess
import sys

VERSION = 1
FAMILIES = {'logistic': [], 'naive_bayes': [], 'gbdt': [], 'auto': [], 'subscore': ['--profile'], 'bayesian': ['--profile'],
            'interactions': ['--schema']}
COLUMNS = ['source', 'visits', 'founded', 'newsletter', 'interests', 'won']
SCHEMA = """fields:
  - name: source
  - name: visits
  - name: newsletter
interactions:
  - fields: [source, visits]
    products: [[source=Referral, visits], [source=Ads, "visits=?"]]
  - fields: [visits, visits]
    products: [[visits, visits]]
"""
PROFILE = """format: 1
name: Golden
base_rate: 0.3
strength: 20
missing: [Select]
firmographics:
  - field: source
    values: {Referral: 1, Fair: 0.4}
    weight: 2
behaviour:
  - field: visits
    at_least: 5
    weight: 1
"""


def lead(draw):
    source = draw.choice(['Ads', 'Referral', 'Fair', 'Select'])
    visits = draw.randrange(0, 20)
    odds = 0.04 * 8 ** (source == 'Referral') * 1.25 ** visits
    return [source, '' if draw.random() < 0.1 else visits, f'20{draw.randrange(26):02d}-{draw.randrange(1, 13):02d}-15',
            draw.choice(['yes', 'no']),
            ';'.join(draw.sample(['crm', 'erp', 'mail'], draw.randrange(3))), 'yes' if draw.random() < odds / (1 + odds) else 'no']


def write(path, n, seed, columns):
    draw = random.Random(seed)
    if os.path.exists(path):
        return
    with open(path, 'w', encoding='utf-8', newline='') as f:
        writer = csv.writer(f, lineterminator='\n')
        writer.writerow(columns)
        writer.writerows(lead(draw)[:len(columns)] for _ in range(n))


def main(galena, folder):
    os.makedirs(folder, exist_ok=True)
    past, leads, profile, schema = (os.path.join(folder, name) for name in ('past.csv', 'leads.csv', 'profile.yaml', 'schema.yaml'))
    write(past, 240, 1, COLUMNS)
    write(leads, 20, 2, COLUMNS[:-1])
    if not os.path.exists(profile):
        with open(profile, 'w', encoding='utf-8') as f:
            f.write(PROFILE)
    if not os.path.exists(schema):
        with open(schema, 'w', encoding='utf-8') as f:
            f.write(SCHEMA)
    for family, options in FAMILIES.items():
        model = os.path.join(folder, f'v{VERSION}-{family}.model')
        if os.path.exists(model):
            continue
        documents = {'--profile': profile, '--schema': schema}
        options = [x for o in options for x in (o, documents[o])]
        scores = model.replace('.model', '.csv')
        subprocess.run([galena, 'train', past, '--target', 'won', '--family', 'logistic' if family == 'interactions' else family,
                        '--split', 'none', '--out', model, '--quiet', *options], check=True)
        subprocess.run([galena, 'score', leads, '--model', model, '--reasons', '0', '--quiet', '--out', scores], check=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
