"""test_bad_input.py — files that are wrong: each is refused with its exit code, name and place, or read with a warning."""
import gzip
import json
import os
import re
import subprocess
import unittest

import leads
from program import GALENA, FlowTest, galena, main

MB = 1 << 20
SANITIZED = os.environ.get('GALENA_SANITIZED') == '1'


class BadInput(FlowTest):
    def train(self, text, *options, target='won', name='past.csv'):
        self.model = self.path('new.model')
        return galena('train', self.path(name, text), '--target', target, '--family', 'logistic', '--out', self.model, *options)

    def score(self, text, *options, name='new.csv', family='logistic'):
        return galena('score', self.path(name, text), '--model', leads.model(family), *options)

    def assert_refused(self, done, code, name, *words):
        """Exit code, name, the words in the sentence; one line, and no file left behind."""
        self.assert_fails(done, code, name)
        line = done.stderr.splitlines()[-1]
        self.assertTrue(line.startswith('galena: error['), done.stderr)
        for word in words:
            self.assertIn(word, line)
        left = [f for f in os.listdir(self.folder) if '.tmp' in f or f == 'new.model' or f == 'out.csv']
        self.assertEqual(left, [])


class Files(BadInput):
    """Whole files that are no table of leads. Training and scoring say the same."""

    def both(self, text, code, name, *words, file='leads.csv'):
        self.assert_refused(self.train(text, name=file), code, name, file, *words)
        self.assert_refused(self.score(text, '--out', self.path('out.csv'), name=file), code, name, file, *words)

    def test_empty_file(self):
        self.both('', 2, 'table_empty')
        self.both('\n\n  \n', 2, 'table_empty')
        self.both('\ufeff', 2, 'table_empty')

    def test_header_only(self):
        for text in ('id,won\n', 'id,won', '\ufeffid,won\r\n'):
            self.assert_refused(self.train(text), 2, 'table_no_rows', 'past.csv')
        done = self.score(','.join(leads.COLUMNS) + '\n')
        self.assert_runs(done)
        self.assertEqual(leads.read(done.stdout), [])
        self.assertIn('galena_score', done.stdout)

    def test_missing_file(self):
        done = galena('train', self.path('none.csv'), '--target', 'won', '--out', self.path('m'))
        self.assert_refused(done, 3, 'file_missing', 'none.csv')
        done = galena('score', self.path('none.csv'), '--model', leads.model(), '--out', self.path('out.csv'))
        self.assert_refused(done, 3, 'file_missing', 'none.csv')

    def test_folder_as_file(self):
        self.assert_refused(galena('train', self.folder, '--target', 'won', '--out', self.path('m')), 2, 'file_directory')

    @unittest.skipIf(os.geteuid() == 0, 'root may read everything')
    def test_unreadable_file(self):
        path = self.path('leads.csv', leads.new())
        os.chmod(path, 0)
        self.assert_refused(galena('score', path, '--model', leads.model()), 7, 'file_denied', 'leads.csv')

    def test_duplicate_header(self):
        self.both('id,source,won,source\n1,a,yes,b\n', 2, 'table_column_twice', 'columns 2 and 4', '"source"')

    def test_unnamed_column(self):
        self.both('id,,won\n1,a,yes\n', 2, 'table_column_unnamed', 'column 2')

    def test_spreadsheet(self):
        self.both(b'PK\x03\x04' + bytes(100), 2, 'table_format', file='leads.xlsx')

    def test_json_array(self):
        self.both('[{"a": 1}]', 2, 'table_format', 'one object on each line', file='leads.json')

    def test_utf16(self):
        self.both(leads.past(20).encode('utf-16'), 2, 'csv_utf16')

    def test_truncated_gzip(self):
        packed = gzip.compress(leads.past().encode())
        for cut in (1, len(packed) // 2, len(packed) - 9):
            if cut > 2:
                self.both(packed[:cut], 2, 'gzip_truncated', 'byte', file='leads.csv.gz')

    def test_corrupt_gzip(self):
        packed = bytearray(gzip.compress(leads.past().encode()))
        packed[-6] ^= 1  # the checksum
        self.both(bytes(packed), 2, 'gzip_corrupt', 'byte', file='leads.csv.gz')
        packed = bytearray(gzip.compress(leads.past().encode(), mtime=0))
        for i in range(200, 260):
            packed[i] ^= 0xff
        done = self.train(bytes(packed), name='leads.csv.gz')
        self.assert_refused(done, 2, 'gzip_corrupt', 'leads.csv.gz', 'byte')

    def test_bad_header(self):
        self.both(b'id,so\xffurce,won\n1,a,yes\n', 2, 'table_header', 'line 1')
        self.both(b'id,so\x00urce,won\n1,a,yes\n', 2, 'table_header', 'line 1')

    def test_no_good_row(self):
        self.assert_refused(self.train('id,won\n1\n2,yes,3\n'), 2, 'table_no_good_rows', 'past.csv')


class Commands(BadInput):
    """Every command that reads a file of leads says the same of it."""
    FILES = {
        'leads.csv': ('', 'table_empty'),
        'twice.csv': ('id,source,won,source\n1,a,yes,b\n', 'table_column_twice'),
        'wide.csv': (leads.past(20).encode('utf-16'), 'csv_utf16'),
        'sheet.xlsx': (b'PK\x03\x04' + bytes(100), 'table_format'),
        'header.csv': (b'id,so\xffurce,won\n1,a,yes\n', 'table_header'),
    }

    def test_all_refuse_alike(self):
        model = leads.model()
        for name, (text, slug) in self.FILES.items():
            file = self.path(name, text)
            for words in (('evaluate', file, '--model', model, '--target', 'won'), ('explain', file, '--model', model, '--row', 1),
                          ('schema', file, '--target', 'won'), ('check', file), ('fuse', file, '--out', self.path('out.csv')),
                          ('dedupe', file, '--id', 'id', '--column', 'company=source', '--out', self.path('out.csv')),
                          ('lead', 'import', file, '--data', self.path('data'))):
                with self.subTest(command=words[0], file=name):
                    self.assert_refused(galena(*words), 2, slug, name)

    def test_evaluation_of_one_class(self):
        """Not wrong, but nothing can be said of the ranking: null, not a number."""
        past = self.path('one.csv', leads.table([[*r[:-1], 'yes'] for r in leads.rows(50)]))
        done = galena('evaluate', past, '--model', leads.model(), '--target', 'won', '--json')
        self.assert_runs(done)
        test = json.loads(done.stdout)['metrics']['test']
        self.assertIsNone(test['auc'])
        self.assertEqual(test['positives'], 50)
        self.assertIn('same outcome', galena('evaluate', past, '--model', leads.model(), '--target', 'won').stdout)


class Outcomes(BadInput):
    def test_unknown_target_lists_the_columns(self):
        self.assert_refused(self.train(leads.past(), target='wonn'), 2, 'target_unknown', 'past.csv', '"wonn"', 'won', 'source')

    def test_one_class(self):
        lines = [[*r[:-1], 'yes'] for r in leads.rows(50)]
        self.assert_refused(self.train(leads.table(lines)), 2, 'target_one_class', 'past.csv', '"won"', '"yes"')
        lines = [[*r[:-1], ''] for r in leads.rows(50)]
        self.assert_refused(self.train(leads.table(lines)), 2, 'target_one_class', 'past.csv', 'empty')

    def test_one_class_in_the_training_part(self):
        """Only test rows are positive: nothing can be learnt without looking at them."""
        lines = [[*r[:-1], 'yes' if (i * 2654435761) % 2**32 < 0.3 * 2**32 else 'no'] for i, r in enumerate(leads.rows(60))]
        self.assert_refused(self.train(leads.table(lines)), 2, 'target_one_class', 'training rows')

    def test_a_single_positive(self):
        lines = [[*r[:-1], 'yes' if i == 2 else 'no'] for i, r in enumerate(leads.rows(60))]
        done = self.train(leads.table(lines), '--split', 'none')
        self.assertIn(done.returncode, (0, 2), done.stderr)

    def test_outcome_of_many_values(self):
        self.assert_refused(self.train(leads.past(), target='source'), 2, 'target_positive_needed', '--positive')
        self.assert_refused(self.train(leads.past(), '--positive', 'Radio', target='source'), 2, 'target_positive_absent', '"Radio"')

    def test_excluded_column_that_is_not_there(self):
        self.assert_refused(self.train(leads.past(), '--exclude', 'visit'), 2, 'column_unknown', '"visit"')

    def test_only_the_outcome(self):
        self.assert_refused(self.train(leads.table([[r[-1]] for r in leads.rows(50)], ['won'])), 2, 'train_no_features')

    def test_few_rows(self):
        for n in range(1, 12):
            done = self.train(leads.past(n))
            self.assertIn(done.returncode, (0, 2), done.stderr)


class Rows(BadInput):
    """Rows that cannot be read are left out of training and fail in scoring, with their line."""

    def check(self, line, slug, *words, column=''):
        lines = leads.new(40).encode().splitlines()
        lines.insert(11, line)  # line 12
        rejects, out = self.path('rejects.csv'), self.path('out.csv')
        done = self.score(b'\n'.join(lines) + b'\n', '--rejects', rejects, '--out', out)
        self.assert_runs(done)
        self.assertIn('new.csv: line 12', done.stderr)
        with open(out, encoding='utf-8', newline='') as f:
            rows = leads.read(f.read())
        self.assertEqual([r['galena_status'] for r in rows], ['scored'] * 10 + ['failed'] + ['scored'] * 30)
        self.assertEqual(rows[10]['galena_score'], '')
        self.assertNotEqual(rows[10]['galena_reason_1'], '')
        with open(rejects, encoding='utf-8', newline='') as f:
            rejected = leads.read(f.read())
        self.assertEqual([(r['line'], r['column'], r['slug']) for r in rejected], [('12', column, slug)])
        for word in words:
            self.assertIn(word, rejected[0]['reason'])
            self.assertIn(word, done.stderr)
        strict = self.score(b'\n'.join(lines) + b'\n', '--strict', '--out', out)
        self.assertEqual(strict.returncode, 2)
        self.assertIn('error[rows_failed]', strict.stderr)

    def test_ragged_rows(self):
        self.check(b'L1,Ads,3', 'table_ragged', '3', '7')
        self.check(b'L1,Ads,3,4,2020-01-01,DE,yes,no,9', 'table_ragged', '9', '7')

    def test_invalid_utf8(self):
        self.check(b'L1,Ads,3,4,2020-01-01,D\xff,yes', 'csv_utf8', column='6')

    def test_nul_byte(self):
        self.check(b'L1,Ads,3,4,2020-01-01,D\x00E,yes', 'csv_nul', column='6')

    def test_stray_quote(self):
        self.check(b'L1,Ads,3,4,2020-01-01,"D"E,yes', 'csv_text_after_quote', column='6')

    def test_training_leaves_them_out_and_says_so(self):
        lines = leads.past().encode().splitlines()
        lines[5] = b'L1,Ads'
        rejects = self.path('rejects.csv')
        done = self.train(b'\n'.join(lines) + b'\n', '--rejects', rejects, '--json')
        self.assert_runs(done)
        self.assertIn('past.csv: line 6', done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(document['rows'], 599)
        warning = [w for w in document['warnings'] if w['code'] == 'rows_rejected']
        self.assertEqual(len(warning), 1)
        self.assertIn('line 6', warning[0]['message'])
        with open(rejects, encoding='utf-8', newline='') as f:
            self.assertEqual([r['line'] for r in leads.read(f.read())], ['6'])

    def test_unclosed_quote(self):
        text = leads.new(40).replace('Fair', '"Fair', 1)
        done = self.score(text)
        self.assertIn('line', done.stderr)
        self.assertIn('failed', done.stdout)


class Cells(BadInput):
    """Cells that are not of their column's type count as not known, and are told with line and column."""
    BAD = {'visits': ['1e999', 'many', '0x10', '--3'], 'founded': ['2026-02-30', '2026-13-01', 'soon'], 'seconds': ['1e999']}

    def spoil(self, lines, columns):
        """Puts the bad cells in rows 5, 6, ... Returns [(line, column, cell)]."""
        put, at = [], 5
        for column, cells in self.BAD.items():
            for cell in cells:
                lines[at][columns.index(column)] = cell
                put.append((at + 2, column, cell))
                at += 1
        return put

    def test_scoring_names_each(self):
        lines = [r[:-1] for r in leads.rows(40, 2)]
        put = self.spoil(lines, leads.COLUMNS)
        rejects = self.path('rejects.csv')
        done = self.score(leads.table(lines, leads.COLUMNS[:-1]), '--rejects', rejects)
        self.assert_runs(done)
        self.assertTrue(all(r['galena_status'] == 'scored' for r in leads.read(done.stdout)))
        with open(rejects, encoding='utf-8', newline='') as f:
            rejected = leads.read(f.read())
        self.assertEqual([(int(r['line']), int(r['column'])) for r in rejected], [(a, leads.COLUMNS.index(b) + 1) for a, b, _ in put])
        for r, (_, column, cell) in zip(rejected, put):
            self.assertEqual(r['slug'], 'cell_invalid')
            self.assertIn(column, r['reason'])
            self.assertIn(cell, r['reason'])
        line, column, cell = put[0]
        self.assertIn(f'new.csv: line {line}, column {column}', done.stderr)
        self.assertIn(cell, done.stderr)

    def test_a_bad_cell_counts_as_an_empty_one(self):
        lines = [r[:-1] for r in leads.rows(40, 2)]
        put = self.spoil(lines, leads.COLUMNS)
        spoiled = leads.read(self.score(leads.table(lines, leads.COLUMNS[:-1])).stdout)
        for line, column, _ in put:
            lines[line - 2][leads.COLUMNS.index(column)] = ''
        empty = leads.read(self.score(leads.table(lines, leads.COLUMNS[:-1])).stdout)
        self.assertEqual([r['galena_score'] for r in spoiled], [r['galena_score'] for r in empty])

    def test_json_counts_them(self):
        lines = [r[:-1] for r in leads.rows(40, 2)]
        put = self.spoil(lines, leads.COLUMNS)
        done = self.score(leads.table(lines, leads.COLUMNS[:-1]), '--json', '--out', self.path('out.csv'))
        self.assertEqual(json.loads(done.stdout)['invalid_cells'], len(put))

    def test_many_bad_cells_all_reach_the_rejects_file(self):
        lines = [r[:-1] for r in leads.rows(3000, 2)]
        for r in lines:
            r[2] = 'many'
        rejects = self.path('rejects.csv')
        self.assert_runs(self.score(leads.table(lines, leads.COLUMNS[:-1]), '--rejects', rejects))
        with open(rejects, encoding='utf-8', newline='') as f:
            self.assertEqual([int(r['line']) for r in leads.read(f.read())], list(range(2, 3002)))

    def test_training_names_the_first(self):
        lines = leads.rows(600)
        put = self.spoil(lines, leads.COLUMNS)
        done = self.train(leads.table(lines), '--json', '--split', 'none')
        self.assert_runs(done)
        warnings = {w['field']: w['message'] for w in json.loads(done.stdout)['warnings'] if w['code'] == 'unparsable_values'}
        self.assertEqual(set(warnings), set(self.BAD))
        for column, cells in self.BAD.items():
            line, _, cell = next(p for p in put if p[1] == column)
            self.assertIn(f'line {line}', warnings[column])
            self.assertIn(f'"{cell}"', warnings[column])
            self.assertIn(f'{len(cells)} cell', warnings[column])
        for column in self.BAD:
            self.assertIn(column, done.stderr)

    def test_huge_numbers_do_not_spoil_the_model(self):
        lines = leads.rows(600)
        lines[5][2], lines[6][3], lines[7][2] = '1e300', '-1e300', '99999999999999999999'
        self.assert_runs(self.train(leads.table(lines)))
        done = galena('score', self.path('new.csv', leads.new()), '--model', self.model)
        self.assert_runs(done)
        self.assertTrue(all(0 <= float(r['galena_score']) <= 1 for r in leads.read(done.stdout)))
        for cell in ('1e308', '-1e308', '1e-320', '-0', '9' * 400):
            done = self.score(f'id,source,visits,seconds\n1,Ads,{cell},{cell}\n')
            self.assert_runs(done)
            self.assertTrue(0 <= float(leads.read(done.stdout)[0]['galena_score']) <= 1, cell)


class Sizes(BadInput):
    """Input of any length is read in little memory."""

    def stream(self, pieces, *words, limit_mb=200):
        """Runs the program on a stream of bytes: exit code, what it said, and the greatest memory it had until the last of them."""
        with open(self.path('stdout'), 'wb') as out, open(self.path('stderr'), 'wb') as err:
            process = subprocess.Popen([GALENA, *words], stdin=subprocess.PIPE, stdout=out, stderr=err)

            peak = 0
            try:
                for piece in pieces:
                    process.stdin.write(piece)
                process.stdin.flush()
                with open(f'/proc/{process.pid}/status', encoding='ascii') as f:  # while it waits for more
                    peak = int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1)) * 1024
                process.stdin.close()
            except BrokenPipeError:
                pass
            process.wait()
        if not SANITIZED:
            self.assertLess(peak / MB, limit_mb)
        with open(self.path('stdout'), encoding='utf-8', newline='') as out, open(self.path('stderr'), encoding='utf-8') as err:
            return process.returncode, out.read(), err.read(), peak

    def long_line(self, mb, quote=b''):
        lines = leads.new(30).encode().splitlines(keepends=True)
        yield b''.join(lines[:11])
        yield b'L1,' + quote
        for _ in range(mb):
            yield b'x' * MB
        yield quote + b'\n'
        yield b''.join(lines[11:])

    def check_long(self, mb, quote=b''):
        code, out, err, _ = self.stream(self.long_line(mb, quote), 'score', '-', '--model', leads.model())
        self.assertEqual(code, 0, err)
        self.assertIn('line 12', err)
        self.assertEqual([r['galena_status'] for r in leads.read(out)], ['scored'] * 10 + ['failed'] + ['scored'] * 20)

    def test_a_line_of_300_mb(self):
        self.check_long(300)

    @unittest.skipIf(SANITIZED, 'slow there, and as good as the line of 300 MB')
    def test_a_line_of_2_gb(self):
        self.check_long(2100)

    def test_a_cell_of_100_mb(self):
        self.check_long(100, quote=b'"')

    def test_training_with_a_cell_of_100_mb(self):
        """The row is left out and told; the model is that of the others."""
        lines = leads.past().encode().splitlines(keepends=True)
        pieces = [b''.join(lines[:11]), b'L1,"', *[b'x' * MB] * 100, b'"\n', b''.join(lines[11:])]
        models = self.path('long.model'), self.path('short.model')
        words = ('train', '-', '--target', 'won', '--family', 'logistic', '--split', 'none', '--json', '--out')
        code, out, err, _ = self.stream(pieces, *words, models[0])
        self.assertEqual(code, 0, err)
        self.assertIn('line 12', err)
        document = json.loads(out)
        self.assertEqual(document['rows'], 600)
        self.assertIn('rows_rejected', [w['code'] for w in document['warnings']])
        self.assertEqual(self.stream(lines, *words, models[1])[0], 0)
        scores = [leads.read(galena('score', self.path('new.csv', leads.new()), '--model', m).stdout) for m in models]
        self.assertEqual(*scores)

    def test_a_header_of_100_mb(self):
        code, _, err, _ = self.stream((b'x' * MB for _ in range(100)), 'score', '-', '--model', leads.model())
        self.assertEqual(code, 2, err)
        self.assertIn('error[table_header]', err)

    def test_json_line_of_100_mb(self):
        pieces = [b'{"id":1,"source":"Ads"}\n', b'{"id":"', *[b'x' * MB] * 100, b'"}\n', b'{"id":2,"source":"Ads"}\n']
        code, out, err, _ = self.stream(pieces, 'score', '-', '--model', leads.model())
        self.assertEqual(code, 0, err)
        self.assertEqual([r['galena_status'] for r in leads.read(out)], ['scored', 'failed', 'scored'])

    def test_gzip_bomb(self):
        bomb = gzip.compress(b'id,source\n' + b'x' * (200 * MB))
        code, _, err, _ = self.stream([bomb], 'score', '-', '--model', leads.model())
        self.assertEqual(code, 0, err)
        self.assertIn('line 2', err)

    def test_many_columns(self):
        names = ','.join(f'c{i}' for i in range(200_000))
        code, _, err, _ = self.stream([names.encode() + b'\n'], 'score', '-', '--model', leads.model())
        self.assertEqual(code, 2, err)
        self.assertRegex(err, r'error\[table_(column_limit|header)\]')

    def test_memory_does_not_grow_with_rows(self):
        block = ''.join(','.join(r[:-1]) + '\n' for r in leads.rows(3000, 2)).encode()
        head = (','.join(leads.COLUMNS[:-1]) + '\n').encode()
        words = ['score', '-', '--model', leads.model(), '--out', '/dev/null']
        peak = [self.stream([head, *[block] * times], *words)[3] for times in (10, 60)]
        if not SANITIZED:
            self.assertLess(abs(peak[1] - peak[0]), 0.2 * peak[0])


class Documents(BadInput):
    """Profiles and schemas."""

    def test_unknown_key_of_a_profile(self):
        text = 'format: 1\nname: x\nbase_rate: 0.2\nfirmographics:\n  - field: country\n    values: [DE]\nfirmografics:\n  a: 1\n'
        done = galena('score', self.path('new.csv', leads.new()), '--profile', self.path('icp.yaml', text))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, r'icp\.yaml, line \d, column \d+: .*firmografics.*did you mean')
        self.assertIn('firmographics', done.stderr)

    def test_profile_that_is_no_yaml(self):
        for text in ('name: [', '\x00\x01', '"', '', '- 1\n- 2\n', 'a: &a [*a]\n'):
            done = galena('score', self.path('new.csv', leads.new()), '--profile', self.path('icp.yaml', text))
            self.assertEqual(done.returncode, 2, (text, done.stderr))
            self.assertIn('icp.yaml', done.stderr)

    def test_unknown_key_of_a_schema(self):
        schema = self.path('leads.yaml', galena('schema', self.path('p.csv', leads.past()), '--target', 'won').stdout)
        with open(schema, encoding='utf-8') as f:
            text = f.read()
        bad = text.replace('type:', 'tipe:', 1)
        line = bad[:bad.index('tipe:')].count('\n') + 1
        done = self.train(leads.past(), '--schema', self.path('bad.yaml', bad))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, rf'bad\.yaml\D+{line}\b')
        self.assertIn('tipe', done.stderr)
        self.assertIn('did you mean', done.stderr)

    def test_schema_with_impossible_values(self):
        for text in ('fields:\n  - name: visits\n    type: numbr\n', 'fields: 3\n', 'version: 99\nfields: []\n',
                     'fields:\n  - name: visits\n  - name: visits\n'):
            done = self.train(leads.past(), '--schema', self.path('bad.yaml', text))
            self.assertEqual(done.returncode, 2, (text, done.stderr))
            self.assertIn('bad.yaml', done.stderr)


class Json(BadInput):
    def test_every_failure_is_one_object(self):
        calls = {
            ('train', self.path('empty.csv', ''), '--target', 'won', '--out', self.path('m')): (2, 'table_empty'),
            ('train', self.path('one.csv', 'a,won\n1,yes\n'), '--target', 'won', '--out', self.path('m')): (2, 'target_one_class'),
            ('score', self.path('new.csv', leads.new()), '--model', self.path('none')): (3, 'file_missing'),
            ('evaluate', self.path('past.csv', leads.past()), '--model', leads.model(), '--target', 'x'): (2, 'target_unknown'),
            ('explain', self.path('past.csv', leads.past()), '--model', leads.model(), '--row', '9999'): (3, 'lead_absent'),
        }
        for words, (code, name) in calls.items():
            done = galena(*words, '--json')
            self.assertEqual(done.returncode, code, done.stderr)
            text = done.stdout or done.stderr.splitlines()[-1]
            error = json.loads(text)['error']
            self.assertEqual((error['name'], error['exit_code']), (name, code))
            self.assertTrue(error['message'])


if __name__ == '__main__':
    main()
