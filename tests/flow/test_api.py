"""test_api.py — the built program as a service: keys, leads under a trained model, streams, a stop in the middle."""
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import subprocess
import time

from program import GALENA, FlowTest, galena, main


class Service:
    """galena serve as a process of its own."""

    def __init__(self, *words, cwd):
        self.process = subprocess.Popen([GALENA, 'serve', '--listen', '127.0.0.1:0', *map(str, words)], cwd=cwd,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.address = self.process.stdout.readline().decode().strip().rpartition('http://')[2]

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


class ApiTest(FlowTest):

    def setUp(self):
        super().setUp()
        self.assert_runs(galena('sample', '--rows', 400, '--out', self.folder, '--quiet'))
        self.model = self.path('m.model')
        self.assert_runs(galena('train', self.path('leads_past.csv'), '--target', 'converted', '--id', 'lead_id', '--family', 'logistic',
                                '--out', self.model, '--quiet'))
        self.data = self.path('data')
        with open(self.path('secret'), 'w', encoding='ascii') as f:
            f.write('a secret of sixteen and more\n')
        self.service = self.start()

    def start(self):
        service = Service('--data', self.data, '--model', self.model, '--hook-secret', self.path('secret'), cwd=self.folder)
        self.addCleanup(service.stop, signal.SIGKILL)
        return service

    def key(self, *words):
        done = galena('key', 'create', 'test', '--data', self.data, '--json', *words)
        self.assert_runs(done)
        return json.loads(done.stdout)['token']

    def ask(self, method, target, key=None, body=None, headers=None):
        connection = http.client.HTTPConnection(self.service.address, timeout=60)
        fields = dict(headers or {})
        if key:
            fields['Authorization'] = 'Bearer ' + key
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            fields['Content-Type'] = 'application/json'
        connection.request(method, target, body, fields)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        kind = answer.headers.get('Content-Type', '')
        return answer.status, json.loads(text) if text and 'json' in kind else text, answer.headers

    def wait_scored(self, key, lead):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            _, body, _ = self.ask('GET', f'/v1/leads/{lead}', key)
            if body['run'] is None:
                return body
            time.sleep(0.01)
        self.fail(f'{lead} did not end')

    def lead(self, number=0):
        return {'lead_id': f'L{number}', 'person': {'email': f'p{number}@example.com'},
                'custom': {'employees': 100 + number % 400, 'industry': 'Software', 'country': 'Germany', 'seniority': 'vp'}}

    def test_a_lead_goes_through(self):
        key = self.key('--scopes', 'ingest,read,write')
        status, body, headers = self.ask('POST', '/v1/leads', key, self.lead())
        self.assertEqual(status, 202)
        self.assertIn('X-Request-Id', headers)
        view = self.wait_scored(key, body['id'])
        self.assertEqual(view['outcome'], 'scored')
        self.assertTrue(view['low'] <= view['score'] <= view['high'])
        self.assertEqual(len(view['scores'][0]['reasons']), 3)
        with open(self.model, 'rb') as f:
            self.assertEqual(view['scores'][0]['model'], hashlib.sha256(f.read()).hexdigest())
        self.assertEqual(set(view['scores'][0]['timing']), {'validate', 'enrich', 'vectorise', 'score', 'explain', 'route'})
        self.assertEqual(self.ask('POST', f'/v1/leads/{body["id"]}/rescore', key)[0], 202)
        again = self.wait_scored(key, body['id'])
        self.assertEqual(again['generation'], 2)
        self.assertEqual(again['score'], view['score'])

    def test_a_thousand_leads_and_their_events(self):
        key = self.key('--scopes', 'ingest,read')
        listener = http.client.HTTPConnection(self.service.address, timeout=60)
        listener.request('GET', '/v1/events', headers={'Authorization': 'Bearer ' + key})
        stream = listener.getresponse()
        self.assertEqual(stream.status, 200)
        status, body, _ = self.ask('POST', '/v1/leads', key, {'leads': [self.lead(i) for i in range(1000)]})
        self.assertEqual((status, body['accepted'], body['rejected']), (202, 1000, 0))
        missing = {x['id'] for x in body['leads']}
        self.assertEqual(len(missing), 1000)
        while missing:
            line = stream.readline().decode()
            self.assertTrue(line)
            if line.startswith('data: '):
                missing.discard(json.loads(line[6:])['id'])
        listener.close()
        status, page, _ = self.ask('GET', '/v1/leads?outcome=scored&limit=500', key)
        self.assertEqual((status, len(page['leads'])), (200, 500))
        metrics = self.ask('GET', '/metrics', key)[1].decode()
        self.assertIsNotNone(re.search(r'^galena_http_requests_total\{class="2xx"\} \d+$', metrics, re.MULTILINE))
        self.assertIsNotNone(re.search(r'^galena_store_commits_total \d+$', metrics, re.MULTILINE))

    def test_keys_of_the_command_line(self):
        self.assertEqual(self.ask('GET', '/v1/leads')[0], 401)
        key = self.key('--scopes', 'read', '--rate', '0.01', '--burst', '2')
        self.assertEqual([self.ask('GET', '/v1/leads', key)[0] for _ in range(2)], [200, 200])
        status, body, headers = self.ask('GET', '/v1/leads', key)
        self.assertEqual((status, body['code']), (429, 'rate_limited'))
        self.assertGreater(int(headers['Retry-After']), 0)
        self.assertEqual(self.ask('POST', '/v1/leads', self.key('--scopes', 'read'), self.lead())[0], 403)
        other = self.key('--scopes', 'read')
        self.assertEqual(self.ask('GET', '/v1/leads', other)[0], 200)
        listed = json.loads(galena('key', 'list', '--data', self.data, '--json').stdout)['keys']
        name = next(x['id'] for x in listed if other.startswith(x['hint']))
        self.assert_runs(galena('key', 'revoke', name, '--data', self.data))
        self.assertEqual(self.ask('GET', '/v1/leads', other)[0], 401)

    def test_a_signed_hook(self):
        body = json.dumps(self.lead(7))
        now = int(time.time())
        mac = hmac.new(b'a secret of sixteen and more', f'{now}.{body}'.encode(), hashlib.sha256).hexdigest()
        status, first, _ = self.ask('POST', '/hooks/generic', None, body, {'Galena-Signature': f't={now},v1={mac}'})
        self.assertEqual(status, 202)
        status, again, headers = self.ask('POST', '/hooks/generic', None, body, {'Galena-Signature': f't={now},v1={mac}'})
        self.assertEqual((status, again['id'], headers['Idempotent-Replayed']), (202, first['id'], 'true'))
        status, problem, _ = self.ask('POST', '/hooks/generic', None, body + ' ', {'Galena-Signature': f't={now},v1={mac}'})
        self.assertEqual((status, problem['code']), (403, 'signature_wrong'))

    def test_what_was_accepted_outlives_a_stop_and_a_kill(self):
        key = self.key('--scopes', 'ingest,read')
        accepted = {}

        def post(i):
            try:
                status, body, _ = self.ask('POST', '/v1/leads', key, {'leads': [self.lead(i * 5 + k) for k in range(5)]})
            except (OSError, http.client.HTTPException):
                return
            if status == 202:
                accepted.update((x['id'], True) for x in body['leads'])

        for number in (signal.SIGKILL, signal.SIGTERM):
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                jobs = [pool.submit(post, i + 100 * int(number)) for i in range(30)]
                jobs[6].result()
                code = self.service.stop(number)
                concurrent.futures.wait(jobs)
            self.assertEqual(code, 0 if number == signal.SIGTERM else -number)
            self.service = self.start()
        self.assertGreater(len(accepted), 0)
        for lead in list(accepted):
            self.assertEqual(self.wait_scored(key, lead)['outcome'], 'scored')
        self.assertEqual(json.loads(galena('lead', 'list', '--data', self.data, '--run', 'leased', '--json').stdout)['leads'], [])

    def test_nothing_personal_is_logged(self):
        log = self.path('log')
        self.service.stop()
        self.service = Service('--data', self.data, '--model', self.model, '--log', log, '--log-level', 'debug', cwd=self.folder)
        self.addCleanup(self.service.stop, signal.SIGKILL)
        key = self.key('--scopes', 'ingest,read,write')
        self.ask('POST', '/v1/leads', key, {'person': {'email': 'needle@example.com'}, 'custom': {'employees': 'needle'}})
        self.ask('POST', '/v1/leads', key, {'person': {'email': 'needle at nowhere'}})
        self.ask('GET', '/v1/leads?email=needle@example.com', key)
        self.ask('GET', '/v1/needle', key)
        self.ask('POST', '/v1/erase', key, {'email': 'needle@example.com'})
        self.service.stop()
        with open(log, encoding='utf-8') as f:
            text = f.read()
        self.assertIn('"event":"stopped"', text)
        self.assertNotIn('needle', text)
        self.assertNotIn(key, text)


if __name__ == '__main__':
    os.environ.setdefault('GALENA', GALENA)
    main()
