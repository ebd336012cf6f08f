"""test_text.py — galena text train, sentiment, topics and redact: small files in full, faults, and known data."""
import csv
import hashlib
import json
import os
import random
import unittest

from program import FlowTest, galena, main

SHARED = os.path.join(os.environ.get('GALENA_SHARED', '/nonexistent'), 'data')
SANITIZED = os.environ.get('GALENA_SANITIZED') == '1'
TOPICS = [['goal', 'match', 'striker', 'league', 'coach', 'referee'], ['budget', 'senate', 'minister', 'ballot', 'treaty', 'voter'],
          ['galaxy', 'orbit', 'comet', 'telescope', 'rocket', 'lunar']]


def rows_of(path):
    with open(path, newline='') as f:
        return list(csv.DictReader(f))


def write_rows(path, rows):
    with open(path, 'w', newline='') as f:
        w = csv.DictWriter(f, list(rows[0]))
        w.writeheader()
        w.writerows(rows)
    return path


def share(rows, name='sentiment_label'):
    return sum(r['label'] == r[name] for r in rows) / len(rows)


class Train(FlowTest):
    def titles(self, n=200):
        r = random.Random(4)
        words = {'tech': ['engineer', 'developer', 'architect'], 'sales': ['sales', 'account executive', 'marketing']}
        rows = []
        for i in range(n):
            kind = ['tech', 'sales'][i % 2]
            rows.append({'title': f"{r.choice(['senior', 'lead', 'junior'])} {r.choice(words[kind])}", 'kind': kind})
        return self.path('titles.csv', 'title,kind\n' + ''.join(f"{x['title']},{x['kind']}\n" for x in rows) + ',tech\nno label,\n')

    def test_train_is_repeatable(self):
        one, two = self.path('one'), self.path('two')
        for out, threads in ((one, 1), (two, 2)):
            done = galena('text', 'train', self.titles(), '--text', 'title', '--label', 'kind', '--out', out, '--threads', threads,
                          '--json')
            self.assert_runs(done)
        summary = json.loads(done.stdout)
        self.assertEqual((summary['rows'], summary['rows_left_out'], summary['labels']), (200, 2, 2))
        self.assertGreater(summary['accuracy'], 0.95)
        with open(one, 'rb') as f, open(two, 'rb') as g:
            self.assertEqual(f.read(), g.read())

    def test_faults(self):
        titles, out = self.titles(), self.path('m')
        self.assert_fails(galena('text', 'train', titles, '--text', 'nope', '--label', 'kind', '--out', out), 2, 'text_no_column')
        few = self.path('few.csv', 'title,kind\na,b\n')
        self.assert_fails(galena('text', 'train', few, '--text', 'title', '--label', 'kind', '--out', out), 2, 'text_rows')
        self.assertFalse(os.path.exists(out))
        self.assert_runs(galena('text', 'train', titles, '--text', 'title', '--label', 'kind', '--out', out))
        news = self.path('news.csv', 'text\nprofit rose\n')
        self.assert_fails(galena('sentiment', news, '--text', 'text', '--model', out), 2, 'sentiment_labels')
        self.assert_fails(galena('sentiment', news, '--text', 'text', '--model', titles), 2, 'model_not_a_model')


class Sentiment(FlowTest):
    def test_small_file(self):
        news = self.path('news.csv', 'id,headline,who\n1,"Acme surges, Globex plunges",Globex\n2,Acme surges while Globex plunges,Acme\n'
                                     '3,Globex opens an office in Oslo,Globex\n4,=Net loss narrowed,\n')
        out = self.path('out.csv')
        done = galena('sentiment', news, '--text', 'headline', '--entity', 'who', '--out', out, '--json')
        self.assert_runs(done)
        rows = rows_of(out)
        self.assertEqual(list(rows[0]), ['id', 'headline', 'who', 'sentiment_label', 'sentiment_score'])
        self.assertEqual([r['sentiment_label'] for r in rows], ['negative', 'positive', 'neutral', 'positive'])
        self.assertEqual(rows[3]['headline'], '=Net loss narrowed')  # what came stays as it came
        self.assertTrue(all(-1 <= float(r['sentiment_score']) <= 1 for r in rows))
        summary = json.loads(done.stdout)
        self.assertEqual((summary['rows'], summary['positive'], summary['negative'], summary['trained']), (4, 2, 1, False))

    @unittest.skipUnless(os.path.isdir(SHARED), 'known data is not here')
    def test_known_data(self):
        out, folder = self.path('out.csv'), os.path.join(SHARED, 'news-sentiment')
        for file, bar, words in (('phrasebank', 0.70, ['--text', 'sentence']),
                                 ('sentfin', 0.62, ['--text', 'headline', '--entity', 'entity'])):
            self.assert_runs(galena('sentiment', os.path.join(folder, file + '_dev.csv'), *words, '--out', out))
            self.assertGreaterEqual(share(rows_of(out)), bar)

    @unittest.skipUnless(os.path.isdir(SHARED) and not SANITIZED, 'known data is not here, or the program is slow')
    def test_trained(self):
        rows = rows_of(os.path.join(SHARED, 'news-sentiment', 'phrasebank_dev.csv'))
        half = [[r for r in rows if hashlib.md5(r['sentence'].encode()).digest()[0] % 2 == k] for k in (0, 1)]
        train, test, model, out = (self.path(n) for n in ('train.csv', 'test.csv', 'model', 'out.csv'))
        write_rows(train, half[0])
        write_rows(test, half[1])
        self.assert_runs(galena('text', 'train', train, '--text', 'sentence', '--label', 'label', '--out', model))
        self.assert_runs(galena('sentiment', test, '--text', 'sentence', '--model', model, '--out', out))
        self.assertGreaterEqual(share(rows_of(out)), 0.77)


class Topics(FlowTest):
    def texts(self):
        r = random.Random(6)
        return [' '.join(r.choice(TOPICS[i % 3]) for _ in range(30)) for i in range(90)]

    def test_small_file(self):
        texts = self.path('texts.csv', 'n,a,b\n' + ''.join(f'{i},{t[:60]},{t[60:]}\n' for i, t in enumerate(self.texts())))
        out, again, model = self.path('out.csv'), self.path('again.csv'), self.path('model')
        done = galena('topics', texts, '--text', 'a,b', '--k', 3, '--seed', 3, '--words', '--out', out, '--model', model, '--json')
        self.assert_runs(done)
        rows = rows_of(out)
        of = [rows[k]['galena_topic'] for k in range(3)]
        self.assertEqual(sorted(of), ['0', '1', '2'])
        self.assertEqual([r['galena_topic'] for r in rows], [of[i % 3] for i in range(90)])
        self.assertEqual(len(json.loads(done.stdout)['topics']), 3)
        self.assert_runs(galena('topics', texts, '--text', 'a,b', '--apply', model, '--out', again))
        self.assertEqual(rows, rows_of(again))

    def test_faults(self):
        few = self.path('few.csv', 'a\ngoal\n')
        self.assert_fails(galena('topics', few, '--text', 'a', '--k', 4), 2, 'topics_texts')
        self.assert_fails(galena('topics', few, '--text', 'b', '--k', 4), 2, 'column_missing')
        self.assert_fails(galena('topics', few, '--text', 'a', '--apply', few), 2, 'model_not_a_model')

    @unittest.skipUnless(os.path.isdir(SHARED) and not SANITIZED, 'known data is not here, or the program is slow')
    def test_known_data(self):
        out = self.path('out.csv')
        news = os.path.join(SHARED, 'news-topics', 'bbc_dev.csv.gz')
        self.assert_runs(galena('topics', news, '--text', 'text', '--k', 5, '--seed', 9, '--out', out))
        count = {}
        for r in rows_of(out):
            count.setdefault(r['galena_topic'], {}).setdefault(r['topic'], []).append(1)
        self.assertGreaterEqual(sum(max(map(len, c.values())) for c in count.values()) / 720, 0.8)


class Redact(FlowTest):
    TEXT = 'ünïcode: my name is Jane Doe, jane@example.org, card 4111 1111 1111 1111.'

    def test_small_file(self):
        lines = [{'id': 7, 'text': self.TEXT}, {'id': 'x', 'text': 'nothing here'}]
        notes = self.path('notes.jsonl', ''.join(json.dumps(x) + '\n' for x in lines))
        done = galena('redact', notes, '--text', 'text', '--quiet')
        self.assert_runs(done)
        one, two = map(json.loads, done.stdout.splitlines())
        self.assertEqual((one['id'], one['text'], two['id'], two['spans']), (7, self.TEXT, 'x', []))
        self.assertEqual([(s['type'], self.TEXT[s['start']:s['end']]) for s in one['spans']],
                         [('PERSON', 'Jane Doe'), ('EMAIL_ADDRESS', 'jane@example.org'), ('CREDIT_CARD', '4111 1111 1111 1111')])
        masked = json.loads(galena('redact', notes, '--mask', '--quiet').stdout.splitlines()[0])
        self.assertEqual(masked['text'], 'ünïcode: my name is [PERSON_1], [EMAIL_ADDRESS_1], card [CREDIT_CARD_1].')

    def test_threads_and_faults(self):
        notes = self.path('notes.jsonl', ''.join(json.dumps({'id': i, 'text': f'{self.TEXT} {i}'}) + '\n' for i in range(300)))
        one, two = self.path('one'), self.path('two')
        self.assert_runs(galena('redact', notes, '--threads', 1, '--out', one))
        self.assert_runs(galena('redact', notes, '--threads', 3, '--out', two))
        with open(one) as f, open(two) as g:
            self.assertEqual(f.read(), g.read())
        self.assert_fails(galena('redact', notes, '--text', 'nope', '--out', self.path('three')), 2, 'column_missing')
        self.assertFalse(os.path.exists(self.path('three')))

    @unittest.skipUnless(os.path.isdir(SHARED), 'known data is not here')
    def test_known_data(self):
        path = os.path.join(SHARED, 'pii', 'presidio_synth_dev.jsonl')
        with open(path) as f:
            gold = {g['id']: g for g in map(json.loads, f)}
        found = {}
        done = galena('redact', path, '--quiet')
        self.assert_runs(done)
        for line in done.stdout.splitlines():
            r = json.loads(line)
            for g in gold[r['id']]['spans']:
                hit = any(s['type'] == g['type'] and s['start'] < g['end'] and g['start'] < s['end'] for s in r['spans'])
                found.setdefault(g['type'], []).append(hit)
            if not gold[r['id']]['spans']:
                self.assertEqual(r['spans'], [])
        recall = {k: sum(v) / len(v) for k, v in found.items()}
        for kind in ('EMAIL_ADDRESS', 'CREDIT_CARD', 'IBAN_CODE', 'IP_ADDRESS', 'US_SSN', 'DOMAIN_NAME', 'PHONE_NUMBER', 'DATE_TIME'):
            self.assertGreaterEqual(recall[kind], 0.98, kind)
        self.assertGreaterEqual(recall['PERSON'], 0.75)


if __name__ == '__main__':
    main()
