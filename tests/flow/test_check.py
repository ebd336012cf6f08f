"""test_check.py — galena check tells what a file is and what is wrong with it."""
import gzip
import json
import os

from program import FlowTest, galena, main

PROFILE = os.path.join(os.environ['GALENA_SOURCE'], 'share/profiles/sample.yaml')
ALPHABET = b'a1,"\n\r;{}[]:\0\xff- '


class Check(FlowTest):
    def kind(self, name, text):
        done = galena('check', self.path(name, text), '--json')
        self.assert_runs(done)
        return json.loads(done.stdout)['kind']

    def test_kinds_are_told_by_contents_not_names(self):
        with open(PROFILE, encoding='utf-8') as f:
            self.assertEqual(self.kind('x.csv', f.read()), 'profile')
        self.assertEqual(self.kind('x.yaml', 'a,b\n1,2\n'), 'leads')
        self.assertEqual(self.kind('x', '{"a": 1}\n{"a": 2}\n'), 'leads')
        self.assertEqual(self.kind('x', gzip.compress(b'a,b\n1,2\n')), 'leads')

    def test_good_leads_are_counted(self):
        done = galena('check', self.path('x.csv', 'a,b\n1,"x\ny"\n3,4\n'), '--json')
        self.assertEqual({k: json.loads(done.stdout)[k] for k in ('good', 'rows', 'columns')}, {'good': True, 'rows': 2, 'columns': 2})

    def test_bad_rows_have_their_line(self):
        path = self.path('x.csv', 'a,b\n1,2\n3\n5,6\n7,8,9\n')
        done = galena('check', path)
        self.assert_fails(done, 2, 'check_problems')
        self.assertIn(f'{path}:3: ', done.stdout)
        self.assertIn(f'{path}:5: ', done.stdout)
        found = json.loads(galena('check', path, '--json').stdout)
        self.assertEqual([p['line'] for p in found['problems']], [3, 5])
        self.assertEqual((found['rows'], found['problem_count'], found['good']), (4, 2, False))

    def test_many_problems_are_cut_and_counted(self):
        path = self.path('x.csv', 'a,b\n' + 'x\n' * 100000)
        done = galena('check', path)
        self.assert_fails(done, 2, 'check_problems')
        self.assertIn('100000 problems', done.stderr)
        self.assertIn('and 99950 more', done.stdout)

    def test_profile_problems_have_line_and_column(self):
        with open(PROFILE, encoding='utf-8') as f:
            text = f.read()
        lines = text.split('\n')
        line = next(i for i, x in enumerate(lines, 1) if 'weight: 3' in x)
        path = self.path('p.yaml', text.replace('weight: 3', 'wieght: 3'))
        done = galena('check', path)
        self.assert_fails(done, 2, 'check_problems')
        self.assertIn(f'{path}:{line}:', done.stdout)
        self.assertIn('did you mean "weight"?', done.stdout)

    def test_all_faults_of_a_schema_have_line_and_column(self):
        text = 'version: 1\ntarget: won\nfields:\n  - name: visits\n    tipe: numeric\n  - name: source\n    type: categori\n'
        path = self.path('s.yaml', text)
        done = galena('check', path)
        self.assert_fails(done, 2, 'check_problems')
        self.assertIn(f'{path}:5:5: unknown key `tipe`; did you mean `type`?', done.stdout)
        self.assertIn(f'{path}:7:11: ', done.stdout)
        found = json.loads(galena('check', path, '--json').stdout)
        self.assertEqual([(p['line'], p['column'], p['name']) for p in found['problems']], [(5, 5, 'schema_form'), (7, 11, 'schema_form')])

    def test_a_schema_is_also_checked_for_what_it_means(self):
        twice = self.path('s.yaml', 'version: 1\nfields:\n  - name: a\n  - name: a\n')
        self.assert_fails(galena('check', twice), 2, 'schema_value')
        newer = self.path('n.yaml', 'version: 99\nfields:\n  - name: a\n    hue: 1\n')
        self.assert_fails(galena('check', newer), 2, 'schema_version')
        past = self.path('p.csv', 'size,won\n' + ''.join(f'{i % 7},{i % 2}\n' for i in range(80)))
        own = self.path('own.yaml', galena('schema', past, '--target', 'won').stdout)
        self.assertIn('a feature schema, nothing wrong', galena('check', own).stdout)

    def test_models_are_checked_to_the_byte(self):
        galena('sample', '--rows', 300, '--out', self.folder, '--quiet')
        model = self.path('model')
        self.assert_runs(galena('train', self.path('leads_past.csv'), '--target', 'converted', '--id', 'lead_id', '--family', 'logistic',
                                '--out', model, '--quiet'))
        done = galena('check', model)
        self.assert_runs(done)
        self.assertIn('a model, nothing wrong', done.stdout)
        with open(model, 'rb') as f:
            whole = f.read()
        self.assert_fails(galena('check', self.path('cut', whole[:-1])), 9, 'model_cut')
        altered = bytearray(whole)
        altered[len(altered) // 2] ^= 1
        self.assert_fails(galena('check', self.path('altered', bytes(altered))), 9, 'model_checksum')
        newer = whole.replace(b'galena-model 1 ', b'galena-model 2 ', 1)
        self.assert_fails(galena('check', self.path('newer', newer)), 2, 'model_newer')

    def test_what_cannot_be_read_is_said(self):
        self.assert_fails(galena('check', self.path('none')), 3, 'file_missing')
        self.assert_fails(galena('check', self.folder), 2, 'file_directory')
        self.assert_fails(galena('check', self.path('empty', '')), 2, 'table_empty')
        self.assert_fails(galena('check', '-', stdin='a,b\n'), 1, 'usage_kind')
        self.assert_runs(galena('check', '-', '--kind', 'leads', stdin='a,b\n1,2\n'))
        self.assert_fails(galena('check', self.path('cut.gz', gzip.compress(b'a,b\n' + b'1,2\n' * 9999)[:60])), 2, 'gzip_truncated')

    def test_any_bytes_are_survived(self):
        for seed in range(100):
            state, data = seed * 2654435761 + 1, bytearray()
            for _ in range(seed * 13):
                state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                data.append(ALPHABET[(state >> 40) % len(ALPHABET)])
            for kind in ('leads', 'profile', 'schema'):
                done = galena('check', '-', '--kind', kind, stdin=bytes(data))
                self.assertIn(done.returncode, (0, 2, 3, 6), (kind, bytes(data), done.stderr))


if __name__ == '__main__':
    main()
