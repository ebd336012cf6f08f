"""leads.py — small files of leads for the flow tests, and models trained on them, made once for each test program."""
import csv
import functools
import hashlib
import io
import json
import os
import random
import tempfile

from program import galena

_folder = tempfile.TemporaryDirectory(prefix='galena-leads-')

COLUMNS = ['id', 'source', 'visits', 'seconds', 'founded', 'country', 'newsletter', 'won']


def rows(n=600, seed=1):
    """Leads with a signal in source, visits and seconds; some cells are empty."""
    draw = random.Random(seed)
    out = []
    for i in range(n):
        source = draw.choice(['Ads', 'Referral', 'Fair', 'Web'])
        visits = draw.randrange(0, 20)
        seconds = round(draw.expovariate(1 / 300), 1)
        odds = 0.05 * 3 ** (source == 'Referral') * 1.15 ** visits * 1.001 ** seconds
        out.append([f'L{i:05d}', source, '' if draw.random() < 0.05 else str(visits), str(seconds),
                    f'20{draw.randrange(0, 26):02d}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}',
                    draw.choice(['DE', 'FR', 'US', '']), draw.choice(['yes', 'no']), 'yes' if draw.random() < odds / (1 + odds) else 'no'])
    return out


def table(lines, columns=COLUMNS, delimiter=',', end='\n'):
    """The rows as text."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()


def past(n=600, seed=1):
    return table(rows(n, seed))


def new(n=50, seed=2):
    """Leads without an outcome."""
    return table([r[:-1] for r in rows(n, seed)], COLUMNS[:-1])


@functools.cache
def model(family='logistic', *options):
    """The path of a model trained on past()."""
    path = os.path.join(_folder.name, '-'.join([family, *options]).replace('/', '_') + '.model')
    done = galena('train', '-', '--target', 'won', '--id', 'id', '--family', family, '--out', path, *options, stdin=past(), timeout=300)
    assert done.returncode == 0, done.stderr
    return path


def read(text, delimiter=','):
    """The rows of a CSV text as dictionaries."""
    return list(csv.DictReader(io.StringIO(text, newline=''), delimiter=delimiter))


def open_model(path):
    """The document inside a model file."""
    with open(path, 'rb') as f:
        f.readline()
        return json.loads(f.read())


def seal(document, version=1):
    """A document (or its bytes) as the bytes of a model file with the right length and checksum."""
    body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False, separators=(',', ':')).encode()
    return f'galena-model {version} {hashlib.sha256(body).hexdigest()} {len(body)}\n'.encode() + body
