#!/usr/bin/python3
"""The durable pipeline beside queue and workflow engines, in one run: leads a second through the whole of `galena`, five-step flows
a second through them.

  bench/pipeline.py [--galena PATH] [--peers DIR] [--leads N] [--rounds N] [--postgres BIN] [--skip-idle] [--json]

galena: `galena bench pipeline` drives `galena serve` over HTTP on loopback with leads of 2 KB. Each lead is validated, scored with
its interval and reasons, and gets a delivery row; acceptance, result and delivery are durable before they are answered. The rate
counts from the first request to the last score, so accepting is part of it.
Peers: five chained steps that do nothing, without accepting (`complete_s` of their drivers). DIR (or the environment variable
GALENA_QUEUE_PEERS) has a `run.sh TARGET` that prints one JSON line for each configuration; without it only galena runs.

All take turns, --rounds times, so that other work on the machine falls on all alike; the best of each counts, since other work
only takes away. PostgreSQL is a private server with the same settings that the peers get. Exit code 1 when a bar is missed."""
import argparse
import json
import os
import pwd
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BATCH, PARALLEL = 50, 16
SETTINGS = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min", "synchronous_commit=on", "max_connections=100",
            "autovacuum_naptime=10s")


def find_postgres():
    for version in ("17", "16", "15", "14"):
        path = f"/usr/lib/postgresql/{version}/bin"
        if os.path.exists(path + "/initdb"):
            return path
    found = shutil.which("initdb")
    return os.path.dirname(found) if found else None


class Postgres:
    """A private server on a port of its own."""

    def __init__(self, binaries, folder):
        self.bin, self.dir = binaries, os.path.join(folder, "pg")
        os.mkdir(self.dir)
        os.chmod(folder, 0o755)
        self.as_user = []
        if os.getuid() == 0:  # the server refuses to run as root
            shutil.chown(self.dir, pwd.getpwnam("postgres").pw_uid)
            self.as_user = ["su", "postgres", "-s", "/bin/sh", "-c"]
        self.run(f"{self.bin}/initdb -D {self.dir} -A trust -U bench -E UTF8 --locale=C")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    def run(self, text):
        subprocess.run([*(self.as_user or ["/bin/sh", "-c"]), text], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        options = " ".join(f"-c {s}" for s in SETTINGS)
        self.run(f"{self.bin}/pg_ctl -D {self.dir} -l {self.dir}/log -w -o '-p {self.port} -c listen_addresses=127.0.0.1 "
                 f"-c unix_socket_directories={self.dir} {options}' start")
        return self

    def fresh(self):
        for text in ("DROP DATABASE IF EXISTS galena", "CREATE DATABASE galena"):
            subprocess.run([f"{self.bin}/psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "-d", "postgres", "-qc", text],
                           check=True, stderr=subprocess.DEVNULL)
        return f"postgresql://bench@127.0.0.1:{self.port}/galena"

    def cpu(self):
        """CPU seconds of the server, its children and those that have ended."""
        with open(os.path.join(self.dir, "postmaster.pid")) as f:
            root = f.readline().strip()
        total = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    field = f.read().rpartition(")")[2].split()
            except OSError:
                continue
            if pid == root:
                total += sum(int(x) for x in field[11:15])
            elif field[1] == root:
                total += int(field[11]) + int(field[12])
        return total / os.sysconf("SC_CLK_TCK")

    def __exit__(self, *_):
        self.run(f"{self.bin}/pg_ctl -D {self.dir} -m fast -w stop")


class Bench:
    def __init__(self, a):
        self.a, self.lines, self.missed = a, [], 0

    def keep(self, name, line):
        line = dict(line, name=name, load1=round(os.getloadavg()[0], 1))
        self.lines.append(line)
        if self.a.json:
            print(json.dumps(line), flush=True)
        else:
            rate = line.get("scored_per_s") or line.get("complete_s")
            extra = f"{line['cpu_us_per_lead']:8.1f} us CPU" if "cpu_us_per_lead" in line else ""
            print(f"  {name:28} {rate:8.0f} /s  load {line['load1']:4.1f} {extra}", flush=True)

    def galena(self, name, *arguments, postgres=None, leads=None):
        command = [self.a.galena, "bench", "pipeline", "--leads", str(leads or self.a.leads), "--model", self.model, *arguments]
        before = 0
        if postgres:
            command += ["--database", postgres.fresh()]
            before = postgres.cpu()
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed:\n{run.stderr}")
        line = json.loads(run.stdout)
        if line["lost"] or line["dead"] or line["failed"]:
            raise SystemExit(f"leads were lost: {run.stdout}")
        if postgres:
            line["server_cpu_us_per_lead"] = round((postgres.cpu() - before) * 1e6 / line["leads"], 1)
        self.keep(name, line)

    def peer(self, target):
        env = dict(os.environ, QB_SC="on", QB_N="2000", QB_NCHAIN=str(self.a.flows))
        env.setdefault("QB_DATA", os.path.join(tempfile.gettempdir(), "galena-queue-peers"))
        if target == "bullmq":  # both of its settings run; the slow one needs no more to show its rate
            env["QB_NCHAIN"] = str(max(500, self.a.flows // 3))
        try:
            run = subprocess.run([os.path.join(self.a.peers, "run.sh"), target], capture_output=True, text=True, env=env,
                                 timeout=self.a.minutes * 60)
        except subprocess.TimeoutExpired:
            print(f"  {target}: not done within the time, left out", flush=True)
            return
        for text in run.stdout.splitlines():
            if not text.startswith("{"):
                print(f"  {target}: {text[:200]}: left out", flush=True)
                continue
            line = json.loads(text)
            if line.get("mode") == "chain":
                # An upper bound: the CPU time of enqueuing and of the latency test is in it.
                line["cpu_us_per_lead"] = round((line["client_cpu_s"] + line.get("server_cpu_s", 0)) * 1e6 / line["n"], 1)
                self.keep(target + (", every write synced" if "always" in line.get("label", "") else ""), line)

    def of(self, name, key):
        return [line[key] for line in self.lines if line["name"] == name and key in line]

    def best(self, name, key="scored_per_s", least=False):
        values = self.of(name, key)
        return (min if least else max)(values) if values else None

    def bar(self, what, value, bar, more):
        if value is None:
            print(f"  {what:58} not measured")
            return
        good = value >= bar if more else value <= bar
        self.missed += not good
        print(f"  {what:58} {value:9.1f}   bar {'>=' if more else '<='} {bar:g}   {'met' if good else 'MISSED'}")

    # ---- measurements ----

    def make_model(self, folder):
        self.model = os.path.join(folder, "bench.model")
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([self.a.galena, "sample", "--out", folder, "--rows", "4000"], **quiet)
        subprocess.run([self.a.galena, "train", os.path.join(folder, "leads_past.csv"), "--target", "converted", "--id", "lead_id",
                        "--family", "logistic", "--out", self.model], **quiet)

    def round(self, postgres):
        self.galena("galena sqlite", "--batch", str(BATCH), "--parallel", str(PARALLEL))
        if self.a.peers:
            self.peer("pgboss-tuned")
        if postgres:
            with postgres:
                self.galena("galena postgresql", postgres=postgres)
                self.galena("galena postgresql, 2 processes", "--processes", "1", postgres=postgres)
        if self.a.peers:
            self.peer("bullmq")

    def half_load(self):
        rate = max(1, int(self.best("galena sqlite") // 2))
        for _ in range(min(self.a.rounds, 3)):
            self.galena("galena sqlite, half load", "--rate", str(rate), leads=int(min(self.a.leads, 10 * rate)))

    def idle(self, folder):
        """Times a second that any thread of an idle server wakes up, over ten seconds."""
        data = os.path.join(folder, "idle")
        server = subprocess.Popen([self.a.galena, "serve", "--quiet", "--data", data, "--listen", "127.0.0.1:0", "--model", self.model],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(15)
            if server.poll() is not None:
                raise SystemExit(f"galena serve did not start: exit code {server.returncode}")
            before = switches(server.pid)
            time.sleep(10)
            self.idle_rate = (switches(server.pid) - before) / 10
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        print(f"  {'idle server':28} {self.idle_rate:8.1f} wake-ups a second", flush=True)

    def conclude(self):
        ours, shared, two = "galena sqlite", "galena postgresql", "galena postgresql, 2 processes"
        boss, bull = self.best("pgboss-tuned", "complete_s"), self.best("bullmq", "complete_s")
        print("\n  best of each; load 1 min "
              f"{min(x['load1'] for x in self.lines):.1f} to {max(x['load1'] for x in self.lines):.1f} on {os.cpu_count()} cores; "
              "SQLite synchronous=FULL, PostgreSQL synchronous_commit=on, Redis appendfsync everysec and always")
        for name in (ours, shared, two):
            if self.of(name, "scored_per_s"):
                print(f"  {name:28} best {self.best(name):.0f}/s, median {statistics.median(self.of(name, 'scored_per_s')):.0f}/s")
        ratio = lambda a, b: a / b if a and b else None
        self.bar("SQLite: leads/s to pg-boss tuned", ratio(self.best(ours), boss), 10, True)
        synced = self.best("bullmq, every write synced", "complete_s")
        self.bar("SQLite: leads/s to BullMQ that may lose a second", ratio(self.best(ours), bull), 25, True)
        self.bar("SQLite: leads/s to BullMQ, as durable", ratio(self.best(ours), synced), 25, True)
        self.bar("SQLite: CPU microseconds a lead, all threads", self.best(ours, "cpu_us_per_lead", True), 120, False)
        half = [x["accept_ms"]["p99"] for x in self.lines if x["name"] == "galena sqlite, half load"]
        self.bar("SQLite: p99 of accepting at half load, ms", min(half) if half else None, 100, False)
        self.bar("PostgreSQL: leads/s to pg-boss tuned", ratio(self.best(shared), boss), 3, True)
        self.bar("PostgreSQL: rate with a second process to without", ratio(self.best(two), self.best(shared)), 1, True)
        self.bar("idle: wake-ups a second", getattr(self, "idle_rate", None), 5, False)


def switches(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("voluntary"))
    return total


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--galena", default="build/src/cmd/galena")
    p.add_argument("--peers", default=os.environ.get("GALENA_QUEUE_PEERS"), metavar="DIR")
    p.add_argument("--leads", type=int, default=60000)
    p.add_argument("--flows", type=int, default=5000, help="five-step flows of a peer")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--minutes", type=float, default=12, help="no round begins that would not end within this time")
    p.add_argument("--postgres", default=find_postgres(), metavar="BIN", help="where initdb is")
    p.add_argument("--skip-idle", action="store_true")
    p.add_argument("--json", action="store_true", help="print each measurement as a JSON line")
    return p.parse_args()


def main():
    a = arguments()
    a.galena = os.path.abspath(a.galena)
    if a.peers and not os.path.exists(os.path.join(a.peers, "run.sh")):
        a.peers = None
    if not a.peers:
        print("  no peers: name their folder with --peers or GALENA_QUEUE_PEERS")
    bench = Bench(a)
    with tempfile.TemporaryDirectory(prefix="galena-bench-") as folder:
        bench.make_model(folder)
        postgres = Postgres(a.postgres, folder) if a.postgres else None
        begin, longest = time.monotonic(), 0
        for i in range(a.rounds):
            if i > 0 and time.monotonic() - begin + longest > a.minutes * 60:
                print(f"  {i} of {a.rounds} rounds fitted into {a.minutes:g} minutes", flush=True)
                break
            at = time.monotonic()
            bench.round(postgres)
            longest = max(longest, time.monotonic() - at)
            if i == 0:  # early, so that a run that is ended has them
                bench.half_load()
                if not a.skip_idle:
                    bench.idle(folder)
    bench.conclude()
    return 1 if bench.missed else 0


if __name__ == "__main__":
    sys.exit(main())
