#!/usr/bin/env python3
"""make_golden_models.py — makes the models that every later galena must load and score the same: make_golden_models.py GALENA FOLDER

Writes FOLDER/past.csv, leads.csv and profile.yaml where they are missing, and for each family FOLDER/vN-FAMILY.model with the scores of
leads.csv, FOLDER/vN-FAMILY.csv. N is the version of the model format. Files that exist are never overwritten: models of an older format
stay as they were made. The folder's models feed tests/score/test_bundle.c and tests/score/test_scorer.c.
"""
import csv
import os
import random
import subprocess
import sys

VERSION = 1
FAMILIES = {'logistic': [], 'naive_bayes': [], 'gbdt': [], 'auto': [], 'subscore': ['--profile'], 'bayesian': ['--profile']}
COLUMNS = ['source', 'visits', 'founded', 'newsletter', 'interests', 'won']
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
    past, leads, profile = (os.path.join(folder, name) for name in ('past.csv', 'leads.csv', 'profile.yaml'))
    write(past, 240, 1, COLUMNS)
    write(leads, 20, 2, COLUMNS[:-1])
    if not os.path.exists(profile):
        with open(profile, 'w', encoding='utf-8') as f:
            f.write(PROFILE)
    for family, options in FAMILIES.items():
        model = os.path.join(folder, f'v{VERSION}-{family}.model')
        if os.path.exists(model):
            continue
        options = [*options, profile] if options else []
        scores = model.replace('.model', '.csv')
        subprocess.run([galena, 'train', past, '--target', 'won', '--family', family, '--split', 'none', '--out', model, '--quiet',
                        *options], check=True)
        subprocess.run([galena, 'score', leads, '--model', model, '--reasons', '0', '--quiet', '--out', scores], check=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
