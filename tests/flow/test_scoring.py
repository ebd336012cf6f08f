"""test_scoring.py — scores do not depend on how the file is written; every row ends in one status, in order."""
import codecs
import gzip
import json
import random

import leads
from program import FlowTest, galena, main

INPUT = leads.COLUMNS[:-1]
OWN = ['galena_score', 'galena_low', 'galena_high', 'galena_tier', 'galena_status']
FAMILIES = ['logistic', 'naive_bayes', 'gbdt', 'auto', 'bayesian']


def results(rows):
    return [[r[c] for c in (*OWN, 'galena_reason_1', 'galena_reason_2', 'galena_reason_3')] for r in rows]


class Scoring(FlowTest):
    def setUp(self):
        super().setUp()
        self.rows = [r[:-1] for r in leads.rows(60, 2)]

    def run_score(self, text, *options, family='logistic', name='new.csv'):
        done = galena('score', self.path(name, text), '--model', leads.model(family), *options)
        self.assert_runs(done)
        return done

    def score(self, text, *options, delimiter=',', **named):
        return leads.read(self.run_score(text, *options, **named).stdout, delimiter)


class Ways(Scoring):
    """The same leads written in other ways get the same scores."""

    def setUp(self):
        super().setUp()
        self.expected = results(self.score(leads.table(self.rows, INPUT)))

    def test_column_order(self):
        order = list(range(len(INPUT)))
        random.Random(1).shuffle(order)
        text = leads.table([[r[c] for c in order] for r in self.rows], [INPUT[c] for c in order])
        self.assertEqual(results(self.score(text)), self.expected)

    def test_more_columns(self):
        text = leads.table([['x', *r, '1e999', ''] for r in self.rows], ['before', *INPUT, 'behind', 'note'])
        scored = self.score(text)
        self.assertEqual(results(scored), self.expected)
        self.assertEqual(list(scored[0])[:len(INPUT) + 3], ['before', *INPUT, 'behind', 'note'])

    def test_with_and_without_the_outcome(self):
        for outcome in ('yes', 'no', ''):
            self.assertEqual(results(self.score(leads.table([[*r, outcome] for r in self.rows], [*INPUT, 'won']))), self.expected)

    def test_delimiters(self):
        for delimiter in (';', '\t', '|'):
            text = leads.table(self.rows, INPUT, delimiter)
            told = ['--delimiter', 'tab' if delimiter == '\t' else delimiter]
            self.assertEqual(results(self.score(text, *told, delimiter=delimiter)), self.expected)
            if delimiter != '|':
                self.assertEqual(results(self.score(text, delimiter=delimiter)), self.expected)

    def test_line_ends_mark_and_packing(self):
        text = leads.table(self.rows, INPUT)
        self.assertEqual(results(self.score(leads.table(self.rows, INPUT, end='\r\n'))), self.expected)
        self.assertEqual(results(self.score(text[:-1])), self.expected)
        scored = self.score(codecs.BOM_UTF8 + text.encode())
        self.assertEqual(results(scored), self.expected)
        self.assertIn('id', scored[0])
        packed = gzip.compress(text.encode())
        self.assertEqual(results(self.score(packed, name='new.csv.gz')), self.expected)
        parts = gzip.compress(text[:500].encode()) + gzip.compress(text[500:].encode())
        self.assertEqual(results(self.score(parts)), self.expected)

    def test_latin1(self):
        rows = [[*r[:5], 'Österreich', r[6]] for r in self.rows]
        expected = self.score(leads.table(rows, INPUT))
        self.assertEqual(self.score(leads.table(rows, INPUT).encode('latin-1'), '--latin1'), expected)

    def test_json_lines(self):
        text = ''.join(json.dumps(dict(zip(INPUT, r)), ensure_ascii=False) + '\n' for r in self.rows)
        self.assertEqual(results(self.score(text, name='new.jsonl')), self.expected)
        numbers = ''.join(json.dumps({k: None if v == '' else float(v) if k in ('visits', 'seconds') else v for k, v in zip(INPUT, r)})
                          + '\n' for r in self.rows)
        self.assertEqual([r[:5] for r in results(self.score(numbers, name='new.jsonl'))], [r[:5] for r in self.expected])

    def test_json_lines_out(self):
        out = self.path('out.jsonl')
        self.run_score(leads.table(self.rows, INPUT), '--out', out)
        with open(out, encoding='utf-8') as f:
            lines = [json.loads(line) for line in f]
        self.assertEqual([repr(r['galena_score']) for r in lines], [repr(float(r[0])) for r in self.expected])
        self.assertEqual([[r[c] for c in INPUT] for r in lines], self.rows)

    def test_pipes(self):
        done = galena('score', '-', '--model', leads.model(), '--out', '-', stdin=leads.table(self.rows, INPUT))
        self.assertEqual(results(leads.read(done.stdout)), self.expected)

    def test_standard_input_packed(self):
        done = galena('score', '-', '--model', leads.model(), stdin=gzip.compress(leads.table(self.rows, INPUT).encode()))
        self.assertEqual(results(leads.read(done.stdout)), self.expected)

    def test_scored_file_scored_again(self):
        once = self.run_score(leads.table(self.rows, INPUT)).stdout
        self.assertEqual(self.run_score(once, name='once.csv').stdout, once)
        fewer = self.score(once, '--reasons', '1', name='once.csv')
        self.assertEqual(list(fewer[0]), [*INPUT, *OWN, 'galena_reason_1'])

    def test_input_is_passed_on_as_it_stands(self):
        odd = [['a,b', 'Ads', '3', '10', '', 'say "hi"', 'two\nlines'], [' x ', 'Ads', ' 3', '010', '2020-01-01', '=1+1', 'ü€😀']]
        scored = self.score(leads.table(odd, INPUT))
        self.assertEqual([[r[c] for c in INPUT] for r in scored], odd)


class Statuses(Scoring):
    def test_each_row_ends_once_and_in_order(self):
        lines, expected = [','.join(INPUT)], []
        draw = random.Random(5)
        for i in range(9000):
            row = list(leads.rows(1, i)[0][:-1])
            kind = draw.choice(['scored'] * 5 + ['failed', 'insufficient_data'])
            row[0] = f'N{i}'
            if kind == 'insufficient_data':
                row = [row[0]] + [''] * (len(INPUT) - 1)
            lines.append(','.join(row) + (',more' if kind == 'failed' else ''))
            expected.append(kind)
        text = '\n'.join(lines) + '\n'
        outputs = [self.run_score(text, '--threads', str(n)).stdout for n in (1, 2, 4, 7)]
        self.assertEqual(len(set(outputs)), 1, 'the result depends on the number of threads')
        rows = leads.read(outputs[0])
        self.assertEqual([r['galena_status'] for r in rows], expected)
        self.assertEqual([r['id'] for r in rows if r['galena_status'] != 'failed'],
                         [f'N{i}' for i in range(9000) if expected[i] != 'failed'])
        for r in rows:
            if r['galena_status'] == 'scored':
                low, score, high = (float(r['galena_' + k]) for k in ('low', 'score', 'high'))
                self.assertTrue(0 <= low <= score <= high <= 1)
                self.assertIn(r['galena_tier'], ('hot', 'warm', 'cold'))
            else:
                self.assertEqual([r[c] for c in OWN[:4]], [''] * 4)
                self.assertNotEqual(r['galena_reason_1'], '')
        summary = galena('score', self.path('new.csv'), '--model', leads.model(), '--json', '--out', self.path('out.csv')).stdout
        summary = json.loads(summary)
        self.assertEqual(summary['rows'], 9000)
        for status in ('scored', 'failed', 'insufficient_data', 'disqualified'):
            self.assertEqual(summary[status], expected.count(status))
        self.assertEqual(sum(summary['tiers'].values()), summary['scored'])

    def test_training_does_not_depend_on_threads(self):
        models = []
        for threads in ('1', '4'):
            path = self.path(f'{threads}.model')
            self.assert_runs(galena('train', '-', '--target', 'won', '--id', 'id', '--out', path, '--threads', threads,
                                    stdin=leads.past(400)))
            document = leads.open_model(path)
            for key in ('created_ms', 'name'):
                document.pop(key)
            models.append(json.dumps(document))
        self.assertEqual(models[0], models[1])

    def test_missing_columns(self):
        """They count as not known, and that is said once."""
        some = leads.table([[r[1], r[2]] for r in self.rows], ['source', 'visits'])
        done = self.run_score(some)
        self.assertRegex(done.stderr, r'warning: .*new\.csv.*(seconds|founded|country|newsletter)')
        rows = leads.read(done.stdout)
        self.assertEqual({r['galena_status'] for r in rows}, {'scored'})
        empty = leads.table([['', r[1], r[2], '', '', '', ''] for r in self.rows], INPUT)
        self.assertEqual([r['galena_score'] for r in rows], [r['galena_score'] for r in self.score(empty)])
        none = galena('score', self.path('none.csv', 'a,b\n1,2\n'), '--model', leads.model())
        self.assert_fails(none, 2, 'encoder_no_column')
        self.assertIn('none.csv', none.stderr)

    def test_unknown_levels_are_scored(self):
        rows = [[r[0], 'Radio', *r[2:]] for r in self.rows]
        self.assertEqual({r['galena_status'] for r in self.score(leads.table(rows, INPUT))}, {'scored'})


class Numbers(Scoring):
    def test_shortest_form(self):
        """Each number is written as Python's repr would: the shortest digits that read back to the same double."""
        for family in FAMILIES:
            for r in self.score(leads.table(self.rows, INPUT), family=family):
                for column in OWN[:3]:
                    self.assertEqual(float(repr(float(r[column]))), float(r[column]))
                    digits = r[column].replace('0.', '', 1).split('e')[0].lstrip('0').replace('.', '')
                    shortest = repr(float(r[column])).replace('0.', '', 1).split('e')[0].lstrip('0').replace('.', '')
                    self.assertEqual(digits.rstrip('0') or '0', shortest.rstrip('0') or '0')

    def test_intervals_nest(self):
        text = leads.table(self.rows, INPUT)
        for family in FAMILIES:
            levels = ['0', '0.1', '0.5', '0.8', '0.95', '0.99', '0.9999']
            scored = [self.score(text, '--interval', level, family=family) for level in levels]
            for rows in zip(*scored):
                points = {r['galena_score'] for r in rows}
                self.assertEqual(len(points), 1, 'the score depends on the interval')
                self.assertEqual((rows[0]['galena_low'], rows[0]['galena_high']), (rows[0]['galena_score'],) * 2)
                for inner, outer in zip(rows, rows[1:]):
                    self.assertLessEqual(float(outer['galena_low']), float(inner['galena_low']))
                    self.assertGreaterEqual(float(outer['galena_high']), float(inner['galena_high']))
                self.assertTrue(float(rows[-1]['galena_low']) >= 0 and float(rows[-1]['galena_high']) <= 1)

    def test_reasons(self):
        text = leads.table(self.rows, INPUT)
        most = self.score(text, '--reasons', '20')
        for n in (0, 1, 3):
            rows = self.score(text, '--reasons', str(n))
            names = [c for c in rows[0] if c.startswith('galena_reason_')]
            self.assertEqual(names, [f'galena_reason_{k}' for k in range(1, n + 1)])
            for few, many in zip(rows, most):
                self.assertEqual([few[c] for c in names], [many[c] for c in names])
                self.assertEqual(few['galena_score'], many['galena_score'])
        self.assertEqual(galena('score', self.path('new.csv'), '--model', leads.model(), '--reasons', '21').returncode, 1)

    def test_explanation_adds_up(self):
        text = leads.table(self.rows, INPUT)
        for family in FAMILIES:
            rows = self.score(text, family=family)
            for i in (1, 7, 60):
                told = json.loads(galena('explain', self.path('new.csv'), '--model', leads.model(family), '--row', str(i), '--json').stdout)
                self.assertAlmostEqual(told['base'] + sum(c['log_odds'] for c in told['contributions']), told['log_odds'], delta=1e-9)
                self.assertEqual(repr(told['score']), repr(float(rows[i - 1]['galena_score'])))
                self.assertEqual((told['low'], told['high']), (float(rows[i - 1]['galena_low']), float(rows[i - 1]['galena_high'])))


if __name__ == '__main__':
    main()
