#!/usr/bin/env python3
"""Quality and speed of `galena clean`.

  bench/clean.py [--galena PATH] [--data DIR] [--half NAME] [--models-half NAME] [--json]

DIR holds contact-normalisation/ and job-titles/ (each has a README). Prints a table of bar and measured. The models for the
area and the group of titles are trained on the half --models-half; figures on the half they were trained on are marked and
come from five folds instead. Exit code 1 when a bar is missed.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def rows_of(path):
    with open(path, newline='', encoding='utf-8') as f:
        return list(csv.DictReader(f))


def write(path, rows, columns):
    with open(path, 'w', newline='', encoding='utf-8') as f:
        w = csv.DictWriter(f, columns, extrasaction='ignore')
        w.writeheader()
        w.writerows(rows)
    return path


class Bench:
    def __init__(self, a, folder):
        self.a, self.folder, self.second = a, folder, 0.0

    def path(self, name):
        return os.path.join(self.folder, name)

    def clean(self, file, *words):
        out = self.path('out.csv')
        done = subprocess.run([self.a.galena, 'clean', file, *words, '--out', out, '--json'], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        self.second = json.loads(done.stdout)['seconds']['wall']
        return rows_of(out)

    def train(self, rows, label, name):
        rows = [r for r in rows if r['title'] and r[label]]
        file, model = write(self.path('train.csv'), rows, ['title', label]), self.path(name)
        done = subprocess.run([self.a.galena, 'text', 'train', file, '--text', 'title', '--label', label, '--out', model],
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return model

    def data(self, topic, stem, half=None):
        return rows_of(os.path.join(self.a.data, topic, f'{stem}_{half or self.a.half}.csv'))

    def emails(self):
        gold = self.data('contact-normalisation', 'email_domains')
        for r in gold:
            r['email'] = 'ada.lovelace@' + r['domain']
        out = self.clean(write(self.path('mail.csv'), gold, ['email', 'class', 'intended']), '--column', 'email=email')
        typo = [r for r in out if r['class'] == 'typo']
        other = [r for r in out if r['class'] != 'typo']
        meant = ['ada.lovelace@' + r['intended'] for r in typo]
        yield 'e-mail typos corrected', 200 / 223, sum(r['email_clean'] == m for r, m in zip(typo, meant)) / len(typo)
        yield 'e-mail typos suggested', 200 / 223, sum(r['email_suggestion'] == m for r, m in zip(typo, meant)) / len(typo)
        yield 'of 549 others left alone', 539 / 549, sum(not r['email_suggestion'] for r in other) / len(other)
        yield 'e-mail class of others', None, sum(r['email_class'] == r['class'] for r in other) / len(other)

    def phones(self):
        gold = self.data('contact-normalisation', 'phones')
        file = write(self.path('phone.csv'), gold, ['raw', 'default_region', 'e164', 'type', 'valid'])
        out = self.clean(file, '--column', 'phone=raw', '--column', 'region=default_region')
        right = sum(r['phone_clean'] == r['e164'] and (r['phone_status'] == 'invalid') == (r['valid'] == 'false') for r in out)
        yield 'phones', 0.97, right / len(out)
        yield 'rows a second (phones)', None, len(out) / self.second

    def titles(self):
        gold = self.data('job-titles', 'titles')
        out = self.clean(write(self.path('t.csv'), gold, ['title', 'level', 'area']), '--column', 'title=title')
        yield 'title level, no model', 0.94, sum(r['title_level'] == r['level'] for r in out) / len(out)
        known = [r for r in out if r['area']]
        yield 'title area, no model', None, sum(r['title_area'] == r['area'] for r in known) / len(known)
        yield from self.learned('titles', 'area', 'title area', 0.78, '--title-area-model', 'title_area')
        yield from self.learned('onet_alt_titles', 'soc_major', 'title group', 0.80, '--title-group-model', 'title_soc')

    def learned(self, stem, label, name, bar, option, column):
        rows = [r for r in self.data('job-titles', stem) if r[label]]
        if self.a.half != self.a.models_half:
            train, folds = self.data('job-titles', stem, self.a.models_half), 1
        else:
            train, folds, name = rows, 5, name + ' (five folds)'
        right = 0
        for fold in range(folds):
            test = [r for i, r in enumerate(rows) if i * 7919 % 5 == fold] if folds > 1 else rows
            seen = {r['title'] for r in test} if folds > 1 else set()
            model = self.train([r for r in train if r['title'] not in seen], label, 'm.model')
            out = self.clean(write(self.path('t.csv'), test, ['title', label]), '--column', 'title=title', option, model)
            right += sum(r[column] == r[label] for r in out)
        yield name, bar, right / len(rows)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--galena', default=os.path.join(HERE, '..', 'build', 'src', 'cmd', 'galena'))
    p.add_argument('--data', default=os.path.join(HERE, '..', '..', 'shared', 'data'))
    p.add_argument('--half', default='dev')
    p.add_argument('--models-half', default='dev')
    p.add_argument('--json', action='store_true')
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        b = Bench(a, folder)
        lines = [line for part in (b.emails, b.phones, b.titles) for line in part()]
    missed = [name for name, bar, got in lines if bar is not None and got < bar]
    if a.json:
        print(json.dumps([{'name': n, 'bar': bar, 'measured': got} for n, bar, got in lines]))
    else:
        for name, bar, got in lines:
            print(f'{name:32} {"" if bar is None else f"{bar:.3f}":>7} {got:9.3f}{"  missed" if name in missed else ""}')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
