"""test_fuse.py — galena fuse: what it writes, against figures computed here and the truth of a drawn world."""
import csv
import io
import json
import math
import random

from program import FlowTest, galena, main

HEAD = 'object,attribute,value,source\n'
COLUMNS = ['object', 'attribute', 'value', 'confidence', 'low', 'high', 'contested', 'for', 'against']


class Fuse(FlowTest):
    def fuse(self, text, *more):
        done = galena('fuse', self.path('claims.csv', text), '--quiet', *more)
        self.assert_runs(done)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def test_columns_and_sources(self):
        facts = self.fuse(HEAD + 'o,city,Paris,a\no,city,PARIS,b\no,city,Lyon,c\n')
        self.assertEqual(list(facts[0]), COLUMNS)
        self.assertEqual((facts[0]['value'], facts[0]['for'], facts[0]['against']), ('PARIS', 'a; b', 'c'))
        self.assertEqual((facts[0]['low'], facts[0]['high']), ('', ''))

    def test_extra_columns_are_passed_over_and_order_is_that_of_the_claims(self):
        text = 'note,source,value,attribute,object\nx,s,1,b,o2\nx,s,2,a,o1\n'
        self.assertEqual([(f['object'], f['attribute'], f['value']) for f in self.fuse(text)], [('o2', 'b', '1'), ('o1', 'a', '2')])

    def test_a_lone_claim_is_as_sure_as_its_source(self):
        text = HEAD + ''.join(f'o{i},city,c{i},{s}\n' for i in range(40) for s in 'ab') + 'lone,city,x,a\n'
        facts = {f['object']: f for f in self.fuse(text, '--sources', self.path('w.csv'))}
        with open(self.path('w.csv'), encoding='utf-8') as f:
            worth = {w['source']: float(w['accuracy']) for w in csv.DictReader(f)}
        self.assertAlmostEqual(float(facts['lone']['confidence']), worth['a'], places=5)

    def test_two_sources_that_agree_follow_bayes(self):
        """Posterior odds are the prior's times r / ((1 - r) q) of each claim, from the accuracies that are written."""
        text = HEAD + ''.join(f'o{i},city,{"c" if s != "c" or i % 3 else "d"}{i},{s}\n' for i in range(300) for s in 'abc')
        facts = self.fuse(text, '--sources', self.path('w.csv'))
        with open(self.path('w.csv'), encoding='utf-8') as f:
            worth = {w['source']: float(w['accuracy']) for w in csv.DictReader(f)}
        self.assertLess(worth['c'], worth['a'])
        self.assertAlmostEqual(worth['c'], 2 / 3, delta=0.05)
        self.assertTrue(all(f['value'] == 'c' + f['object'][1:] for f in facts))

    def test_a_newer_claim_replaces_the_older_of_its_source(self):
        text = 'object,attribute,value,source,observed_at\no,city,Paris,a,2020-01-01\no,city,Lyon,a,2026-01-01\n'
        facts = self.fuse(text)
        self.assertEqual((facts[0]['value'], facts[0]['against']), ('Lyon', ''))

    def test_amounts_have_an_interval_that_covers(self):
        r = random.Random(4)
        truth, rows = {}, []
        for i in range(1000):
            truth[f'o{i}'] = math.exp(r.gauss(5, 1.5))
            for s, sd in enumerate((.05, .1, .2, .4)):
                rows.append(f'o{i},employees,{truth[f"o{i}"] * math.exp(r.gauss(0, sd)):.6g},s{s}\n')
        facts = self.fuse(HEAD + ''.join(rows), '--sources', self.path('w.csv'))
        inside = [float(f['low']) <= truth[f['object']] <= float(f['high']) for f in facts]
        self.assertTrue(.87 < sum(inside) / len(inside) < .95, sum(inside) / len(inside))
        error = [abs(math.log(float(f['value']) / truth[f['object']])) for f in facts]
        self.assertLess(sum(error) / len(error), .045)
        with open(self.path('w.csv'), encoding='utf-8') as f:
            noise = [float(w['noise']) for w in csv.DictReader(f)]
        self.assertEqual(noise, sorted(noise))

    def test_copies_count_once(self):
        r = random.Random(9)
        rows, truth = [], {}
        for i in range(600):
            truth[f'o{i}'] = f'v{r.randrange(10**6)}'
            wrong = f'v{r.randrange(10**6)}'
            for s in 'abcd':
                rows.append(f'o{i},code,{truth[f"o{i}"] if r.random() < .75 else f"v{r.randrange(10**6)}"},{s}\n')
            bad = r.random() < .5
            for s in 'xyz':
                rows.append(f'o{i},code,{wrong if bad else truth[f"o{i}"]},{s}\n')
        facts = self.fuse(HEAD + ''.join(rows))
        right = sum(f['value'] == truth[f['object']] for f in facts) / len(facts)
        self.assertGreater(right, .93)

    def test_the_type_can_be_given(self):
        text = HEAD + 'o,tags,"a, b",x\no,tags,"b, a",y\n'
        self.assertEqual(self.fuse(text, '--type', 'tags=list')[0]['for'], 'x; y')
        self.assert_fails(galena('fuse', self.path('c.csv', text), '--type', 'tags=thing'), 1, 'usage_bad_value')

    def test_bad_files_are_told(self):
        self.assert_fails(galena('fuse', self.path('c.csv', 'object,value,source\n1,2,3\n')), 2, 'fuse_column')
        path = self.path('c.csv', HEAD + ',city,Paris,a\no,city,Paris,a\nx\n')
        done = galena('fuse', path, '--json', '--out', self.path('o.csv'), '--rejects', self.path('r.csv'))
        self.assert_runs(done)
        summary = json.loads(done.stdout)
        self.assertEqual((summary['rows'], summary['bad_rows'], summary['facts']), (3, 2, 1))
        with open(self.path('r.csv'), encoding='utf-8') as f:
            self.assertEqual([x['slug'] for x in csv.DictReader(f)][0], 'fuse_no_object')
        self.assert_fails(galena('fuse', path, '--strict', '--out', self.path('o.csv')), 2, 'rows_failed')

    def test_the_same_bytes_every_time(self):
        r = random.Random(2)
        text = HEAD + ''.join(f'o{r.randrange(50)},a{r.randrange(3)},v{r.randrange(4)},s{r.randrange(5)}\n' for _ in range(800))
        path = self.path('c.csv', text)
        self.assertEqual(galena('fuse', path).stdout, galena('fuse', path).stdout)


if __name__ == '__main__':
    main()
