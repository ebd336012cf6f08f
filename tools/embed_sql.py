#!/usr/bin/env python3
"""embed_sql.py — turns the .sql files into C: an enum of named statements and a table of their texts for both databases.

embed_sql.py --header OUT.h --source OUT.c --symbol NAME [--prefix QUERY] [--depfile OUT.d] [--schema FOLDER] [--query FOLDER]...

Statements (FOLDER/*.sql): a line `-- name: run_claim`, comments, the text with ?1 ?2 … and $now. A block that begins with
`-- @sqlite` or `-- @postgres` is the text for that database alone; `-- @postgres_many` is a text that works on many rows at
once: $rows(BIGINT, TEXT) stands for a table r(p1, p2, i) of the parameters' rows, and the text must return, for each row
changed, its r.i.
Migrations (FOLDER/NNNN_name.sql): a script; lines between `-- @sqlite` or `-- @postgres` and the next `-- @all` are for that
database alone.
Types are BIGINT, REAL, TEXT and BLOB; tables end in STRICT, perhaps with WITHOUT ROWID, which PostgreSQL never sees.
SQLite's own parser checks every text while building."""
import argparse
import hashlib
import os
import re
import sys

TOKEN = re.compile(r"""(?P<string>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*")|(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<param>\?\d*)
    |(?P<rows>\$rows\s*\([^)]*\))|(?P<now>\$now\b)|(?P<dollar>\$\w*)|(?P<word>[A-Za-z_]\w*)|(?P<space>\s+)
    |(?P<other>.)""", re.VERBOSE | re.DOTALL)
SERVER_NOW = '(extract(epoch from clock_timestamp())*1000)::bigint'
POSTGRES_TYPE = {'BIGINT': 'BIGINT', 'REAL': 'DOUBLE PRECISION', 'TEXT': 'TEXT', 'BLOB': 'BYTEA'}


class Fault(Exception):
    pass


def tokens(text):
    """(kind, text) without comments; white space is one blank."""
    out = []
    for found in TOKEN.finditer(text):
        kind = found.lastgroup
        if kind in ('comment', 'space'):
            if out and out[-1][0] != 'space':
                out.append(('space', ' '))
        else:
            out.append((kind, found.group(0)))
    while out and out[-1][0] == 'space':
        out.pop()
    return out


def statements(text):
    """Lists of tokens, one a statement of a script."""
    part = []
    for token in tokens(text):
        if token == ('other', ';'):
            yield part
            part = []
        elif part or token[0] != 'space':
            part.append(token)
    if part:
        yield part


def join(part):
    return ''.join(t for _, t in part).strip()


def before(part, i):
    """The word before token i."""
    for kind, text in reversed(part[:i]):
        if kind != 'space':
            return text.upper()
    return ''


def after(part, i):
    for kind, text in part[i + 1:]:
        if kind != 'space':
            return text.upper()
    return ''


def options_at(part):
    """Index behind the last closing bracket of CREATE TABLE … ( … ) OPTIONS; None when it is something else."""
    words = [t.upper() for k, t in part if k == 'word'][:3]
    if words[:1] != ['CREATE'] or 'TABLE' not in words[1:3] or ('other', '(') not in part:
        return None
    return max(i for i, t in enumerate(part) if t == ('other', ')')) + 1


def schema_sqlite(part, where):
    at = options_at(part)
    if at is not None and 'STRICT' not in [t.upper() for _, t in part[at:]]:
        raise Fault(f'{where}: a table without STRICT')
    return join([(k, 'INTEGER' if k == 'word' and t == 'BIGINT' else t) for k, t in part])


def schema_postgres(part):
    at = options_at(part)
    if at is not None:
        words = [t.upper() for k, t in part[at:] if k == 'word']
        if set(words) <= {'STRICT', 'WITHOUT', 'ROWID'}:
            part = part[:at]
    out = []
    for i, (kind, text) in enumerate(part):
        if kind == 'word' and text in POSTGRES_TYPE:
            mapped = POSTGRES_TYPE[text]
            if text == 'TEXT' and before(part, i) != 'AS' and after(part, i) not in ('COLLATE', '['):
                mapped += ' COLLATE "C"'
            text = mapped
        out.append((kind, text))
    return join(out)


class Migration:
    def __init__(self, path):
        name = os.path.basename(path)
        found = re.fullmatch(r'(\d{4})_([a-z0-9_]+)\.sql', name)
        if not found:
            raise Fault(f'{path}: a migration is called NNNN_name.sql')
        with open(path, 'rb') as f:
            raw = f.read()
        self.version, self.name, self.checksum = int(found.group(1)), found.group(2), hashlib.sha256(raw).hexdigest()
        text = {'all': '', 'sqlite': '', 'postgres': ''}
        section = 'all'
        for number, line in enumerate(raw.decode('utf-8').split('\n'), 1):
            mark = re.match(r'\s*-- @(\w+)\s*$', line)
            if mark:
                section = mark.group(1)
                if section not in text:
                    raise Fault(f'{path}:{number}: @{section} is not @sqlite, @postgres or @all')
                continue
            for kind in ('sqlite', 'postgres'):
                text[kind] += (line if section in ('all', kind) else '') + '\n'
        # Words of the sections may be joined into one statement, so the mapping sees the whole script of a database.
        self.sqlite = ';\n'.join(schema_sqlite(p, path) for p in statements(text['sqlite'])) + ';\n'
        self.postgres = ';\n'.join(schema_postgres(p) for p in statements(text['postgres'])) + ';\n'


class Statement:
    def __init__(self, name, path, line):
        self.name, self.where, self.text = name, f'{path}:{line}: {name}', {}

    def add(self, section, line):
        self.text[section] = self.text.get(section, '') + line + '\n'

    def part(self, section):
        """The one statement of a section, as tokens; None when there is no text."""
        parts = list(statements(self.text.get(section, '')))
        if len(parts) > 1:
            raise Fault(f'{self.where}: more than one statement')
        return parts[0] if parts else None

    def count(self, part):
        """Number of parameters; all of them must be used."""
        numbers = set()
        for kind, text in part:
            if kind == 'param':
                if text == '?':
                    raise Fault(f'{self.where}: parameters have numbers: ?1')
                numbers.add(int(text[1:]))
            elif kind == 'dollar':
                raise Fault(f'{self.where}: {text} is neither ?N nor $now')
        if numbers != set(range(1, len(numbers) + 1)):
            raise Fault(f'{self.where}: parameters are {sorted(numbers)}, with a gap')
        return len(numbers)

    def finish(self):
        base = self.part('all')
        sqlite, postgres = self.part('sqlite') or base, self.part('postgres') or base
        if sqlite is None or postgres is None:
            raise Fault(f'{self.where}: no text for {"SQLite" if sqlite is None else "PostgreSQL"}')
        self.n_param = self.count(sqlite)
        if self.count(postgres) != self.n_param:
            raise Fault(f'{self.where}: {self.n_param} parameters for SQLite, {self.count(postgres)} for PostgreSQL')
        self.now = any(k == 'now' for k, _ in sqlite)
        if any(k == 'rows' for k, _ in sqlite + postgres):
            raise Fault(f'{self.where}: $rows belongs into @postgres_many')
        self.sqlite = join([(k, f'?{self.n_param + 1}' if k == 'now' else t) for k, t in sqlite])
        self.postgres = join([self.postgres_token(k, t) for k, t in postgres])
        many = self.part('postgres_many')
        self.many = None
        if many:
            if sum(k == 'rows' for k, _ in many) != 1 or any(k in ('param', 'dollar') for k, _ in many):
                raise Fault(f'{self.where}: @postgres_many takes its parameters from one $rows(TYPE, …)')
            self.many = join([self.postgres_token(k, t) for k, t in many])

    def postgres_token(self, kind, text):
        if kind == 'param':
            return kind, '$' + text[1:]
        if kind == 'now':
            return kind, SERVER_NOW
        if kind == 'rows':
            return kind, self.rows(text)
        if kind == 'word' and text in POSTGRES_TYPE:
            return kind, POSTGRES_TYPE[text]
        return kind, text

    def rows(self, text):
        types = [t.strip().upper() for t in text[text.index('(') + 1:-1].split(',') if t.strip()]
        wrong = [t for t in types if t not in POSTGRES_TYPE]
        if wrong or len(types) != self.n_param:
            raise Fault(f'{self.where}: $rows wants {self.n_param} types of {", ".join(POSTGRES_TYPE)}')
        arrays = ', '.join(f'${i}::{POSTGRES_TYPE[t]}[]' for i, t in enumerate(types, 1))
        names = ', '.join(f'p{i}' for i in range(1, len(types) + 1))
        return f'unnest({arrays}) WITH ORDINALITY AS r({names}, i)'


def read_statements(path):
    current, section, out = None, 'all', []
    with open(path, encoding='utf-8') as f:
        lines = f.read().split('\n')
    for number, line in enumerate(lines, 1):
        name = re.match(r'-- name:\s*(\S*)\s*$', line)
        mark = re.match(r'-- @(\w+)\s*$', line)
        if name:
            if not re.fullmatch(r'[a-z][a-z0-9_]*', name.group(1)):
                raise Fault(f'{path}:{number}: "{name.group(1)}" is no name of a statement')
            current, section = Statement(name.group(1), path, number), 'all'
            out.append(current)
        elif mark:
            section = mark.group(1)
            if current is None or section not in ('sqlite', 'postgres', 'postgres_many') or section in current.text:
                raise Fault(f'{path}:{number}: "@{section}" does not belong here')
        elif current is not None:
            current.add(section, line)
        elif line.strip() and not line.startswith('--'):
            raise Fault(f'{path}:{number}: text before the first "-- name:"')
    return out


def sql_files(folder):
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, n) for n in names if n.endswith('.sql')]


def check_with_sqlite(migrations, queries):
    try:
        import sqlite3
    except ImportError:
        return
    if sqlite3.sqlite_version_info < (3, 37):
        return
    db = sqlite3.connect(':memory:')
    db.execute('CREATE TABLE migration(version INTEGER PRIMARY KEY, name TEXT, checksum TEXT, applied_ms INTEGER) STRICT')
    for m in migrations:
        try:
            db.executescript(m.sqlite)
        except sqlite3.Error as e:
            raise Fault(f'migration {m.version:04} {m.name}: {e}') from e
    for q in queries:
        try:
            db.execute('EXPLAIN ' + q.sqlite, [None] * (q.n_param + q.now))
        except sqlite3.Error as e:
            raise Fault(f'{q.where}: {e}') from e


def c_text(text):
    if text is None:
        return 'NULL'
    lines = text.split('\n')
    quoted = []
    for i, line in enumerate(lines):
        line = line.replace('\\', '\\\\').replace('"', '\\"').replace('?', '\\?') + ('\\n' if i + 1 < len(lines) else '')
        if line or len(lines) == 1:
            quoted.append(f'"{line}"')
    return '\n        '.join(quoted)


def write_header(path, symbol, prefix, queries):
    guard = 'GALENA_STORE_' + re.sub(r'\W', '_', os.path.basename(path)).upper()
    enum = [f'    {prefix}_{q.name.upper()},' for q in queries] + [f'    {prefix}_COUNT']
    lines = [f'/* {os.path.basename(path)} — the statements of sql/ by name; made by tools/embed_sql.py. */', f'#ifndef {guard}',
             f'#define {guard}', '', '#include "store/db.h"', '', f'enum {prefix.lower()} {{', *enum, '};', '',
             f'extern const struct db_catalogue {symbol};', '', '#endif', '']
    with open(path, 'w', encoding='utf-8') as f:
        f.write('\n'.join(lines))


def write_source(path, symbol, migrations, queries):
    lines = [f'/* {os.path.basename(path)} — made by tools/embed_sql.py. */', '#include "store/db.h"', '',
             '#pragma GCC diagnostic ignored "-Woverlength-strings"', '']
    if queries:
        lines.append(f'static const struct db_statement {symbol}_statement[] = {{')
        for q in queries:
            lines.append(f'    {{"{q.name}",\n     {{{c_text(q.sqlite)},\n      {c_text(q.postgres)}}},\n     {c_text(q.many)}, '
                         f'{q.n_param}, {"true" if q.now else "false"}}},')
        lines += ['};', '']
    if migrations:
        lines.append(f'static const struct db_migration {symbol}_migration[] = {{')
        for m in migrations:
            lines.append(f'    {{{m.version}, "{m.name}", "{m.checksum}",\n     {{{c_text(m.sqlite)},\n      {c_text(m.postgres)}}}}},')
        lines += ['};', '']
    statement = f'{symbol}_statement' if queries else 'NULL'
    migration = f'{symbol}_migration' if migrations else 'NULL'
    lines += [f'extern const struct db_catalogue {symbol};', f'const struct db_catalogue {symbol} = {{',
              f'    .statement = {statement}, .n_statement = {len(queries)},',
              f'    .migration = {migration}, .n_migration = {len(migrations)},', '};', '']
    with open(path, 'w', encoding='utf-8') as f:
        f.write('\n'.join(lines))


def read_all(arguments, read):
    migrations = []
    if arguments.schema:
        for path in sql_files(arguments.schema):
            read.append(path)
            migrations.append(Migration(path))
        if [m.version for m in migrations] != list(range(1, len(migrations) + 1)):
            raise Fault(f'{arguments.schema}: migrations are not numbered 0001, 0002, … without gaps')
    queries = []
    for folder in arguments.query:
        for path in sql_files(folder):
            read.append(path)
            queries += read_statements(path)
    seen = set()
    for q in queries:
        if q.name in seen:
            raise Fault(f'{q.where}: a second statement of that name')
        seen.add(q.name)
        q.finish()
    return migrations, queries


def main():
    parser = argparse.ArgumentParser()
    for name in ('header', 'source', 'symbol'):
        parser.add_argument('--' + name, required=True)
    parser.add_argument('--prefix', default='QUERY')
    parser.add_argument('--depfile')
    parser.add_argument('--schema')
    parser.add_argument('--query', action='append', default=[])
    arguments = parser.parse_args()
    # A folder that is not there yet is noticed by the one around it.
    read = [f if os.path.isdir(f) else os.path.dirname(f) for f in [arguments.schema, *arguments.query] if f]
    try:
        migrations, queries = read_all(arguments, read)
        check_with_sqlite(migrations, queries)
    except Fault as fault:
        sys.exit(f'embed_sql.py: {fault}')
    write_header(arguments.header, arguments.symbol, arguments.prefix, queries)
    write_source(arguments.source, arguments.symbol, migrations, queries)
    if arguments.depfile:
        with open(arguments.depfile, 'w', encoding='utf-8') as f:
            f.write(f'{arguments.source} {arguments.header}: ' + ' '.join(os.path.abspath(r).replace(' ', '\\ ') for r in read) + '\n')


if __name__ == '__main__':
    main()
