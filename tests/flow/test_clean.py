"""test_clean.py — galena clean: a small file in full, what is kept, formats, faults, and known data."""
import csv
import gzip
import json
import os
import unittest

from program import FlowTest, galena, main

SHARED = os.path.join(os.environ.get('GALENA_SHARED', '/nonexistent'), 'data')
HEAD = 'id,mail,phone,country,title,company,name\n'
ROWS = ['1,Ada@Gmial.com,(212) 555-0123,USA,"VP, Sales",ACME WIDGETS G.M.B.H.,"LOVELACE, ADA"\n',
        '2,info@example.com,12345,US,Software Engineer,Example Inc.,bob@example.com\n',
        '3,,,,,,\n',
        '4,not an address,n/a,Atlantis,12,IBM,Jean DUPONT\n']
COLUMNS = ['--column', 'email=mail', '--column', 'phone=phone', '--column', 'country=country', '--column', 'title=title',
           '--column', 'company=company', '--column', 'name=name']


def rows_of(path):
    with open(path, newline='', encoding='utf-8') as f:
        return list(csv.DictReader(f))


class Clean(FlowTest):
    def clean(self, file, *words):
        out = self.path('out.csv')
        done = galena('clean', file, '--out', out, '--json', *words)
        self.assert_runs(done)
        return rows_of(out), json.loads(done.stdout)

    def test_small_file(self):
        rows, summary = self.clean(self.path('x.csv', HEAD + ''.join(ROWS)), *COLUMNS)
        self.assertEqual([r['id'] for r in rows], ['1', '2', '3', '4'])
        a, b, c, d = rows
        self.assertEqual((a['email_clean'], a['email_status'], a['email_rule'], a['email_class'], a['email_suggestion']),
                         ('ada@gmail.com', 'corrected', 'case+provider_typo', 'free', 'ada@gmail.com'))
        self.assertTrue(0.5 <= float(a['email_confidence']) < 1)
        self.assertEqual((a['phone_clean'], a['phone_status']), ('+12125550123', 'corrected'))
        self.assertIn('region_from_country', a['phone_rule'])
        self.assertEqual((a['title_level'], a['title_area'], a['title_soc']), ('VP', 'Sales-Marketing', ''))
        self.assertEqual((a['company_clean'], a['company_form']), ('Acme Widgets GmbH', 'GmbH'))
        self.assertEqual((a['name_clean'], a['name_given'], a['name_family']), ('Ada Lovelace', 'Ada', 'Lovelace'))
        self.assertEqual((b['email_class'], b['email_status'], b['email_rule']), ('role', 'ok', ''))
        self.assertEqual((b['phone_clean'], b['phone_status'], b['phone_rule']), ('', 'invalid', 'not_in_region'))
        self.assertEqual((b['name_status'], b['name_rule']), ('invalid', 'is_email'))
        self.assertEqual({v for k, v in c.items() if k.endswith('_status')}, {'empty'})
        self.assertEqual((d['email_status'], d['email_class'], d['country_status']), ('invalid', 'invalid', 'invalid'))
        self.assertEqual((d['phone_status'], d['phone_rule']), ('empty', 'placeholder'))
        self.assertEqual((d['name_clean'], d['company_clean']), ('Jean Dupont', 'IBM'))
        self.assertEqual((summary['rows'], summary['rows_bad']), (4, 0))
        mail = next(x for x in summary['columns'] if x['kind'] == 'email')
        self.assertEqual((mail['ok'], mail['corrected'], mail['invalid'], mail['empty'], mail['suggestions']), (1, 1, 1, 1, 1))
        self.assertEqual(mail['rules']['provider_typo'], 1)

    def test_what_was_there_stays(self):
        """The columns of the file are in front, byte for byte; ours are behind."""
        text = HEAD.replace(',', ';') + '1;"=A1";+49 30 1; x ;"a ""b""";c;d\n'
        file, out = self.path('x.csv', text), self.path('out.csv')
        self.assert_runs(galena('clean', file, '--column', 'phone=phone', '--out', out))
        with open(out, encoding='utf-8') as f:
            head, row = f.read().splitlines()
        self.assertEqual(head, text.splitlines()[0] + ';phone_clean;phone_status;phone_rule;phone_confidence;phone_type')
        self.assertTrue(row.startswith(text.splitlines()[1] + ';'))

    def test_formats_give_the_same(self):
        plain, _ = self.clean(self.path('x.csv', HEAD + ''.join(ROWS)), *COLUMNS)
        packed = self.path('x.csv.gz')
        with gzip.open(packed, 'wt') as f:
            f.write(HEAD + ''.join(ROWS))
        self.assertEqual(self.clean(packed, *COLUMNS)[0], plain)
        lines = ''.join(json.dumps(dict(r)) + '\n' for r in csv.DictReader((HEAD + ''.join(ROWS)).splitlines()))
        jsonl = self.clean(self.path('x.jsonl', lines), *COLUMNS)[0]
        self.assertEqual([r['email_clean'] for r in jsonl], [r['email_clean'] for r in plain])
        self.assertEqual([r['phone_clean'] for r in jsonl], [r['phone_clean'] for r in plain])

    def test_sure_turns_corrections_into_suggestions(self):
        rows, _ = self.clean(self.path('x.csv', HEAD + ROWS[0]), *COLUMNS, '--sure', 1)
        self.assertEqual((rows[0]['email_clean'], rows[0]['email_suggestion']), ('ada@gmial.com', 'ada@gmail.com'))

    def test_models(self):
        titles = 'title,area,soc\n' + ''.join(f'{w} {x},{a},{s}\n' for w, a, s in
                                              (('Plumbing', 'Technical', '47'), ('Poetry', 'Other', '27'))
                                              for x in ('expert', 'person', 'worker', 'hand', 'fan', 'guide', 'friend', 'aide'))
        file, area, group = self.path('t.csv', titles), self.path('area.model'), self.path('group.model')
        for label, model in (('area', area), ('soc', group)):
            self.assert_runs(galena('text', 'train', file, '--text', 'title', '--label', label, '--out', model))
        rows, _ = self.clean(file, '--column', 'title=title', '--title-area-model', area, '--title-group-model', group)
        self.assertTrue(all(r['title_soc'] == r['soc'] and 0 < float(r['title_soc_confidence']) <= 1 for r in rows))
        wrong = galena('clean', file, '--column', 'title=title', '--title-area-model', group, '--out', self.path('o'))
        self.assert_fails(wrong, 2, 'clean_area_labels')

    def test_faults(self):
        file, out = self.path('x.csv', HEAD + ''.join(ROWS)), self.path('o')
        self.assert_fails(galena('clean', file, '--column', 'email', '--out', out), 1, 'usage_bad_value')
        self.assert_fails(galena('clean', file, '--column', 'shoe=mail', '--out', out), 1, 'usage_bad_value')
        twice = ['--column', 'email=mail', '--column', 'email=name']
        self.assert_fails(galena('clean', file, *twice, '--out', out), 1, 'usage_bad_value')
        self.assert_fails(galena('clean', file, '--column', 'email=no', '--out', out), 2, 'clean_no_column')
        taken = self.path('y.csv', 'mail,email_rule\na@b.com,x\n')
        self.assert_fails(galena('clean', taken, '--column', 'email=mail', '--out', out), 2, 'clean_column_taken')
        self.assertFalse(os.path.exists(out))

    def test_bad_rows_are_left_out(self):
        rows, summary = self.clean(self.path('x.csv', HEAD + ROWS[0] + '9,"a"b,c\n' + ROWS[1]), *COLUMNS)
        self.assertEqual([r['id'] for r in rows], ['1', '2'])
        self.assertEqual(summary['rows_bad'], 1)

    @unittest.skipUnless(os.path.isdir(SHARED), 'no shared data')
    def test_known_mail_domains(self):
        gold = rows_of(os.path.join(SHARED, 'contact-normalisation', 'email_domains_dev.csv'))
        file = self.path('m.csv', 'mail\n' + ''.join(f'ada@{r["domain"]}\n' for r in gold))
        rows, _ = self.clean(file, '--column', 'email=mail')
        typo = [(g, r) for g, r in zip(gold, rows) if g['class'] == 'typo']
        other = [r for g, r in zip(gold, rows) if g['class'] != 'typo']
        right = sum(r['email_clean'] == 'ada@' + g['intended'] for g, r in typo)
        self.assertGreaterEqual(right / len(typo), 200 / 223)
        self.assertLessEqual(sum(bool(r['email_suggestion']) for r in other), 10)

    @unittest.skipUnless(os.path.isdir(SHARED), 'no shared data')
    def test_known_phones(self):
        rows, _ = self.clean(os.path.join(SHARED, 'contact-normalisation', 'phones_dev.csv'), '--column', 'phone=raw',
                             '--column', 'region=default_region')
        self.assertGreaterEqual(sum(r['phone_clean'] == r['e164'] for r in rows) / len(rows), 0.97)

    @unittest.skipUnless(os.path.isdir(SHARED), 'no shared data')
    def test_known_titles(self):
        rows, _ = self.clean(os.path.join(SHARED, 'job-titles', 'titles_dev.csv'), '--column', 'title=title')
        self.assertGreaterEqual(sum(r['title_level'] == r['level'] for r in rows) / len(rows), 0.94)


if __name__ == '__main__':
    main()
