"""test_dedupe.py — galena dedupe: a small file in full, the same answer for any threads and order, faults, and known data."""
import collections
import csv
import json
import os
import random
import unittest

from program import FlowTest, galena, main

SHARED = os.path.join(os.environ.get('GALENA_SHARED', '/nonexistent'), 'data', 'lead-dedup')
COLUMNS = ['--column', 'given_name=first', '--column', 'surname=last', '--column', 'email=mail', '--column', 'city=city']
HEAD = 'id,first,last,mail,city\n'
GIVEN = ['Ada', 'Boris', 'Clara', 'Dmitri', 'Elena', 'Fritz', 'Gwen', 'Hamid', 'Ines', 'Jorge', 'Kira', 'Lars']
SURNAME = ['Abbott', 'Bianchi', 'Castro', 'Dubois', 'Eriksen', 'Fontana', 'Garcia', 'Hoffmann', 'Ivanova', 'Jansen']


def leads(people=120):
    """Rows of people, every third of them twice with a slip."""
    r, rows = random.Random(5), []
    for i in range(people):
        first, last = r.choice(GIVEN), r.choice(SURNAME)
        mail = ''.join(r.choices('abcdefghijklmnop', k=9)) + '@mail.example'
        city = r.choice(['Aarhus', 'Bergen', 'Cork', 'Delft', 'Erfurt'])
        rows.append((f'a{i}', first, last, mail, city))
        if i % 3 == 0:
            rows.append((f'b{i}', *[(last, first, mail, ''), (first[:-1], last, mail, city), (first, last, '', city),
                                   (first, last, mail[1:], 'Oslo')][i // 3 % 4]))
    return rows


def text(rows):
    return HEAD + ''.join(','.join(r) + '\n' for r in rows)


def rows_of(path):
    with open(path, newline='') as f:
        return list(csv.DictReader(f))


class Dedupe(FlowTest):
    def run_on(self, rows, *words, name='x'):
        out, clusters = self.path(name + '.pairs'), self.path(name + '.clusters')
        done = galena('dedupe', self.path(name + '.csv', text(rows)), '--id', 'id', *COLUMNS, '--out', out, '--clusters',
                      clusters, *words)
        self.assert_runs(done)
        return rows_of(out), rows_of(clusters), done

    def test_small_file(self):
        pairs, clusters, done = self.run_on(leads(), '--json')
        summary = json.loads(done.stdout)
        self.assertEqual(list(pairs[0]), ['id_a', 'id_b', 'probability'])
        right = [p for p in pairs if p['id_a'][1:] == p['id_b'][1:]]
        self.assertGreaterEqual(len(right), 29)  # of 40; ten have neither mail nor a rare name
        self.assertGreaterEqual(len(right), 0.95 * len(pairs))
        self.assertTrue(all(0.5 <= float(p['probability']) <= 1 for p in pairs))
        of = {c['id']: c['cluster'] for c in clusters}
        self.assertEqual(len(of), 160)
        self.assertTrue(all(of[p['id_a']] == of[p['id_b']] for p in pairs))
        self.assertEqual((summary['rows'], summary['pairs'], summary['clusters']), (160, len(pairs), len(set(of.values()))))
        columns = summary['model']['columns']
        self.assertEqual([c['kind'] for c in columns], ['given_name', 'surname', 'email', 'city'])
        for c in columns:
            self.assertAlmostEqual(sum(x['m'] for x in c['levels']), 1, 6)
            self.assertAlmostEqual(sum(x['u'] for x in c['levels']), 1, 6)

    def test_threads_and_order(self):
        rows = leads()
        one = self.run_on(rows, '--threads', 1)[0]
        self.assertEqual(one, self.run_on(rows, '--threads', 3)[0])
        random.Random(1).shuffle(rows)
        other = self.run_on(rows)[0]
        self.assertEqual({frozenset((p['id_a'], p['id_b'])) for p in one}, {frozenset((p['id_a'], p['id_b'])) for p in other})

    def test_link_is_between_files_only(self):
        rows = leads()
        first = self.path('a.csv', text([r for r in rows if r[0][0] == 'a']))
        second = self.path('b.csv', text([r for r in rows if r[0][0] == 'b']))
        out = self.path('pairs')
        self.assert_runs(galena('dedupe', first, '--link', second, '--id', 'id', *COLUMNS, '--out', out))
        pairs = rows_of(out)
        self.assertGreaterEqual(len(pairs), 25)
        self.assertTrue(all((p['id_a'][0], p['id_b'][0]) == ('a', 'b') for p in pairs))

    def test_threshold(self):
        few, many = self.run_on(leads(), '--threshold', 0.999)[0], self.run_on(leads(), '--threshold', 0.1)[0]
        self.assertLessEqual(len(few), len(many))
        self.assertTrue(all(float(p['probability']) >= 0.999 - 1e-6 for p in few))

    def test_empty_and_broken_files(self):
        pairs, clusters, _ = self.run_on([])
        self.assertEqual((pairs, clusters), ([], []))
        bad = self.path('bad.csv', HEAD + 'a1,Ada,Abbott,x@y.example,Cork\na2,"Ada"x,Abbott\na3,Ada,Abbott,x@y.example,Cork\n')
        done = galena('dedupe', bad, '--id', 'id', *COLUMNS, '--out', self.path('o'), '--json')
        self.assert_runs(done)
        self.assertEqual((json.loads(done.stdout)['rows'], json.loads(done.stdout)['rows_bad']), (2, 1))

    def test_faults(self):
        file, out = self.path('x.csv', text(leads(5))), self.path('o')
        self.assert_fails(galena('dedupe', file, '--id', 'id', '--column', 'email', '--out', out), 1, 'usage_bad_value')
        self.assert_fails(galena('dedupe', file, '--id', 'id', '--column', 'shoe=last', '--out', out), 1, 'usage_bad_value')
        self.assert_fails(galena('dedupe', file, '--id', 'no', '--column', 'surname=last', '--out', out), 2, 'dedupe_no_column')
        self.assert_fails(galena('dedupe', file, '--id', 'id', '--column', 'surname=no', '--out', out), 2, 'dedupe_no_column')
        many = [w for _ in range(25) for w in ('--column', 'surname=last')]
        self.assert_fails(galena('dedupe', file, '--id', 'id', *many, '--out', out), 2, 'dedupe_columns')
        self.assertFalse(os.path.exists(out))

    @unittest.skipUnless(os.path.isdir(SHARED), 'no shared data')
    def test_known_persons(self):
        file, out = os.path.join(SHARED, 'fake1000_dev.csv'), self.path('pairs')
        self.assert_runs(galena('dedupe', file, '--id', 'unique_id', '--column', 'given_name=first_name', '--column',
                                'surname=surname', '--column', 'birth_date=dob', '--column', 'city=city', '--column',
                                'email=email', '--out', out))
        gold = {r['unique_id']: r['cluster'] for r in rows_of(file)}
        sizes = {}
        for c in gold.values():
            sizes[c] = sizes.get(c, 0) + 1
        real, pairs = sum(n * (n - 1) // 2 for n in sizes.values()), rows_of(out)
        right = sum(gold[p['id_a']] == gold[p['id_b']] for p in pairs)
        self.assertGreaterEqual(2 * right / (real + len(pairs)), 0.85)

    def test_namesakes_and_colleagues_are_not_one_person(self):
        """In a market with known truth: people of one name elsewhere, and people of one company, stay apart."""
        self.assert_runs(galena('simulate', '--out', self.path('m'), '--seed', 4))
        self.assert_runs(galena('dedupe', self.path('m/leads.csv'), '--id', 'lead_id', '--column', 'name=name', '--column', 'email=email',
                                '--column', 'company=company', '--column', 'phone=phone', '--out', self.path('pairs.csv')))
        with open(self.path('m/truth.csv'), encoding='utf-8', newline='') as f:
            person = {row['lead_id']: (row['company_id'], row['true_email']) for row in csv.DictReader(f) if row['junk'] == 'no'}
        with open(self.path('pairs.csv'), encoding='utf-8', newline='') as f:
            found = [(row['id_a'], row['id_b']) for row in csv.DictReader(f)]
        found = [(a, b) for a, b in found if a in person and b in person] # the same test entry, often, is a duplicate, too
        right = sum(person[a] == person[b] for a, b in found)
        count = collections.Counter(person.values())
        there = sum(n * (n - 1) // 2 for n in count.values())
        self.assertGreater(right / len(found), 0.9)
        self.assertGreater(right / there, 0.8)


if __name__ == '__main__':
    main()
