"""soak.py — an hour's work in MINUTES (30): leads, call-backs, look-ups, metrics, reconnecting clients; then memory and open
files must be as flat as they were after the first tenth. `make soak`."""
import os
import shutil
import tempfile
import time

from pipeline import Client, Load, LookUp, Oracle, Process, Receiver, Sqlite, make_model, say, wait_for


def slope(points):
    """Least squares, per minute."""
    n = len(points)
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    return sum((x - mx) * (y - my) for x, y in points) / max(1e-9, sum((x - mx) ** 2 for x, _ in points))


def main():
    minutes = float(os.environ.get('MINUTES', '30'))
    folder = tempfile.mkdtemp(prefix='galena-soak-')
    model, leads = make_model(folder)
    receiver, lookup = Receiver(trouble=0.02), LookUp(trouble=0.02)
    serve = Process(['serve', '--data', os.path.join(folder, 'data'), '--model', model, '--listen', '127.0.0.1:0', '--workers', 2,
                     '--retry-base', 0.2, '--retry-cap', 2, '--max-attempts', 60, '--allow-address', '127.0.0.1', '--deliver-url',
                     receiver.url, '--lookup-url', lookup.url, '--tick', 5, '--sweep', os.environ.get('SWEEP', '86400')], folder).start()
    load = Load(serve, leads, threads=4, batch=5, pace=float(os.environ.get('RATE', '150')))
    load.resume()
    # SWEEP=30 sweeps every 30 s: then the sweep's own cache of pages grows with the table of leads, up to its bound of 64 MiB.
    begin, points, files = time.monotonic(), [], []
    while time.monotonic() - begin < minutes * 60:
        time.sleep(min(5, minutes * 1.5))
        at = (time.monotonic() - begin) / 60
        points.append((at, serve.rss_kib()))
        files.append((at, serve.files()))
        other = Client(serve)  # a new connection each time
        other.metrics()
        other.close()
        if len(points) % 12 == 0:
            say(f'{at:.1f} min: {points[-1][1]} KiB, {files[-1][1]} files, {len(load.accepted)} leads, {len(receiver.applied)} deliveries')
    load.rest()
    load.stop()
    receiver.trouble = lookup.trouble = 0
    oracle = Oracle(Sqlite(folder), receiver)
    wait_for(lambda: oracle.open() == 0, 120, 0.2)
    oracle.finish(load.accepted)
    late = [p for p in points if p[0] > minutes * 0.3]
    grown = slope(late) * minutes  # over the whole time, as it grows now
    open_files = (min(y for _, y in files), max(y for x, y in files if x > minutes * 0.3), files[-1][1])
    say(f'{minutes} minutes, {len(load.accepted)} leads, {len(receiver.applied)} deliveries, {receiver.repeats} repeats; memory '
        f'{points[0][1]} to {points[-1][1]} KiB, at the end {slope(late):.0f} KiB a minute; files {open_files}')
    faults = oracle.violations + load.problems
    # Most of the memory is the cache of pages, which is bounded (64 MiB for each connection); a leak has no bound.
    if slope(late) > max(200, 0.01 * late[0][1]) and grown > 16384:
        faults.append(f'memory grows by {slope(late):.0f} KiB a minute')
    if slope([f for f in files if f[0] > minutes * 0.3]) * minutes > 40:
        faults.append('open files grow')
    if serve.stop() != 0:
        faults.append('it did not stop cleanly')
    receiver.stop()
    lookup.stop()
    for f in faults[:10]:
        say('FAULT ' + f)
    print('1..1')
    print(('not ' if faults else '') + 'ok 1 - soak')
    if not faults:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
