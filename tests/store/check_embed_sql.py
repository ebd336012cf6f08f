#!/usr/bin/env python3
"""check_embed_sql.py — what tools/embed_sql.py makes of good files, and the faults that it refuses. Prints TAP."""
import pathlib
import subprocess
import sys
import tempfile

TOOL = pathlib.Path(__file__).resolve().parents[2] / 'tools/embed_sql.py'
TABLE = 'CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT, c BLOB, d REAL) STRICT;\n'


def embed(query='', schema=None):
    """(error text, C source) for one file of statements and migrations by name."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in ('schema', 'query'):
            (root / name).mkdir()
        for name, text in (schema or {'0001_t.sql': TABLE}).items():
            (root / 'schema' / name).write_text(text, encoding='utf-8')
        (root / 'query/q.sql').write_text(query, encoding='utf-8')
        done = subprocess.run([sys.executable, TOOL, '--header', root / 'q.h', '--source', root / 'q.c', '--symbol', 's', '--schema',
                               root / 'schema', '--query', root / 'query'], capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr, ''
        return '', (root / 'q.c').read_text() + (root / 'q.h').read_text()


FAULTS = [
    ('a name twice', '-- name: a\nSELECT 1\n-- name: a\nSELECT 2\n', None, 'second statement'),
    ('a name that is none', '-- name: A-b\nSELECT 1\n', None, 'no name'),
    ('a gap in the parameters', '-- name: a\nSELECT ?1, ?3\n', None, 'gap'),
    ('a parameter without number', '-- name: a\nSELECT ?\n', None, 'numbers'),
    ('other counts for PostgreSQL', '-- name: a\nSELECT ?1\n-- @postgres\nSELECT 1\n', None, '1 parameters for SQLite, 0'),
    ('a dollar that is none', '-- name: a\nSELECT $then\n', None, '$then'),
    ('two statements', '-- name: a\nSELECT 1; SELECT 2\n', None, 'more than one'),
    ('no text', '-- name: a\n-- @postgres\nSELECT 1\n', None, 'no text for SQLite'),
    ('text without a name', 'SELECT 1\n', None, 'before the first'),
    ('an unknown section', '-- name: a\nSELECT 1\n-- @oracle\nSELECT 2\n', None, '@oracle'),
    ('a table that is not there', '-- name: a\nSELECT * FROM nowhere\n', None, 'no such table'),
    ('bad SQL', '-- name: a\nSELEC 1\n', None, 'syntax error'),
    ('rows of the wrong number', '-- name: a\nINSERT INTO t(a) VALUES (?1)\n-- @postgres_many\nINSERT INTO t(a) SELECT p1 FROM '
     '$rows(BIGINT, TEXT)\n', None, 'wants 1 types'),
    ('a table that is not strict', '', {'0001_t.sql': 'CREATE TABLE t (a BIGINT);'}, 'without STRICT'),
    ('a gap in the migrations', '', {'0001_a.sql': TABLE, '0003_b.sql': 'SELECT 1;'}, 'without gaps'),
    ('a migration without number', '', {'first.sql': TABLE}, 'NNNN_name'),
    ('an unknown section of a migration', '', {'0001_a.sql': '-- @mysql\n' + TABLE}, '@mysql'),
]

TEXTS = [
    ('numbers become dollars', '-- name: a\nSELECT ?1, \'?1\', "a" FROM t WHERE a = ?2 -- ?9\n', None,
     ['SELECT $1, \'\\?1\', \\"a\\" FROM t WHERE a = $2"', '2, false']),
    ('the clock', '-- name: a\nSELECT $now, ?1\n', None, ['SELECT \\?2, \\?1', 'clock_timestamp', '1, true']),
    ('types of PostgreSQL', '', None, ['a BIGINT PRIMARY KEY, b TEXT COLLATE \\"C\\", c BYTEA, d DOUBLE PRECISION);']),
    ('types of SQLite', '', None, ['a INTEGER PRIMARY KEY, b TEXT, c BLOB, d REAL) STRICT;']),
    ('sections', '', {'0001_t.sql': 'CREATE TABLE t (a BIGINT NOT NULL PRIMARY KEY)\n-- @sqlite\nSTRICT, WITHOUT ROWID\n-- @postgres\n'
                      'PARTITION BY HASH (a)\n-- @all\n;\n'},
     ['(a INTEGER NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;', '(a BIGINT NOT NULL PRIMARY KEY) PARTITION BY HASH (a);']),
    ('rows', '-- name: a\nINSERT INTO t(a, c) VALUES (?1, ?2)\n-- @postgres_many\nINSERT INTO t(a, c) SELECT p1, p2 FROM '
     '$rows(BIGINT, BLOB)\n', None, ['unnest($1::BIGINT[], $2::BYTEA[]) WITH ORDINALITY AS r(p1, p2, i)', 'QUERY_A,']),
    ('nothing', '', {'0001_nothing.sql': '-- empty\n'}, ['.n_statement = 0']),
]


def main():
    print(f'1..{len(FAULTS) + len(TEXTS)}')
    number = 0
    for title, query, schema, wanted in FAULTS:
        number += 1
        error, _ = embed(query, schema)
        good = wanted in error and 'Traceback' not in error
        print('ok' if good else 'not ok', number, '-', 'refuses', title)
        if not good:
            print('#', error.replace('\n', '\n# '))
    for title, query, schema, wanted in TEXTS:
        number += 1
        error, source = embed(query, schema)
        missing = [w for w in wanted if w not in source]
        print('not ok' if error or missing else 'ok', number, '-', title)
        for line in (error + '\n'.join(missing) + source if error or missing else '').splitlines():
            print('#', line)


if __name__ == '__main__':
    main()
