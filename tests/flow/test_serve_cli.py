"""The service from the command line: serve, keys, leads in and out, queue, doctor, backup and restore, and a clean stop."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.error
import urllib.request

from program import FlowTest, GALENA, galena, main

# Taken away: to the program it is the setting --source.
SOURCE = pathlib.Path(os.environ.pop('GALENA_SOURCE', '.'))
PROFILE = SOURCE / 'share/profiles/sample.yaml'
LEADS = 'lead_id,email,seniority,industry,employees\n' \
        'A1,Ada@Example.com,Director,Software,120\nA2,not an address,Manager,Retail,20\nA3,,Individual,Education,3\n'


class Serve(FlowTest):
    def setUp(self):
        super().setUp()
        self.data = self.path('data')
        self.leads = self.path('leads.csv', LEADS)

    @contextlib.contextmanager
    def service(self, *words):
        """Runs the service until the block ends, and stops it as a service manager does."""
        command = [GALENA, 'serve', '--data', self.data, '--profile', str(PROFILE), '--listen', '127.0.0.1:0', '--quiet', *words]
        with open(self.path('serve.log'), 'wb') as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self.addCleanup(process.kill)
        line = process.stdout.readline().decode()
        self.assertIn('listening on', line)
        try:
            yield line.split()[-1]
        finally:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)
            process.stdout.close()

    def run_ok(self, *words):
        done = galena(*words, '--data', self.data, timeout=60)
        self.assert_runs(done)
        return done.stdout

    def document(self, *words):
        return json.loads(self.run_ok(*words, '--json'))

    def finish(self):
        """Waits for the imported leads: the queue is asked until nothing is in it."""
        for _ in range(2000):
            if not self.document('queue')['queue']:
                return
        self.fail('the queue does not become empty')

    def test_the_whole_way(self):
        with self.service() as address:
            token = self.run_ok('key', 'create', 'site', '--scopes', 'ingest,read').strip()
            self.assertRegex(token, r'^gk_[\w-]{43}$')
            self.assertRegex(self.run_ok('key', 'list'), r'id .*\n.*gk_.*ingest,read .*site')
            self.assertEqual(self.run_ok('lead', 'import', self.leads, '--id', 'lead_id'),
                             '3 leads accepted, 0 there already, 0 rejected.\n')
            self.assertEqual(self.document('lead', 'import', self.leads, '--id', 'lead_id'),
                             {'accepted': 0, 'duplicates': 3, 'rejected': 0})
            self.finish()
            self.check_leads()
            self.check_api(address, token)
            self.assertIn('Nothing waits.', self.run_ok('queue'))
            self.assertIn('Nothing is wrong.', self.run_ok('doctor'))
            self.assertIn('is whole', self.run_ok('audit', 'verify'))
            self.check_backup()
        self.assertFalse(os.path.exists(os.path.join(self.data, 'control.json')))
        self.assertFalse(os.path.exists(os.path.join(self.data, 'control.token')))

    def check_leads(self):
        lines = self.run_ok('lead', 'list').splitlines()
        self.assertEqual(len(lines), 4)
        at = lines[0].index('received')
        self.assertTrue(all(re.match(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ', line[at:]) for line in lines[1:]), lines)
        self.assertEqual(self.run_ok('lead', 'list', '--email', 'nobody@example.com'), 'No leads.\n')
        found = self.document('lead', 'list', '--email', 'ada@example.com')['leads']
        self.assertEqual(len(found), 1)
        shown = self.run_ok('lead', 'show', found[0]['id'])
        for part in (found[0]['id'], 'History (UTC)', 'As it came', 'Ada@Example.com', 'ingested > pending_enrichment'):
            self.assertIn(part, shown)
        self.assertNotIn('\x1b', shown)
        self.assertEqual(self.document('lead', 'show', found[0]['id'])['fields']['crm_id'], 'A1')

    def check_api(self, address, token):
        request = urllib.request.Request(address + '/v1/leads', json.dumps({'email': 'b@example.org', 'employees': 7}).encode(),
                                         {'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.assertEqual((answer.status, json.load(answer)['verdict']), (202, 'new'))
        request.headers['Authorization'] = 'Bearer gk_' + 43 * 'x'
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        self.assertEqual(refused.exception.code, 401)
        refused.exception.close()

    def check_backup(self):
        copy = self.path('copy.db')
        self.assertIn('checked', self.run_ok('backup', copy))
        self.assert_fails(galena('restore', copy, '--data', self.data, '--replace'), 4, 'db_in_use')
        other = self.path('other')
        self.assert_runs(galena('restore', copy, '--data', other))
        self.assert_fails(galena('lead', 'list', '--data', other), 3, 'vault_master_absent')
        key = os.path.join(self.data, 'master.key')
        listed = galena('lead', 'list', '--data', other, '--master-key', key, '--json')
        listed = json.loads(listed.stdout)['leads']
        self.assertEqual(len(listed), 4)
        self.assertEqual([x['id'] for x in listed], [x['id'] for x in self.document('lead', 'list')['leads']])

    def test_without_a_service(self):
        self.assert_fails(galena('lead', 'list', '--data', self.data), 3, 'place_empty')
        self.assertFalse(os.path.exists(self.data))
        self.run_ok('key', 'create', 'site', '--scopes', 'read')
        self.assert_fails(galena('lead', 'import', self.leads, '--data', self.data), 3, 'nothing_scores')
        self.assertEqual(self.run_ok('lead', 'list'), 'No leads.\n')
        with self.service('--workers', '0'):
            self.assert_fails(galena('serve', '--data', self.data, '--profile', PROFILE, '--listen', '127.0.0.1:0'), 4, 'db_in_use')
        done = galena('lead', 'import', self.leads, '--data', self.data)
        self.assert_runs(done)
        self.assertIn('No service runs', done.stderr)
        with self.service():
            self.finish()
            self.assertNotIn(' open ', self.run_ok('lead', 'list'))

    def test_import_says_what_it_refuses(self):
        with self.service():
            self.assert_fails(galena('lead', 'import', self.leads, '--data', self.data, '--id', 'nr'), 2, 'import_column')
            rows = self.path('many.csv', 'a,b\n' + 30 * 'x\n' + 'y,z\n')
            done = galena('lead', 'import', rows, '--data', self.data)
            self.assert_runs(done)
            self.assertIn('1 lead accepted, 0 there already, 30 rejected.', done.stdout)
            self.assertEqual(done.stderr.count('many.csv:'), 10)
            self.assertIn('and 20 more rows', done.stderr)
            lines = self.path('leads.jsonl', '{"person": {"email": "bob@example.org"}, "custom": {"employees": 12}}\n')
            self.assert_runs(galena('lead', 'import', lines, '--data', self.data))
            self.assertEqual(len(self.document('lead', 'list', '--email', 'bob@example.org')['leads']), 1)
            self.assertEqual(self.document('lead', 'erase', '--email', 'bob@example.org'), {'erased': 1})

    def test_every_metric_is_documented(self):
        with self.service('--open-metrics') as address:
            with urllib.request.urlopen(address + '/metrics', timeout=30) as answer:
                names = re.findall(r'^# TYPE (\w+) ', answer.read().decode(), re.MULTILINE)
        document = (SOURCE / 'docs/operations.md').read_text(encoding='utf-8')
        self.assertGreater(len(names), 30)
        self.assertEqual([], [name for name in names if f'`{name}`' not in document])
        documented = set(re.findall(r'^\| `(galena_\w+)`', document, re.MULTILINE))
        self.assertEqual(set(), documented - set(names))

    def test_the_example_names_every_setting(self):
        settings = set(re.findall(r'^ +--([a-z-]+)', galena('help', 'serve').stdout.split('Options of every')[0], re.MULTILINE))
        named, group = set(), ''
        for line in (SOURCE / 'share/examples/galena.yaml').read_text(encoding='utf-8').splitlines():
            found = re.match(r'^(?:# ?)?(  )?([a-z-]+):(?: \{(.*?)\})?', line)
            if not found or ' ' in found.group(2):
                continue
            if line.rstrip().endswith(':'):
                group = found.group(2) + '-'
            elif found.group(3):
                named |= {f'{found.group(2)}-{part.split(":")[0].strip()}' for part in found.group(3).split(',')}
            else:
                named.add((group if found.group(1) else '') + found.group(2))
        self.assertEqual(settings - {'config'}, named & settings)


if __name__ == '__main__':
    main()
