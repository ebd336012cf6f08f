"""test_match.py — galena match and galena registry build: small files in full, faults, and known data."""
import csv
import gzip
import json
import os
import random
import unittest

from program import FlowTest, galena, main

SHARED = os.path.join(os.environ.get('GALENA_SHARED', '/nonexistent'), 'data', 'entity-matching')
REGISTRY = 'number,company,before,site,land,town\n' \
           '1,"Zephyrine Robotics, Inc.",Oldname Automata;Older Works,zephyrine.example,Norway,Bergen\n' \
           '2,Blue Harbor Foods LLC,,blueharbor.example,Ireland,Cork\n' \
           '3,Blue Harbor Foods Ltd,,bhf.example,Malta,Valletta\n' \
           '4,Kestrelbank Growth Fund IV,,,,\n' \
           '5,Kestrelbank Growth Fund V,,,,\n'
COLUMNS = ['--registry-id', 'number', '--registry-name', 'company', '--registry-former', 'before', '--registry-domain', 'site',
           '--registry-country', 'land', '--registry-city', 'town']
BUILD = ['--id', 'number', '--name', 'company', '--former', 'before', '--domain', 'site', '--country', 'land', '--city', 'town']
OURS = ['match_id', 'match_name', 'match_confidence', 'match_margin', 'match_status']


def fillers(n=400):
    r = random.Random(7)
    word = lambda: ''.join(r.choice('bdfgklmnprstvz') + r.choice('aeiou') for _ in range(3)).capitalize()  # noqa: E731
    return ''.join(f'f{i},{word()} {word()} {r.choice(["Foods", "Fund", "Robotics", "Group"])},,,,\n' for i in range(n))


def rows_of(path):
    with open(path, newline='', encoding='utf-8') as f:
        return list(csv.DictReader(f))


class Match(FlowTest):
    def setUp(self):
        super().setUp()
        self.registry = self.path('registry.csv', REGISTRY + fillers())

    def link(self, queries, *words, registry=None, columns=COLUMNS):
        out = self.path('out.csv')
        done = galena('match', self.path('q.csv', queries), '--query-column', 'q', '--registry', registry or self.registry,
                      *columns, '--out', out, *words)
        self.assert_runs(done)
        return rows_of(out), done

    def test_small_file(self):
        rows, done = self.link('n,q\n1,Zephyrine Robotics\n2,Oldname Automata Ltd\n3,Blue Harbor Foods\n4,Nobody Knows This\n'
                               '5,"Fund IV, Kestrelbank Growth"\n6,\n', '--json')
        self.assertEqual(list(rows[0]), ['n', 'q'] + OURS)
        self.assertEqual([r['n'] for r in rows], list('123456'))
        self.assertEqual([r['match_id'] for r in rows], ['1', '1', '', '', '4', ''])
        self.assertEqual([r['match_status'] for r in rows], ['matched', 'matched', 'ambiguous', 'none', 'matched', 'none'])
        self.assertEqual(rows[1]['match_name'], 'Zephyrine Robotics, Inc.')
        self.assertEqual(rows[2]['match_name'], 'Blue Harbor Foods LLC')
        self.assertEqual(rows[3]['match_name'], '')
        for r in rows:
            self.assertTrue(0 <= float(r['match_margin']) <= float(r['match_confidence']) <= 1)
        summary = json.loads(done.stdout)
        self.assertEqual([summary[k] for k in ('rows', 'matched', 'ambiguous', 'none')], [6, 3, 1, 2])
        self.assertEqual(summary['organisations'], 405)

    def test_other_columns(self):
        rows, _ = self.link('q,mail,town\nBlue Harbor Foods,jo@bhf.example,\nBlue Harbor Foods,,Cork\n', '--query-domain', 'mail',
                            '--query-city', 'town')
        self.assertEqual([r['match_id'] for r in rows], ['3', '2'])

    def test_index_is_the_same_as_the_file(self):
        queries = 'q\nZephyrine\nBlue Harbor\nKestrelbank Fund V\nOlder Works\n' + ''.join(
            line.split(',')[1][2:] + '\n' for line in fillers(40).splitlines())
        one, _ = self.link(queries)
        index, again = self.path('r.registry'), self.path('again.registry')
        self.assert_runs(galena('registry', 'build', self.registry, *BUILD, '--out', index))
        two, _ = self.link(queries, registry=index, columns=[])
        self.assertEqual(one, two)
        lines = (REGISTRY + fillers()).splitlines()
        mixed = lines[1:]
        random.Random(3).shuffle(mixed)
        packed = self.path('mixed.csv.gz', gzip.compress('\n'.join([lines[0], *mixed]).encode()))
        done = galena('registry', 'build', packed, *BUILD, '--out', again, '--json')
        self.assert_runs(done)
        self.assertEqual(json.loads(done.stdout)['organisations'], 405)
        with open(index, 'rb') as a, open(again, 'rb') as b:
            self.assertEqual(a.read(), b.read())

    def test_streams_and_other_forms(self):
        done = galena('match', '-', '--query-column', 'q', '--registry', self.registry, *COLUMNS,
                      stdin='{"q":"Zephyrine Robotics","x":"a,b"}\n{"x":null,"q":"=Nobody"}\n')
        self.assert_runs(done)
        rows = list(csv.DictReader(done.stdout.splitlines()))
        self.assertEqual([(r['x'], r['match_id']) for r in rows], [('a,b', '1'), ('', '')])
        rows, _ = self.link('q;z\nZephyrine Robotics;1\nx;y;z\n')  # the second row is bad
        self.assertEqual(len(rows), 1)

    def test_pairs(self):
        path = self.path('p.csv', 'one,two,what\nAcme Inc.,ACME Incorporated,Company\nAcme Inc.,Zephyrine,Company\n'
                                  '"Petrov, Ivan",Ivan Petrov,Person\nPetrov Ivan,Maria Lind,person\n,,Person\n')
        out = self.path('out.csv')
        done = galena('match', '--pairs', path, '--a', 'one', '--b', 'two', '--kind-column', 'what', '--out', out, '--json')
        self.assert_runs(done)
        rows = rows_of(out)
        self.assertEqual(list(rows[0]), ['one', 'two', 'what', 'pair_probability', 'pair_match'])
        self.assertEqual([r['pair_match'] for r in rows], ['true', 'false', 'true', 'false', 'false'])
        self.assertEqual(json.loads(done.stdout)['matches'], 2)
        swapped = self.path('swapped.csv')
        self.assert_runs(galena('match', '--pairs', path, '--a', 'two', '--b', 'one', '--kind-column', 'what', '--out', swapped))
        self.assertEqual([r['pair_probability'] for r in rows], [r['pair_probability'] for r in rows_of(swapped)])

    def test_faults(self):
        q = self.path('q.csv', 'q\nZephyrine\n')
        words = ['match', q, '--query-column', 'q', '--registry', self.registry]
        self.assert_fails(galena('match', q), 1, 'usage_missing_option')
        self.assert_fails(galena(*words), 1, 'usage_missing_option')
        self.assert_fails(galena(*words, '--registry-id', 'number', '--registry-name', 'nope'), 2, 'column_missing')
        self.assert_fails(galena('match', q, '--query-column', 'x', '--registry', self.registry, *COLUMNS), 2, 'column_missing')
        self.assert_fails(galena(*words, *COLUMNS, '--out', q), 1, 'usage_same_file')
        self.assert_fails(galena('match', '--pairs', q, '--a', 'q'), 1, 'usage_missing_option')
        self.assert_fails(galena('match', '--pairs', '-', '--a', 'q', '--b', 'q'), 1, 'usage_bad_value')
        old = self.path('old.csv', 'q,match_id\nx,1\n')
        self.assert_fails(galena('match', old, '--query-column', 'q', '--registry', self.registry, *COLUMNS), 2, 'append_column')
        index = self.path('r.registry')
        self.assert_runs(galena('registry', 'build', self.registry, *BUILD, '--out', index))
        with open(index, 'r+b') as f:
            f.seek(-100, 2)
            f.write(b'\xff')
        self.assert_fails(galena('match', q, '--query-column', 'q', '--registry', index), 9, 'registry_checksum')
        self.assertFalse(os.path.exists(self.path('nothing')))

    def test_bad_registry_rows_are_left_out(self):
        rows, done = self.link('q\nZephyrine Robotics\n', registry=self.path('r.csv', REGISTRY + ',No Id,,,,\n9,,,,,\n1,2\n'))
        self.assertEqual(rows[0]['match_id'], '1')
        self.assertEqual(done.stderr.count('warning'), 3)

    # ---- bars ----

    @unittest.skipUnless(os.path.isdir(SHARED), 'no shared data')
    def test_links_of_company_names(self):
        out = self.path('out.csv')
        self.assert_runs(galena('match', os.path.join(SHARED, 'queries_dev.csv'), '--registry', os.path.join(SHARED, 'registry.csv'),
                                '--query-column', 'query_name', '--registry-name', 'name', '--registry-id', 'cik', '--out', out))
        rows = [r for r in rows_of(out) if r['kind'] != 'renamed_no_overlap']
        links = [r for r in rows if r['match_id']]
        right = sum(r['match_id'] == r['gold_cik'] for r in links)
        precision, recall = right / len(links), right / sum(r['gold_cik'] != '' for r in rows)
        self.assertGreaterEqual(precision, 0.95)
        self.assertGreaterEqual(2 * precision * recall / (precision + recall), 0.82)

    @unittest.skipUnless(os.path.isdir(SHARED), 'no shared data')
    def test_former_names_find_renamed_companies(self):
        """Half of the old names are given to the registry as former names, and found; the others are not linked to them."""
        with open(os.path.join(SHARED, 'queries_dev.csv'), newline='', encoding='utf-8') as f:
            renamed = [r for r in csv.DictReader(f) if r['kind'] == 'renamed_no_overlap']
        former = {}
        for r in renamed[::2]:
            former.setdefault(r['gold_cik'], []).append(r['query_name'])
        rows = rows_of(os.path.join(SHARED, 'registry.csv'))
        path, out = self.path('r.csv'), self.path('out.csv')
        with open(path, 'w', newline='', encoding='utf-8') as f:
            w = csv.writer(f)
            w.writerow(['cik', 'name', 'former'])
            w.writerows([r['cik'], r['name'], ';'.join(former.get(r['cik'], []))] for r in rows)
        self.assert_runs(galena('match', os.path.join(SHARED, 'queries_dev.csv'), '--registry', path, '--query-column', 'query_name',
                                '--registry-name', 'name', '--registry-id', 'cik', '--registry-former', 'former', '--out', out))
        known = {r['query_id'] for r in renamed[::2]}
        got = [r for r in rows_of(out) if r['query_id'] in known]
        self.assertGreaterEqual(sum(r['match_id'] == r['gold_cik'] for r in got), 0.95 * len(got))

    @unittest.skipUnless(os.path.isdir(SHARED), 'no shared data')
    def test_pairs_of_names(self):
        out = self.path('out.csv')
        self.assert_runs(galena('match', '--pairs', os.path.join(SHARED, 'name_pairs_dev.csv'), '--a', 'name1', '--b', 'name2',
                                '--kind-column', 'schema', '--out', out))
        for least, kinds in ((0.76, None), (0.83, ('Company', 'Organization', 'LegalEntity'))):
            rows = [r for r in rows_of(out) if not kinds or r['schema'] in kinds]
            hit = sum(r['pair_match'] == 'true' == r['is_match'] for r in rows)
            self.assertGreaterEqual(2 * hit / (sum(r['pair_match'] == 'true' for r in rows) +
                                               sum(r['is_match'] == 'true' for r in rows)), least)


if __name__ == '__main__':
    main()
