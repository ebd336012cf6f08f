#!/usr/bin/python3
"""Quality and speed of `galena text train`, `sentiment`, `topics` and `redact`.

  bench/text.py [--galena PATH] [--data DIR] [--half NAME] [--only WORD] [--json]

DIR is ../shared/data; files *_NAME.csv, NAME "dev". Trained figures are of models that learned from one half of the rows and judged
the other, both ways (rows of equal text in one half). Exit code 1 when a bar is missed."""
import argparse
import collections
import csv
import gzip
import hashlib
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile

FORMS = ('EMAIL_ADDRESS', 'CREDIT_CARD', 'IBAN_CODE', 'IP_ADDRESS', 'US_SSN', 'DOMAIN_NAME', 'PHONE_NUMBER', 'DATE_TIME')


class Bench:
    def __init__(self, a, folder):
        self.a, self.folder, self.out = a, folder, os.path.join(folder, 'out')

    def data(self, folder, name, end='.csv'):
        return os.path.join(self.a.data, folder, f'{name}_{self.a.half}{end}')

    def galena(self, *words):
        done = subprocess.run([self.a.galena, *map(str, words), '--json'], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        return json.loads(done.stdout)

    def rows(self, path):
        with (gzip.open if path.endswith('.gz') else open)(path, 'rt', newline='') as f:
            return list(csv.DictReader(f))

    def write(self, name, rows):
        path = os.path.join(self.folder, name)
        with open(path, 'w', newline='') as f:
            w = csv.DictWriter(f, list(rows[0]))
            w.writeheader()
            w.writerows(rows)
        return path

    # ---- sentiment ----

    def halves(self, path, text, words, label='label'):
        """Every row judged by a model that learned from the half it is not in."""
        rows, model, done = self.rows(path), os.path.join(self.folder, 'model'), []
        half = [[r for r in rows if hashlib.md5(r[text].encode()).digest()[0] % 2 == k] for k in (0, 1)]
        for k in (0, 1):
            train, test = self.write('train.csv', half[k]), self.write('test.csv', half[1 - k])
            self.galena('text', 'train', train, '--text', text, '--label', label, *words, '--out', model)
            self.galena('sentiment', test, '--text', text, *words, '--model', model, '--out', self.out)
            done += self.rows(self.out)
        return done

    def sentiment(self):
        right = lambda rows: sum(r['label'] == r['sentiment_label'] for r in rows) / len(rows)
        sets = [('PhraseBank', 'phrasebank', 'sentence', [], 0.70, 0.78),
                ('SEntFiN per entity', 'sentfin', 'headline', ['--entity', 'entity'], 0.62, 0.76)]
        for name, file, text, words, plain, trained in sets:
            path = self.data('news-sentiment', file)
            summary = self.galena('sentiment', path, '--text', text, *words, '--out', self.out)
            yield f'{name}, lexicon', plain, right(self.rows(self.out))
            rows = self.halves(path, text, words)
            yield f'{name}, trained', trained, right(rows)
            if words:
                labels = collections.defaultdict(set)
                for r in rows:
                    labels[r[text]].add(r['label'])
                yield 'SEntFiN mixed headlines, trained', 0.60, right([r for r in rows if len(labels[r[text]]) > 1])
                many = self.write('many.csv', self.rows(path) * 10)
                summary = self.galena('sentiment', many, '--text', text, *words, '--out', self.out)
                yield 'headlines per CPU second', 20000, summary['rows'] / summary['cpu_seconds']

    # ---- titles ----

    def titles(self):
        for name, file, label, bar in (('titles to area', 'titles', 'area', 0.78),
                                       ('titles to O*NET major group', 'onet_alt_titles', 'soc_major', 0.80)):
            done = self.galena('text', 'train', self.data('job-titles', file), '--text', 'title', '--label', label, '--out', self.out)
            yield f'{name}, out of fold', bar, done['accuracy']

    # ---- topics ----

    @staticmethod
    def coherence(topics, texts):
        """Mean normalised pointwise mutual information of the top ten words' pairs, over texts."""
        n, total = len(texts), []
        for t in topics:
            at = [{i for i, x in enumerate(texts) if w in x} for w in t['words'][:10]]
            pairs = [(a, b) for i, a in enumerate(at) for b in at[:i]]
            npmi = lambda a, b, ab: -1 if not ab else math.log(len(ab) * n / (len(a) * len(b))) / -math.log(len(ab) / n)
            total.append(statistics.mean(npmi(a, b, a & b) for a, b in pairs))
        return statistics.mean(total)

    def topics(self):
        sets = [('BBC', self.data('news-topics', 'bbc', '.csv.gz'), 'text', 5, 0.80, 0.15),
                ('AG News', self.data('news-topics', 'agnews'), 'title,description', 4, 0.70, 0.08)]
        for name, file, columns, k, purity_bar, npmi_bar in sets:
            purity, npmi = [], []
            for seed in range(1, 6):
                done = self.galena('topics', file, '--text', columns, '--k', k, '--seed', seed, '--words', '--out', self.out)
                rows, by = self.rows(self.out), collections.defaultdict(collections.Counter)
                for r in rows:
                    by[r['galena_topic']][r['topic']] += 1
                purity.append(sum(max(c.values()) for c in by.values()) / len(rows))
                texts = [' '.join(r[c] for c in columns.split(',')).lower() for r in rows]
                npmi.append(self.coherence(done['topics'], [set(re.findall('[a-z]+', x)) for x in texts]))
            yield f'{name} purity, median of five seeds', purity_bar, statistics.median(purity)
            yield f'{name} NPMI, median of five seeds', npmi_bar, statistics.median(npmi)

    # ---- personal data ----

    def redact(self):
        path = self.data('pii', 'presidio_synth', '.jsonl')
        with open(path) as f:
            gold = [json.loads(line) for line in f]
        self.galena('redact', path, '--text', 'text', '--out', self.out)
        with open(self.out) as f:
            found = [json.loads(line)['spans'] for line in f]
        recall, right, wrong, all_gold, changed = collections.defaultdict(list), 0, 0, 0, 0
        shared = lambda a, b: min(a['end'], b['end']) - max(a['start'], b['start'])
        half = lambda a, b, of: a['type'] == b['type'] and 2 * shared(a, b) >= of['end'] - of['start']
        for g, spans in zip(gold, found):
            for x in g['spans']:
                recall[x['type']].append(any(half(x, s, x) for s in spans))
            wrong += sum(not any(half(x, s, s) for x in g['spans']) for s in spans)
            changed += not g['spans'] and bool(spans)
        right, all_gold = sum(map(sum, recall.values())), sum(map(len, recall.values()))
        forms = [x for t in FORMS for x in recall[t]]
        yield 'recall of types with a form', 0.98, sum(forms) / len(forms)
        yield 'recall of PERSON', 0.75, sum(recall['PERSON']) / len(recall['PERSON'])
        yield 'F1 of all types', 0.80, 2 * right / (right + wrong + all_gold)
        yield 'texts without personal data left as they are', 1, 1 - changed / max(1, sum(not g['spans'] for g in gold))
        texts = [r['text'] for r in self.rows(self.data('news-topics', 'bbc', '.csv.gz'))] * 40
        many = os.path.join(self.folder, 'many.jsonl')
        with open(many, 'w') as f:
            f.writelines(json.dumps({'id': i, 'text': t}) + '\n' for i, t in enumerate(texts))
        done = self.galena('redact', many, '--text', 'text', '--out', self.out)
        yield 'MB per second, all cores', 50, done['text_bytes'] / 1e6 / done['seconds']
        yield 'MB per CPU second', None, done['text_bytes'] / 1e6 / done['cpu_seconds']


def main():
    p = argparse.ArgumentParser()
    here = os.path.dirname(os.path.abspath(__file__))
    p.add_argument('--galena', default=os.path.join(here, '../build/src/cmd/galena'))
    p.add_argument('--data', default=os.path.join(here, '../../shared/data'))
    p.add_argument('--half', default='dev')
    p.add_argument('--only', default='')
    p.add_argument('--json', action='store_true')
    a = p.parse_args()
    missed, lines = 0, []
    with tempfile.TemporaryDirectory() as folder:
        b = Bench(a, folder)
        for part in ('sentiment', 'titles', 'topics', 'redact'):
            for what, bar, measured in getattr(b, part)() if a.only in part else ():
                met = bar is None or measured >= bar
                missed += not met
                lines.append({'what': what, 'bar': bar, 'measured': measured, 'met': met})
                if not a.json:
                    shown = '' if bar is None else f'{bar:,g}'
                    print(f"{what:48} {shown:>10} {measured:>12,.3f}{'' if met else '  missed'}", flush=True)
    if a.json:
        print(json.dumps(lines, indent=1))
    sys.exit(missed > 0)


if __name__ == '__main__':
    main()
