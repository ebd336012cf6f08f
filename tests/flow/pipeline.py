"""pipeline.py — what the tests of the durable pipeline share: servers that are started and killed, a load of leads, the other
side of call-backs and look-ups, private databases, and the oracle that reads them."""
import collections
import csv
import glob
import hashlib
import http.client
import http.server
import itertools
import json
import os
import pwd
import random
import re
import select
import shutil
import signal
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from program import GALENA, galena

SLOW = float(os.environ.get('GALENA_TEST_SLOW', '1'))


def wait_for(what, limit=30, step=0.02):
    """Waits until what() is true; its value, or the last one when the time is over."""
    end = time.monotonic() + limit * SLOW
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


def spawn(argv, **kw):
    """A child that ends with this program, also when this program is killed."""
    return subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', *map(str, argv)], **kw)


def has_crash_points():
    with open(GALENA, 'rb') as f:
        return b'GALENA_CRASH_LEAD' in f.read()


# ---- the service ----

class Process:
    """galena serve or galena worker. Its address is in .api once it is ready."""

    def __init__(self, argv, folder, env=None, log='serve.log'):
        self.argv, self.folder, self.env, self.log = argv, folder, env or {}, os.path.join(folder, log)
        self.child = self.api = self.token = None
        self.starts = 0

    def begin(self, crash=None, env=None):
        """Starts it without waiting. crash: 'name:N'."""
        extra = {**self.env, **(env or {})}
        if crash:
            extra['GALENA_CRASH'] = crash
        self.api, self.starts = None, self.starts + 1
        with open(self.log, 'ab') as err:
            self.child = spawn([GALENA, *self.argv], stdout=subprocess.PIPE, stderr=err, env={**os.environ, **extra})
        return self

    def ready(self, limit=60):
        """Waits until it is ready; False when it ended before that."""
        line = b''
        end = time.monotonic() + limit * SLOW
        while not line.endswith(b'\n') and time.monotonic() < end:
            if select.select([self.child.stdout], [], [], 0.2)[0]:
                part = os.read(self.child.stdout.fileno(), 1000)
                if not part:
                    self.child.wait()
                    return False
                line += part
        if b'listening on ' in line:
            try:
                with open(os.path.join(self.folder, 'data', 'control.token'), encoding='utf-8') as f:
                    self.token = f.read().strip()
            except FileNotFoundError:  # it ended since
                return False
            self.api = line.decode().rsplit(' ', 1)[1].strip()
        return line.endswith(b'\n')

    def start(self, crash=None, env=None):
        self.begin(crash, env)
        if not self.ready() and not crash:
            raise AssertionError(f'{self.argv[0]} did not start: {self.tail()}')
        return self

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        if self.alive():
            os.kill(self.child.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self, limit=60):
        """A clean stop; its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait(limit)

    def wait(self, limit=60):
        if self.child is None:
            return 0
        try:
            code = self.child.wait(limit * SLOW)
        finally:
            if self.child.returncode is not None and self.child.stdout:
                self.child.stdout.close()
        return code

    def tail(self, n=2000):
        with open(self.log, 'rb') as f:
            return f.read()[-n:].decode(errors='replace')

    def status(self, name):
        with open(f'/proc/{self.child.pid}/status', encoding='ascii') as f:
            return int(re.search(rf'^{name}:\s+(\d+)', f.read(), re.M).group(1))

    def rss_kib(self):
        return self.status('VmRSS')

    def files(self):
        return len(os.listdir(f'/proc/{self.child.pid}/fd'))

    def cpu_s(self):
        with open(f'/proc/{self.child.pid}/stat', encoding='ascii') as f:
            part = f.read().rsplit(')', 1)[1].split()
        return (int(part[11]) + int(part[12])) / os.sysconf('SC_CLK_TCK')


class Client:
    """One connection that is kept and made anew when it breaks. Not for two threads at once."""

    def __init__(self, process, token=None, tenant=None, timeout=30):
        self.process, self.token, self.tenant, self.timeout = process, token, tenant, timeout * SLOW
        self.link = self.at = None

    def call(self, method, path, body=None, headers=None):
        """Status, headers and parsed body. Raises OSError or HTTPException when there is no answer."""
        api = self.process.api
        if api is None:
            raise ConnectionError('not running')
        if self.link is None or self.at != api:
            self.close()
            self.link = http.client.HTTPConnection(api.split('//')[1], timeout=self.timeout)
            self.at = api
        send = {'Authorization': f'Bearer {self.token or self.process.token}', **(headers or {})}
        if self.tenant:
            send['Galena-Tenant'] = self.tenant
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            send.setdefault('Content-Type', 'application/json')
        try:
            self.link.request(method, path, body, send)
            answer = self.link.getresponse()
            data = answer.read()
        except Exception:
            self.close()
            raise
        if answer.will_close:
            self.close()
        kind = answer.headers.get('Content-Type', '')
        return answer.status, answer.headers, json.loads(data) if 'json' in kind and data else data.decode(errors='replace')

    def close(self):
        if self.link:
            self.link.close()
        self.link = None

    def metrics(self):
        """All series by name with labels."""
        status, _, text = self.call('GET', '/metrics')
        assert status == 200, text
        return {k: float(v) for k, v in (line.rsplit(' ', 1) for line in text.splitlines() if line and line[0] != '#')}


# ---- leads ----

def make_model(folder, rows=600):
    """A model trained on sample leads, and the rows of new leads."""
    path = os.path.join(folder, 'leads.model')
    done = galena('sample', '--out', folder, '--rows', rows)
    assert done.returncode == 0, done.stderr
    done = galena('train', os.path.join(folder, 'leads_past.csv'), '--target', 'converted', '--id', 'lead_id', '--family', 'logistic',
                  '--out', path)
    assert done.returncode == 0, done.stderr
    with open(os.path.join(folder, 'leads_new.csv'), encoding='utf-8', newline='') as f:
        leads = list(csv.DictReader(f))
    return path, leads


def lead_body(leads, number, name, **more):
    row = {k: v for k, v in leads[number % len(leads)].items() if k not in ('lead_id', 'created') and v}
    return {'crm_id': name, 'person': {'email': f'{name}@mail.example'}, 'custom': row, **more}


class Load:
    """Threads that send leads as long as they are let, across restarts of the service. What was answered with 202 is kept; what
    got no answer is sent again with the same identifier, as a careful client does."""

    def __init__(self, process, leads, threads=3, batch=20, pause=0.0, tenants=(None,), prefix='', pace=0):
        self.process, self.leads, self.batch, self.pause, self.tenants = process, leads, batch, pause, tenants
        self.pace = pace  # leads a second in all; 0: as fast as they are taken
        self.prefix = prefix or f'{random.randrange(1 << 32):08x}'
        self.lock, self.random = threading.Lock(), random.Random(3)
        self.accepted = {}  # (tenant, crm_id): lead id
        self.problems = []
        self.refused = collections.Counter()
        self.unanswered = 0
        self.number = itertools.count()
        self.go, self.end = threading.Event(), threading.Event()
        self.idle = threading.Semaphore(0)
        self.latency = collections.defaultdict(list)
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(threads)]
        for t in self.threads:
            t.start()

    def note(self, tenant, batch, answer):
        with self.lock:
            for lead, got in zip(batch, answer['leads']):
                key = (tenant, lead['crm_id'])
                if 'id' not in got:
                    self.problems.append(f'lead {key} was refused: {got}')
                elif self.accepted.setdefault(key, got['id']) != got['id']:
                    self.problems.append(f'lead {key} has two identifiers: {self.accepted[key]} and {got["id"]}')

    def run(self, index):
        tenant = self.tenants[index % len(self.tenants)]
        client = Client(self.process, tenant=tenant, timeout=20)
        again = None
        while not self.end.is_set():
            if not self.go.wait(0.1):
                continue
            batch = again or [lead_body(self.leads, n, f'{self.prefix}-{n}') for n in
                              (next(self.number) for _ in range(self.batch))]
            again = batch
            begin = time.monotonic()
            try:
                status, headers, answer = client.call('POST', '/v1/leads', {'leads': batch})
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                time.sleep(0.02)
                continue
            if status == 202:
                self.note(tenant, batch, answer)
                self.latency[tenant].append(time.monotonic() - begin)
                again = None
            elif status in (429, 503):
                self.refused[status] += 1
                if 'Retry-After' not in headers:
                    self.problems.append(f'{status} without Retry-After')
                time.sleep(0.05)
            else:
                self.problems.append(f'answer {status}: {answer}')
                time.sleep(0.05)
            time.sleep(self.pause + (self.batch * len(self.threads) / self.pace * self.random.uniform(0.5, 1.5) if self.pace else 0))
        client.close()

    def resume(self):
        self.go.set()

    def rest(self):
        self.go.clear()

    def stop(self):
        self.end.set()
        for t in self.threads:
            t.join(60 * SLOW)


# ---- the other side ----

class Web(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # the other side was killed


class Peer:
    """A server of ours on loopback. answer(handler, body) answers each request."""

    def __init__(self, port=0):
        peer = self
        self.lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            disable_nagle_algorithm = True

            def log_message(self, *args):
                pass

            def do_POST(self):
                peer.answer(self, self.rfile.read(int(self.headers.get('Content-Length', 0))))

            do_GET = do_POST

        self.server = Web(('127.0.0.1', port), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.1}, daemon=True)
        self.thread.start()

    @staticmethod
    def send(handler, status, body=b'', **fields):
        handler.send_response(status)
        for name, value in fields.items():
            handler.send_header(name.replace('_', '-'), value)
        handler.send_header('Content-Length', str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    @staticmethod
    def hang_up(handler):
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Receiver(Peer):
    """Takes call-backs: applies each key once, remembers what it was told. trouble: share of requests that go wrong."""

    def __init__(self, trouble=0.0):
        self.applied, self.repeats, self.bodies, self.problems = {}, 0, {}, []
        self.newest = {}
        self.trouble, self.random = trouble, random.Random(1)
        self.seen = threading.Condition()
        super().__init__()

    def apply(self, key, body):
        digest = hashlib.sha256(body).digest()
        with self.seen:
            if key in self.applied:
                self.repeats += 1
                if self.bodies[key] != digest:
                    self.problems.append(f'the body of {key} changed')
                return
            told = json.loads(body)
            self.applied[key] = time.time()
            self.bodies[key] = digest
            if told['idempotency_key'] != key or f'{told["tenant"]}:{told["lead"]}:{told["generation"]}:callback' != key:
                self.problems.append(f'{key} does not fit its body')
            self.seen.notify_all()

    def answer(self, handler, body):
        if handler.command == 'GET':
            self.send(handler, 200 if handler.path.rsplit('key=', 1)[-1] in self.applied else 404)
            return
        key = handler.headers['Idempotency-Key']
        luck = self.random.random() / self.trouble if self.trouble else 1
        if luck < 0.3:
            self.send(handler, 500)
        elif luck < 0.4:
            self.send(handler, 503, Retry_After='1')
        elif luck < 0.6:
            self.hang_up(handler)
        else:
            self.apply(key, body)
            if luck < 1:
                self.hang_up(handler)  # it was applied, and nobody knows
            else:
                self.send(handler, 204)


class LookUp(Peer):
    """Answers questions about leads."""

    def __init__(self, trouble=0.0, delay=0.0, fields=None):
        self.asked = collections.Counter()
        self.trouble, self.delay, self.random = trouble, delay, random.Random(2)
        self.fields = fields or {'employees': '501-1000'}
        super().__init__()

    def answer(self, handler, body):
        with self.lock:
            self.asked[handler.headers['Idempotency-Key']] += 1
            luck = self.random.random() / self.trouble if self.trouble else 1
        if self.delay:
            time.sleep(self.delay)
        if luck < 0.3:
            self.send(handler, 500)
        elif luck < 0.5:
            self.send(handler, 200, b'not JSON', Content_Type='application/json')
        elif luck < 0.7:
            self.send(handler, 404)
        elif luck < 1:
            self.hang_up(handler)
        else:
            self.send(handler, 200, json.dumps({'fields': self.fields, 'price_micro': 1000}).encode(), Content_Type='application/json')


# ---- databases ----

class Sqlite:
    """Looks at the file as a reader that never touches the log."""

    def __init__(self, folder):
        self.path = os.path.join(folder, 'data', 'galena.db')

    def rows(self, sql):
        link = sqlite3.connect(f'file:{self.path}?mode=ro', uri=True, timeout=10)
        try:
            return link.execute(sql).fetchall()
        finally:
            link.close()

    def write(self, sql):
        """Only while no service runs."""
        link = sqlite3.connect(self.path, timeout=10)
        try:
            link.executescript(sql)
            link.commit()
        finally:
            link.close()


class Postgres:
    """A private server, run by a user without rights. None of it is left behind."""

    def __init__(self):
        programs = sorted(glob.glob('/usr/lib/postgresql/*/bin/postgres'))
        self.bin = os.path.dirname(programs[-1])
        self.folder = tempfile.mkdtemp(prefix='galena-pg-')
        self.data = os.path.join(self.folder, 'data')
        self.who = {}
        if os.getuid() == 0:
            user = pwd.getpwnam('postgres')
            self.who = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.url = f'postgresql:///postgres?host={self.folder}&user=postgres'
        self.child = None
        subprocess.run([f'{self.bin}/initdb', '-D', self.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8',
                        '--no-sync'], check=True, capture_output=True, cwd='/', **self.who)
        self.start()

    @staticmethod
    def there():
        return bool(glob.glob('/usr/lib/postgresql/*/bin/postgres'))

    def start(self):
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            self.child = subprocess.Popen(
                [f'{self.bin}/postgres', '-D', self.data, '-c', 'listen_addresses=', '-c', 'max_connections=60', '-c',
                 'shared_buffers=64MB', '-k', self.folder], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd='/', **self.who)
        ready = [f'{self.bin}/pg_isready', '-q', '-d', self.url]
        if not wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, 60, 0.05):
            raise AssertionError('PostgreSQL does not start')

    def kill(self):
        """As a power failure would, but for the disk's cache."""
        self.child.send_signal(signal.SIGQUIT)
        self.child.wait()

    def rows(self, sql):
        done = subprocess.run([f'{self.bin}/psql', '-X', '-q', '-A', '-t', '-F', '\x1f', '-P', 'null=', '-v', 'ON_ERROR_STOP=1', '-d',
                               self.url, '-c', sql], check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return [tuple(int(v) if re.fullmatch(r'-?\d{1,18}', v) else v or None for v in line.split('\x1f'))
                for line in done.stdout.splitlines() if line]

    write = rows

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class CuttingProxy:
    """Stands before a Postgres and hangs up on some COMMITs after the server has done them, before the client learns of it."""

    def __init__(self, pg, folder, every=0):
        self.every, self.count, self.cuts, self.lock = every, 0, 0, threading.Lock()
        self.target = os.path.join(pg.folder, '.s.PGSQL.5432')
        self.url = f'postgresql:///postgres?host={folder}&user=postgres'
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(os.path.join(folder, '.s.PGSQL.5432'))
        self.door.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def falls(self, data):
        if b'COMMIT' not in data or not self.every:
            return False
        with self.lock:
            self.count += 1
            return self.count % self.every == 0

    def carry(self, client):
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.target)
            while True:
                for end in select.select([client, server], [], [])[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    falls = end is client and self.falls(data)
                    (server if end is client else client).sendall(data)
                    if falls:
                        self.cuts += 1
                        server.recv(1 << 16)  # it is done
                        return
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def stop(self):
        self.door.close()


class Redis:
    def __init__(self, folder):
        self.folder, self.socket = folder, os.path.join(folder, 'redis.sock')
        self.url = f'redis+unix://{self.socket}'
        self.child = None
        self.start()

    @staticmethod
    def there():
        return shutil.which('redis-server') is not None

    def start(self):
        self.child = spawn(['redis-server', '--port', '0', '--unixsocket', self.socket, '--save', '', '--appendonly', 'no', '--dir',
                            self.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_for(lambda: os.path.exists(self.socket) and self.answers()):
            raise AssertionError('Redis does not start')

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
                s.sendall(b'PING\r\n')
                return s.recv(10).startswith(b'+PONG')
        except OSError:
            return False

    def kill(self):
        self.child.kill()
        self.child.wait()
        if os.path.exists(self.socket):
            os.unlink(self.socket)


# ---- the oracle ----

READY, LEASED, WAITING, DEAD = range(4)
DELIVERY_DONE, DELIVERY_DEAD, DELIVERY_SUPERSEDED = 3, 4, 5


class Oracle:
    """What must hold at every moment, and what must hold at the end. Remembers what it saw: fences only grow, a score that was
    there stays as it was. Violations are sentences."""

    def __init__(self, db, receiver=None):
        self.db, self.receiver = db, receiver
        self.fence = {}  # (tenant, lead, gen): the highest seen
        self.delivery_fence = {}
        self.score = {}
        self.violations = []
        self.looks = 0

    def say(self, text):
        self.violations.append(text)

    def grow(self, seen, key, fence, what):
        if fence < seen.get(key, 0):
            self.say(f'the fence of {what} {key} fell from {seen[key]} to {fence}')
        seen[key] = fence

    def look(self):
        """At any moment, also while the service runs: each query sees one moment."""
        self.looks += 1
        for tenant, lead, gen, n_run, n_score in self.db.rows(
                'SELECT l.tenant, l.lead, l.gen, (SELECT count(*) FROM run r WHERE r.tenant = l.tenant AND r.lead = l.lead), '
                '(SELECT count(*) FROM score s WHERE s.tenant = l.tenant AND s.lead = l.lead AND s.gen = l.gen) FROM lead l '
                'WHERE (SELECT count(*) FROM run r WHERE r.tenant = l.tenant AND r.lead = l.lead) '
                '+ (SELECT count(*) FROM score s WHERE s.tenant = l.tenant AND s.lead = l.lead AND s.gen = l.gen) <> 1'):
            self.say(f'lead {tenant}/{lead} of generation {gen} has {n_run} runs and {n_score} ends')
        for tenant, lead, gen, fence in self.db.rows('SELECT tenant, lead, gen, fence FROM run'):
            self.grow(self.fence, (tenant, lead, gen), fence, 'run')
        for tenant, lead, gen, target, fence in self.db.rows('SELECT tenant, lead, gen, target, fence FROM delivery WHERE status < 3'):
            self.grow(self.delivery_fence, (tenant, lead, gen, target), fence, 'delivery')
        for what, sql in (
                ('a run without its lead', 'SELECT r.tenant, r.lead FROM run r LEFT JOIN lead l ON l.tenant = r.tenant AND '
                                           'l.lead = r.lead WHERE l.lead IS NULL OR l.gen <> r.gen'),
                ('a lead without its body', 'SELECT l.tenant, l.lead FROM lead l LEFT JOIN body b ON b.tenant = l.tenant AND '
                                            'b.lead = l.lead WHERE b.lead IS NULL'),
                ('a delivery without its score', 'SELECT d.tenant, d.lead FROM delivery d LEFT JOIN score s ON s.tenant = d.tenant '
                                                 'AND s.lead = d.lead AND s.gen = d.gen WHERE s.lead IS NULL'),
                ('a lease without a holder', 'SELECT tenant, lead FROM run WHERE (status = 1) <> (worker IS NOT NULL)')):
            for row in self.db.rows(sql):
                self.say(f'{what}: {row}')

    def scores(self):
        """Scores never change; the one that is there has a fence no lower than any seen on its run."""
        for tenant, lead, gen, at, fence, p in self.db.rows('SELECT tenant, lead, gen, scored_ms, fence, probability FROM score'):
            key, value = (tenant, lead, gen), (at, fence, p)
            if self.score.setdefault(key, value) != value:
                self.say(f'the score of {key} changed from {self.score[key]} to {value}')
            if fence < self.fence.pop(key, 0):
                self.say(f'the score of {key} was written under the old fence {fence}')

    def silent(self):
        """Leases whose worker is gone or over its time."""
        return self.db.rows("SELECT r.tenant, r.lead, r.worker FROM run r LEFT JOIN worker w ON w.worker = r.worker "
                            f"WHERE r.status = 1 AND (w.worker IS NULL OR w.until_ms < {int(time.time() * 1000)})")

    def open(self):
        """What is not at its end."""
        (run,), = self.db.rows('SELECT count(*) FROM run WHERE status <> 3')
        (delivery,), = self.db.rows('SELECT count(*) FROM delivery WHERE status < 3')
        return run + (delivery if self.receiver else 0)

    def finish(self, accepted, dead=0):
        """When all has come to rest: everything accepted is scored, all that was promised was delivered once."""
        self.look()
        self.scores()
        there = {(t, l) for t, l in self.db.rows('SELECT tenant, lead FROM lead')}
        for (tenant, name), lead in accepted.items():
            if (tenant or 'default', lead) not in there:
                self.say(f'lead {lead} ({name}) was answered with 202 and is not there')
        for row in self.db.rows('SELECT tenant, lead, gen, status, worker FROM run WHERE status <> 3'):
            self.say(f'a run did not end: {row}')
        (n,), = self.db.rows('SELECT count(*) FROM run WHERE status = 3')
        if n != dead:
            self.say(f'{n} dead runs, not {dead}: {self.db.rows("SELECT lead, slug, reason FROM run WHERE status = 3 LIMIT 3")}')
        for row in self.db.rows('SELECT tenant, lead, gen, outcome FROM score WHERE outcome <> 1'):
            self.say(f'a lead was not scored: {row}')
        if self.receiver:
            self.deliveries()
        return self

    def deliveries(self):
        promised = {f'{t}:{l}:{g}:{x}': s for t, l, g, x, s in self.db.rows('SELECT tenant, lead, gen, target, status FROM delivery')}
        scored = {f'{t}:{l}:{g}:callback' for t, l, g in self.db.rows('SELECT tenant, lead, gen FROM score WHERE outcome = 1')}
        for key in scored - promised.keys():
            self.say(f'{key} was not promised')
        for key, status in promised.items():
            if status not in (DELIVERY_DONE, DELIVERY_SUPERSEDED):
                self.say(f'delivery {key} ended as {status}')
            if status == DELIVERY_DONE and key not in self.receiver.applied:
                self.say(f'delivery {key} is done and did not arrive')
        for key in self.receiver.applied.keys() - promised.keys():
            self.say(f'{key} arrived and was never promised')
        self.violations += self.receiver.problems


def say(text):
    """A remark in TAP."""
    for line in str(text).splitlines():
        print('#', line, flush=True)


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))] if values else float('nan')


def spread(argv):
    """KILLS=100 and the like, from the environment."""
    return int(os.environ.get(argv, '0'))


__all__ = [name for name in dir() if not name.startswith('_')] + ['sys']
