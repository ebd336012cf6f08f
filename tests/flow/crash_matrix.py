"""crash_matrix.py — kill -9 at every named place and at random, under load, and the oracle after it: crash_matrix.py [KILLS].

Rounds with a fresh database each. In a round the service dies again and again, at a place that is drawn from the list or at a
random moment; a load of leads goes on all the time, call-backs and look-ups fail now and then. At the end of a round all must
come to rest by itself, and the oracle looks at every row. Alone, this program is the long campaign of `make check-crash`."""
import os
import random
import shutil
import signal
import tempfile
import time

from pipeline import (SLOW, Load, LookUp, Oracle, Postgres, Process, Receiver, Sqlite, make_model, say, wait_for)

# Places and how many passages there may be before the end. What is passed once at each start stands with 1.
PLACES = {
    'accept_leads': 40, 'accept_durable': 40, 'accept_queued': 40, 'computed': 30, 'writer_before_commit': 60,
    'writer_after_commit': 60, 'command_done': 300, 'finish_ended': 40, 'finish_written': 40, 'claim_recovered': 8,
    'runs_recovered': 1, 'runs_claimed': 4, 'park_written': 20, 'asks_claimed': 8, 'answer_received': 60, 'answer_written': 20,
    'exchange_committed': 120, 'deliveries_claimed': 8, 'delivery_sent': 100, 'delivery_written': 20, 'heartbeat': 2}
SQLITE_PLACES = {'checkpoint': 1, 'after_checkpoint': 1, 'open_checkpoint': 2, 'workers_dropped': 1}
STOP_PLACES = {'runs_released': 1, 'writer_before_commit': 10, 'checkpoint': 1, 'delivery_written': 3}


class Round:
    """One database, one load, many deaths."""

    def __init__(self, folder, model, leads, rng, pg=None):
        self.folder, self.rng, self.pg = folder, rng, pg
        trouble = rng.choice([0.0, 0.2])
        self.receiver = Receiver(trouble)
        self.lookup = LookUp(trouble, delay=rng.choice([0.0, 0.02])) if rng.random() < 0.6 else None
        more = ['--model', model, '--lease', 1 if pg else 6, '--poll', 0.1, '--retry-base', 0.05, '--retry-cap', 0.5, '--max-attempts', 60,
                '--max-crashes', 100, '--allow-address', '127.0.0.1', '--deliver-url', self.receiver.url + '/take']
        if rng.random() < 0.5:
            more += ['--deliver-status-url', self.receiver.url + '/status']
        if self.lookup:
            more += ['--lookup-url', self.lookup.url, '--lookup-wait', 20]
        place = ['--data', os.path.join(folder, 'data')]
        if pg:
            key = os.path.join(folder, 'master.key')
            with open(key, 'w', encoding='ascii') as f:
                f.write(rng.randbytes(32).hex() + '\n')
            os.chmod(key, 0o600)
            place += ['--database', pg.url, '--master-key', key]
        serve = Process(['serve', *place, '--listen', '127.0.0.1:0', '--workers', rng.choice([1, 2]), *more,
                         *(['--max-jobs', rng.choice([60, 10000])])], folder)
        self.serve = serve
        self.all = [serve]
        if pg:
            self.all += [Process(['worker', *place, '--workers', 1, '--max-jobs', 200, *more], folder, log=f'worker{i}.log')
                         for i in range(3)]
        self.db = pg or Sqlite(folder)
        self.oracle = Oracle(self.db, self.receiver)
        self.load = Load(serve, leads, threads=3, batch=rng.choice([1, 10, 50]), pace=rng.choice([100, 300]))
        self.kills = {}

    def note(self, place):
        self.kills[place] = self.kills.get(place, 0) + 1

    def revive(self, process, crash=None):
        """Starts it, perhaps to die on the way."""
        process.begin(crash)
        if not process.ready() and process.child.returncode != -signal.SIGKILL:
            self.oracle.say(f'{process.argv[0]} did not start: {process.tail(600)}')
            return False
        return True

    def die(self, process):
        """One death of one process, which runs at the beginning and at the end, if only for a moment."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.3:  # at a random moment, also while it starts
            time.sleep(rng.random() * rng.choice([0.05, 0.3, 0.6]))
            process.kill()
            self.note('random')
            if rng.random() < 0.3:
                process.begin()
                time.sleep(rng.random() * 0.15)
                process.kill()
                self.note('random while starting')
            return self.revive(process)
        if kind < 0.38:  # a stop that is cut off
            place = rng.choice(list(STOP_PLACES))
            crash = f'{place}:{rng.randint(1, STOP_PLACES[place])}'
            process.kill()
            if not self.revive(process, crash):
                return False
            time.sleep(rng.random() * 0.1)
            process.signal(signal.SIGTERM)
            self.end(process, 'stop ' + place)
            return self.revive(process)
        places = PLACES if self.pg else {**PLACES, **SQLITE_PLACES}
        place = rng.choice(list(places))
        process.kill()
        if not self.revive(process, f'{place}:{rng.randint(1, places[place])}'):
            return False
        if 'checkpoint' in place:  # the log is moved when it is quiet
            self.load.rest()
        wait_for(lambda: not process.alive(), 2.5)
        self.load.resume()
        self.end(process, place)
        return self.revive(process)

    def end(self, process, place):
        code = process.wait(30) if not process.alive() else None
        if code is None:
            wait_for(lambda: not process.alive(), 0.01)
            process.kill()
            self.note('not reached: ' + place)
        elif code == -signal.SIGKILL:
            self.note(place)
        elif code != 0:
            self.oracle.say(f'{process.argv[0]} ended with {code} at {place}: {process.tail(600)}')

    def run(self, kills):
        for p in self.all:
            p.start()
        self.load.resume()
        done = 0
        while done < kills and not self.oracle.violations:
            victim = self.rng.choice(self.all)
            if not self.die(victim):
                continue
            done += 1
            if done % 10 == 0:
                self.oracle.look()
        self.settle()
        return self

    def settle(self):
        """Nobody dies any more: all must come to its end by itself."""
        self.load.rest()
        for p in self.all:
            if not p.alive():
                self.revive(p)
        self.load.end.set()
        for t in self.load.threads:
            t.join(30)
        self.receiver.trouble = 0
        if self.lookup:
            self.lookup.trouble = 0
        rest, moved = None, time.monotonic()
        while rest != 0 and time.monotonic() - moved < 30 * SLOW:
            now = self.oracle.open()
            if now != rest:
                rest, moved = now, time.monotonic()
            time.sleep(0.2)
        silent = self.oracle.silent()
        if silent:
            self.oracle.say(f'leased past the lease: {silent[:3]}')
        self.oracle.finish(self.load.accepted)
        self.oracle.violations += self.load.problems
        if self.lookup:
            asked = {f'{t}:{l}:{g}:{n}' for t, l, g, n in self.db.rows('SELECT tenant, lead, gen, name FROM ask')}
            for key in self.lookup.asked.keys() - asked:
                self.oracle.say(f'{key} was asked and never journalled')
        for p in self.all:
            if p.stop() != 0:
                self.oracle.say(f'{p.argv[0]} did not stop cleanly: {p.tail(600)}')
        self.receiver.stop()
        if self.lookup:
            self.lookup.stop()


class Campaign:
    """Rounds until there were enough kills."""

    def __init__(self, seed):
        self.seed, self.rng = seed, random.Random(seed)
        self.kills, self.leads, self.repeats, self.violations, self.rounds, self.delivered = {}, 0, 0, [], 0, 0
        self.home = tempfile.mkdtemp(prefix='galena-crash-')
        self.model, self.rows = make_model(self.home)

    def round(self, kills, on_postgres):
        folder = tempfile.mkdtemp(prefix='round-', dir=self.home)
        pg = Postgres() if on_postgres else None
        try:
            r = Round(folder, self.model, self.rows, self.rng, pg)
            r.run(kills)
        finally:
            if pg:
                pg.stop()
        for place, n in r.kills.items():
            self.kills[place] = self.kills.get(place, 0) + n
        self.rounds += 1
        self.leads += len(r.load.accepted)
        self.repeats += r.receiver.repeats
        self.delivered += len(r.receiver.applied)
        self.violations += r.oracle.violations
        if r.oracle.violations:
            say(f'round {self.rounds} with seed {self.seed}: the data is in {folder}')
        else:
            shutil.rmtree(folder, ignore_errors=True)
        return r

    def total(self):
        return sum(n for place, n in self.kills.items() if not place.startswith('not reached'))

    def report(self):
        say(f'{self.total()} kills in {self.rounds} rounds, {self.leads} leads accepted, {self.delivered} deliveries applied, '
            f'{self.repeats} repeats under the same key, {len(self.violations)} violations')
        for place, n in sorted(self.kills.items()):
            say(f'{n:6} {place}')
        for v in self.violations[:20]:
            say('VIOLATION ' + v)

    def close(self):
        if not self.violations:
            shutil.rmtree(self.home, ignore_errors=True)


def main():
    kills = int(os.environ.get('KILLS', '2000'))
    seed = int(os.environ.get('SEED', str(int(time.time()))))
    share = float(os.environ.get('POSTGRES', '0.3')) if Postgres.there() else 0
    c = Campaign(seed)
    say(f'seed {seed}, {kills} kills')
    while c.total() < kills and not c.violations:
        on_postgres = c.rng.random() < share
        r = c.round(min(40, kills - c.total()), on_postgres)
        say(f'{time.strftime("%H:%M:%S")} {"PostgreSQL" if on_postgres else "SQLite"}: {c.total()} kills, {len(r.load.accepted)} leads, '
            f'{len(r.oracle.violations)} violations')
    c.report()
    print('1..1')
    print(('not ' if c.violations else '') + 'ok 1 - crash matrix')
    c.close()


if __name__ == '__main__':
    main()
