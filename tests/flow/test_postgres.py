"""test_postgres.py — the pipeline on PostgreSQL when the server, its connections or a worker fail."""
import os
import signal
import time
import unittest

from pipeline import (CuttingProxy, Load, Oracle, Postgres, Process, Receiver, make_model, percentile, say, wait_for)
from program import FlowTest, main


@unittest.skipUnless(Postgres.there(), 'PostgreSQL is not installed')
class OnPostgres(FlowTest):
    def setUp(self):
        super().setUp()
        self.pg = Postgres()
        self.addCleanup(self.pg.stop)
        self.model, self.leads = make_model(self.folder, 300)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)
        self.oracle = Oracle(self.pg, self.receiver)
        self.key = self.path('master.key', os.urandom(32).hex() + '\n')
        os.chmod(self.key, 0o600)
        self.running = []

    def process(self, kind, *more, url=None, log=None):
        listen = ['--listen', '127.0.0.1:0'] if kind == 'serve' else []
        p = Process([kind, '--data', self.path('data'), '--database', url or self.pg.url, '--master-key', self.key, '--model',
                     self.model, '--lease', 1.5, '--poll', 0.1, '--retry-base', 0.05, '--retry-cap', 0.5, '--max-attempts', 60,
                     '--max-crashes', 100, '--allow-address', '127.0.0.1', '--deliver-url', self.receiver.url, *listen, *more],
                    self.folder, log=log or f'{kind}{len(self.running)}.log')
        self.running.append(p)
        self.addCleanup(lambda: p.child and p.child.poll() is None and p.kill())
        return p.start()

    def load(self, serve, **options):
        load = Load(serve, self.leads, **{'pace': 300, 'batch': 5, **options})
        self.addCleanup(load.stop)
        load.resume()
        return load

    def settle(self, load):
        """All comes to its end without help."""
        load.rest()
        load.stop()
        wait_for(lambda: self.oracle.open() == 0, 30, 0.1)
        self.oracle.finish(load.accepted)
        if self.oracle.violations:
            for p in self.running:
                say(p.tail(3000))
            say(self.pg.rows("SELECT status, worker, count(*), min(run_ms), max(attempt), max(fence) FROM delivery GROUP BY 1, 2"))
        self.assertEqual(self.oracle.violations[:5], [])
        self.assertEqual(load.problems[:5], [])
        say(f'{len(load.accepted)} leads, {len(self.receiver.applied)} deliveries, {self.receiver.repeats} repeats, '
            f'{load.refused[503]} times 503, {load.unanswered} without answer')

    def test_server_restarts_in_mid_load(self):
        serve = self.process('serve')
        self.process('worker')
        load = self.load(serve)
        for _ in range(3):
            time.sleep(0.7)
            self.pg.kill()
            time.sleep(0.5)
            self.pg.start()
            before = len(load.accepted)
            self.assertTrue(wait_for(lambda: len(load.accepted) > before + 20), 'leads come in again')
        self.settle(load)

    def test_connections_are_cut(self):
        serve = self.process('serve')
        self.process('worker')
        load = self.load(serve)
        for _ in range(40):
            self.pg.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND "
                         "pid <> pg_backend_pid() AND random() < 0.5")
            time.sleep(0.05)
        self.settle(load)

    def test_answers_to_commit_are_lost(self):
        """The commit was done and nobody was told: nothing may stay leased by a process that lives and does not know of it."""
        door = self.path('door')
        os.mkdir(door)
        proxy = CuttingProxy(self.pg, door, 7)
        self.addCleanup(proxy.stop)
        serve = self.process('serve', '--max-jobs', 40, url=proxy.url)
        load = self.load(serve)
        wait_for(lambda: proxy.cuts >= 60, 20)
        proxy.every = 0
        self.assertGreater(proxy.cuts, 30)
        say(f'{proxy.cuts} answers to COMMIT were lost')
        self.settle(load)

    def test_frozen_worker_commits_nothing(self):
        """A worker sleeps past its lease, others do its work, it wakes and goes on: its commits are refused."""
        serve = self.process('serve', '--workers', 0)
        frozen = self.process('worker')
        load = self.load(serve, pace=600)
        self.assertTrue(wait_for(lambda: self.pg.rows('SELECT 1 FROM score LIMIT 1')))
        held = 0
        for _ in range(20):  # until it sleeps with something in its hands
            frozen.signal(signal.SIGSTOP)
            held = self.pg.rows('SELECT count(*) FROM run WHERE status = 1')[0][0]
            if held > 3:
                break
            frozen.signal(signal.SIGCONT)
            time.sleep(0.05)
        self.assertGreater(held, 0)
        self.oracle.look()
        other = self.process('worker')
        self.assertTrue(wait_for(lambda: self.pg.rows('SELECT count(*) FROM run WHERE status = 1 AND fence > 1')[0][0] > 0 or
                                 not self.oracle.silent(), 20, 0.05))
        load.rest()
        self.assertTrue(wait_for(lambda: self.pg.rows('SELECT count(*) FROM run')[0][0] == 0, 20), 'the other worker did it all')
        self.oracle.look()
        self.oracle.scores()
        frozen.signal(signal.SIGCONT)
        time.sleep(1)
        self.assertTrue(frozen.alive() and other.alive())
        say(f'{held} runs were held by the frozen worker')
        self.settle(load)

    def test_two_processes_are_not_slower_to_accept(self):
        """Workers beside it do not hold up acceptance: its 99th percentile stays under a second on a machine that is busy."""
        serve = self.process('serve')
        for _ in range(2):
            self.process('worker')
        load = self.load(serve, pace=100, batch=1)
        time.sleep(3)
        self.settle(load)
        self.assertLess(percentile(load.latency[None], 0.99), 1.0)


if __name__ == '__main__':
    main()
