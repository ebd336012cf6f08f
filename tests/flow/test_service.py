"""test_service.py — starting, stopping, reloading, copying: what an operator does to a service that works."""
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import unittest

from pipeline import (Client, Load, LookUp, Oracle, Process, Receiver, Redis, Sqlite, has_crash_points, lead_body, make_model,
                      percentile, say, wait_for)
from program import FlowTest, galena, main


OWN_MOUNTS = os.environ.get('GALENA_TEST_MOUNTS') == '1'


class OnSqlite(FlowTest):
    """A service with its own folder; --lease short, retries fast."""

    def setUp(self):
        super().setUp()
        self.model, self.leads = make_model(self.folder, 300)
        self.db = Sqlite(self.folder)
        self.receiver = None

    def serve(self, *more, env=None, deliver=False, start=True):
        words = ['serve', '--data', self.path('data'), '--model', self.model, '--listen', '127.0.0.1:0', '--lease', 6, '--poll', 0.1,
                 '--retry-base', 0.05, '--retry-cap', 0.5, '--max-attempts', 60, '--allow-address', '127.0.0.1', *more]
        if deliver:
            self.receiver = Receiver()
            self.addCleanup(self.receiver.stop)
            words += ['--deliver-url', self.receiver.url]
        p = Process(words, self.folder, env)
        self.addCleanup(lambda: p.child and p.child.poll() is None and p.kill())
        return p.start() if start else p

    def load(self, serve, **options):
        load = Load(serve, self.leads, **{'pace': 300, 'batch': 5, **options})
        self.addCleanup(load.stop)
        load.resume()
        return load

    def settle(self, load, dead=0):
        load.rest()
        load.stop()
        oracle = Oracle(self.db, self.receiver)
        wait_for(lambda: oracle.open() == 0, 40, 0.1)
        oracle.finish(load.accepted, dead)
        if oracle.violations and self.receiver:
            say(self.db.rows('SELECT status, slug, count(*), max(attempt), max(run_ms) FROM delivery GROUP BY 1, 2'))
            say(f'{len(self.receiver.applied)} arrived, the last {time.time() - max(self.receiver.applied.values()):.1f} s ago')
            say(subprocess.run(['tail', '-5', os.path.join(self.folder, 'serve.log')], check=False, capture_output=True, text=True).stdout)
        self.assertEqual(oracle.violations[:5], [])
        self.assertEqual(load.problems[:5], [])
        return oracle


class Stopping(OnSqlite):
    def test_term_drains_and_loses_nothing(self):
        serve = self.serve(deliver=True)
        load = self.load(serve, pace=1000)
        for _ in range(3):
            before = len(load.accepted)
            self.assertTrue(wait_for(lambda: len(load.accepted) > before + 100))
            begin = time.monotonic()
            self.assertEqual(serve.stop(), 0)
            say(f'stopped in {time.monotonic() - begin:.2f} s')
            self.assertEqual(self.db.rows('SELECT count(*) FROM run WHERE status = 1 OR suspect = 1 OR crash > 0'), [(0,)])
            self.assertEqual(self.db.rows('SELECT count(*) FROM worker'), [(0,)])
            self.assertFalse(os.path.exists(os.path.join(self.folder, 'data', 'control.token')))
            serve.start()
        self.settle(load)

    def test_hup_takes_a_new_model_for_new_leads(self):
        """Runs that wait when the model changes keep the one they were accepted under."""
        other = self.path('other')
        os.mkdir(other)
        second, _ = make_model(other, 900)
        link = self.path('now.model')
        os.symlink(self.model, link)
        first, self.model = self.model, link
        lookup = LookUp(delay=1.0)
        self.addCleanup(lookup.stop)
        serve = self.serve('--lookup-url', lookup.url, '--lookup-wait', 30)
        client = Client(serve)
        old = client.call('POST', '/v1/leads', {'leads': [lead_body(self.leads, i, f'old-{i}') for i in range(20)]})[2]['leads']
        os.unlink(link)
        os.symlink(second, link)
        serve.signal(signal.SIGHUP)
        self.assertTrue(wait_for(lambda: '"event":"reloaded"' in serve.tail()))
        new = client.call('POST', '/v1/leads', {'leads': [lead_body(self.leads, i, f'new-{i}') for i in range(20)]})[2]['leads']
        self.assertEqual(self.db.rows('SELECT count(*) FROM score'), [(0,)])
        lookup.delay = 0
        self.assertTrue(wait_for(lambda: self.db.rows('SELECT count(*) FROM score') == [(40,)]))
        pins = dict(self.db.rows('SELECT lead, pins FROM score'))
        before, after = ({json.loads(pins[x['id']])['model'] for x in part} for part in (old, new))
        self.assertEqual((len(before), len(after)), (1, 1))
        self.assertNotEqual(before, after)
        os.unlink(link)
        with open(link, 'wb') as f:
            f.write(b'not a model')
        serve.signal(signal.SIGHUP)
        self.assertTrue(wait_for(lambda: '"event":"reload_failed"' in serve.tail()))
        last = client.call('POST', '/v1/leads', lead_body(self.leads, 1, 'last'))[2]['id']
        self.assertTrue(wait_for(lambda: self.db.rows('SELECT count(*) FROM score') == [(41,)]))
        self.assertEqual(json.loads(self.db.rows(f"SELECT pins FROM score WHERE lead = '{last}'")[0][0])['model'], after.pop())
        self.assertEqual(serve.stop(), 0)
        self.assertTrue(first)

    def test_second_process_is_refused(self):
        serve = self.serve()
        second = galena('serve', '--data', self.path('data'), '--model', self.model, '--listen', '127.0.0.1:0')
        self.assert_fails(second, second.returncode, 'db_in_use')
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(serve.child.pid), second.stderr)
        self.assertEqual(Client(serve).call('POST', '/v1/leads', lead_body(self.leads, 1, 'x'))[0], 202)

    def test_backup_while_it_runs(self):
        serve = self.serve(deliver=True)
        load = self.load(serve)
        wait_for(lambda: len(load.accepted) > 100)
        before = dict(load.accepted)
        for i in range(3):
            self.assert_runs(galena('backup', self.path(f'copy{i}'), '--data', self.path('data')))
        wait_for(lambda: len(load.accepted) > len(before) + 50)
        self.settle(load)
        self.assertEqual(serve.stop(), 0)
        os.mkdir(self.path('elsewhere'))
        os.mkdir(self.path('elsewhere/data'))
        os.link(self.path('data/master.key'), self.path('elsewhere/data/master.key'))
        self.assert_runs(galena('restore', self.path('copy2'), '--data', self.path('elsewhere/data')))
        there = Sqlite(self.path('elsewhere'))
        ids = {x for x, in there.rows('SELECT lead FROM lead')}
        self.assertEqual(set(before.values()) - ids, set())
        copy = Process(['serve', '--data', self.path('elsewhere/data'), '--model', self.model, '--listen', '127.0.0.1:0', '--poll', 0.1],
                       self.path('elsewhere'))
        self.addCleanup(copy.kill)
        copy.start()
        client = Client(copy)
        name, number = next((n, n.rsplit('-', 1)[1]) for _, n in before)
        status, _, answer = client.call('POST', '/v1/leads', {'leads': [lead_body(self.leads, int(number), name)]})
        self.assertEqual(status, 202)
        self.assertEqual(answer['leads'][0], {'id': before[(None, name)], 'verdict': 'duplicate', 'generation': 1})
        self.assertTrue(wait_for(lambda: there.rows('SELECT count(*) FROM run') == [(0,)], 30, 0.1))
        with open(self.path('copy1'), 'r+b') as f:
            f.seek(20000)
            f.write(b'damage')
        self.assertNotEqual(galena('restore', self.path('copy1'), '--data', self.path('third')).returncode, 0)


    def bytes_of_the_place(self):
        """Every byte of every file in the data directory."""
        every = b''
        for name in os.listdir(self.path('data')):
            with open(self.path(f'data/{name}'), 'rb') as f:
                every += f.read()
        return every

    def test_nothing_personal_is_in_the_files(self):
        """Neither while it runs, nor in the log, nor after a stop; and when a lead is erased its key is nowhere any more."""
        serve = self.serve(deliver=True)
        client = Client(serve)
        planted = [f'pl4nted{i:02}x{os.urandom(6).hex()}' for i in range(40)]
        leads = [lead_body(self.leads, i, f'secret-{p}', note=f'call {p} back', **{f'about_{i}': p}) for i, p in enumerate(planted)]
        answer = client.call('POST', '/v1/leads', {'leads': leads})[2]['leads']
        self.assertTrue(wait_for(lambda: self.db.rows('SELECT count(*) FROM delivery WHERE status = 3') == [(40,)]))
        every = self.bytes_of_the_place()
        for p in planted:
            self.assertNotIn(p.encode(), every)
        keys = dict(self.db.rows('SELECT lead, wrapped FROM body'))
        for x in answer:  # the search finds what is there
            self.assertIn(keys[x['id']], every)
        for x in answer[:20]:
            status, _, got = client.call('DELETE', f'/v1/leads/{x["id"]}')
            if status in (404, 405):
                self.assertEqual(serve.stop(), 0)
                self.skipTest(f'this program has no way to erase over HTTP ({got.get("code")})')
            self.assertEqual(status, 200, got)
        for when in ('running', 'stopped'):
            if when == 'stopped':
                self.assertEqual(serve.stop(), 0)
            every = self.bytes_of_the_place()
            for i, x in enumerate(answer):
                self.assertEqual(keys[x['id']] in every, i >= 20, (when, i))
                self.assertNotIn(planted[i].encode(), every)


class Trouble(OnSqlite):
    def test_full_disk(self):
        """Nothing is accepted that cannot be kept; when there is space again, all goes on by itself."""
        data = self.path('data')
        os.mkdir(data)
        if not OWN_MOUNTS or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=6m', 'none', data], check=False).returncode:
            self.skipTest('no file system may be mounted')
        self.addCleanup(subprocess.run, ['umount', '-l', data], check=False)
        serve = self.serve(deliver=True)
        client = Client(serve)
        load = self.load(serve, pace=2000, batch=20)
        self.assertTrue(wait_for(lambda: load.refused[503] > 5), 'it says that it is full')
        say(f'{len(load.accepted)} leads fitted in')
        self.assertTrue(wait_for(lambda: client.call('GET', '/readyz')[0] == 503, 40, 0.2), 'not ready')
        self.assertEqual(client.call('GET', '/healthz')[0], 200)
        before = len(load.accepted)
        subprocess.run(['mount', '-o', 'remount,size=200m', data], check=True)
        self.assertTrue(wait_for(lambda: len(load.accepted) > before + 100), 'it takes leads again')
        self.assertTrue(wait_for(lambda: client.call('GET', '/readyz')[0] == 200, 40, 0.2), 'ready')
        self.settle(load)
        say(f'{len(load.accepted)} leads in all, {load.refused[503]} times 503')
        self.assertEqual(serve.stop(), 0)

    @unittest.skipUnless(has_crash_points(), 'the program has no test clock (meson option crash_points)')
    def test_clock_jumps(self):
        clock = self.path('clock', (0).to_bytes(8, 'little'))
        serve = self.serve('--lookup-wait', 20, env={'GALENA_CLOCK_OFFSET_FILE': clock}, deliver=True)
        load = self.load(serve)

        def jump(ms):
            with open(clock, 'r+b') as f:
                f.write(ms.to_bytes(8, 'little', signed=True))

        for hour in (1, 0, -1, 0, 1, -1, 0):
            before = len(load.accepted)
            jump(hour * 3600 * 1000)
            self.assertTrue(wait_for(lambda: len(load.accepted) > before + 30), f'{hour} hours off')
            time.sleep(1.2)  # longer than it takes to be noticed
        self.settle(load)
        self.assertEqual(Client(serve).call('GET', '/readyz')[0], 200)
        say(f'{len(load.accepted)} leads through seven jumps')

    def test_odd_bodies(self):
        """NUL bytes, a megabyte, deep nesting, broken UTF-8: accepted and ended, or refused; the neighbours are scored."""
        serve = self.serve(deliver=True)
        client = Client(serve)
        good = lead_body(self.leads, 1, 'good')
        nul = lead_body(self.leads, 2, 'nul\0id', note='a\0b', **{'k\0ey': 'v\0'})
        nul['person']['email'] = 'n\0ul@mail.example'
        odd = [nul, lead_body(self.leads, 3, 'mega', note='x' * 1000000), lead_body(self.leads, 4, 'deep', note=eval('[' * 25 + ']' * 25)),
               lead_body(self.leads, 5, 'surrogate\ud800', note='\udfff'), lead_body(self.leads, 6, 'long' * 3000), {}, {'crm_id': None},
               lead_body(self.leads, 7, 'many', **{f'k{i}': i for i in range(5000)}), lead_body(self.leads, 8, 'huge', n=10 ** 400)]
        accepted = 0
        for i, body in enumerate(odd):
            status, _, answer = client.call('POST', '/v1/leads', json.dumps(body).encode())
            say(f'{i}: {status} {answer.get("code", answer.get("verdict"))}')
            self.assertIn(status, (202, 400, 413))
            accepted += status == 202
            status, _, answer = client.call('POST', '/v1/leads', {'leads': [lead_body(self.leads, 9, f'a{i}'), body]})
            self.assertIn(status, (202, 400, 413))
            accepted += 'id' in answer.get('leads', [{}])[0]
            accepted += 'id' in answer.get('leads', [{}, {}])[-1] and answer['leads'][-1]['verdict'] == 'new'
        for raw in (b'{"crm_id":"bad\xff\xfe"}', b'\0', b'{"a":1}\0', b'', b'[' * 100000, b'{"leads":[]}', b'{"leads":{}}', b'null'):
            status = client.call('POST', '/v1/leads', raw)[0]
            self.assertIn(status, (202, 400, 413, 415))
            accepted += status == 202
        self.assertEqual(client.call('POST', '/v1/leads', good)[0], 202)
        accepted += 1
        self.assertTrue(serve.alive())
        self.assertTrue(wait_for(lambda: self.db.rows('SELECT count(*) FROM run WHERE status <> 3') == [(0,)], 30, 0.1),
                        self.db.rows('SELECT lead, status, attempt, slug, reason FROM run'))
        ends = self.db.rows('SELECT (SELECT count(*) FROM score) + (SELECT count(*) FROM run WHERE status = 3)')[0][0]
        self.assertEqual(ends, self.db.rows('SELECT count(*) FROM lead')[0][0])
        say(self.db.rows('SELECT slug, count(*) FROM run GROUP BY 1'))
        self.assertTrue(wait_for(lambda: self.db.rows('SELECT count(*) FROM delivery WHERE status < 3') == [(0,)], 30, 0.1))

    @unittest.skipUnless(has_crash_points(), 'the program has no crash points (meson option crash_points)')
    def test_poison_dies_and_neighbours_live(self):
        serve = self.serve('--max-crashes', 3, env={'GALENA_CRASH_LEAD': 'p0ison'}, start=False, deliver=True)
        serve.start()
        client = Client(serve)
        load = self.load(serve, pace=500)
        wait_for(lambda: len(load.accepted) > 100)
        try:
            client.call('POST', '/v1/leads', lead_body(self.leads, 1, 'bad', note='p0ison'))
        except (OSError, http.client.HTTPException):
            pass  # it strikes before the answer is written
        deaths = 0
        for _ in range(20):
            if not wait_for(lambda: not serve.alive(), 4):
                break
            self.assertEqual(serve.wait(), -signal.SIGABRT)
            deaths += 1
            if not serve.begin().ready():
                self.assertEqual(serve.child.returncode, -signal.SIGABRT)
        load.rest()
        say(f'{deaths} deaths')
        self.assertLessEqual(deaths, 5)
        self.settle(load, dead=1)
        bad = Client(serve).call('POST', '/v1/leads', lead_body(self.leads, 1, 'bad', note='p0ison'))[2]
        self.assertEqual(bad['verdict'], 'duplicate')
        self.assertEqual(self.db.rows('SELECT lead, slug FROM run'), [(bad['id'], 'worker_crash')])

    @unittest.skipUnless(Redis.there(), 'Redis is not installed')
    def test_redis_is_killed(self):
        redis = Redis(self.folder)
        self.addCleanup(redis.kill)
        serve = self.serve('--redis', redis.url, deliver=True)
        done = galena('key', 'create', 'test', '--data', self.path('data'), '--scopes', 'ingest', '--rate', 100000, '--json')
        load = self.load(serve)
        if done.returncode == 0:  # a key with a rate: its bucket is in Redis
            serve.token = json.loads(done.stdout)['token']
        else:
            say(f'no key: {done.stderr}')
        for _ in range(2):
            for step in (redis.kill, redis.start):
                before = len(load.accepted)
                step()
                self.assertTrue(wait_for(lambda: len(load.accepted) > before + 100), step.__name__)
        self.settle(load)
        say(f'p99 {percentile(load.latency[None], 0.99) * 1000:.0f} ms')


def with_own_mounts():
    """Runs this program again where it may mount what nobody else sees."""
    unshare = ['unshare', '-m'] if os.getuid() == 0 else ['unshare', '-Urm']
    if not OWN_MOUNTS and subprocess.run([*unshare, 'true'], check=False, capture_output=True).returncode == 0:
        os.environ['GALENA_TEST_MOUNTS'] = '1'
        os.execvp('unshare', [*unshare, sys.executable, *sys.argv])


if __name__ == '__main__':
    with_own_mounts()
    main()
