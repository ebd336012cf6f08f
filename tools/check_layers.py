#!/usr/bin/env python3
"""check_layers.py — tests that the rooms of src/ include one another only as tools/layers.txt allows. Prints TAP."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_rules(path):
    rules = {}
    for line in path.read_text(encoding='utf-8').splitlines():
        line = line.split('#')[0].strip()
        if line:
            key, _, words = line.partition(':')
            rules[key.strip()] = words.split()
    return rules


def includes(path):
    """(line, quoted, header) of each include."""
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1) == '"', found.group(2)


def check_file(path, rules, room):
    """Yields faults as (kind, message)."""
    order = rules['order']
    for line, quoted, header in includes(path):
        where = f'{path.relative_to(ROOT)}:{line}'
        for kind in ('sockets', 'sql', 'redis', 'log'):
            wanted = rules[{'sockets': 'socket_headers', 'sql': 'sql_headers', 'redis': 'redis_headers', 'log': 'log_headers'}[kind]]
            if room not in rules[kind] and any(header == w or (w.endswith('/') and header.startswith(w)) for w in wanted):
                yield kind, f'{where}: {room} must not include {header}'
        if not quoted or '/' not in header:
            continue
        other = header.split('/')[0]
        if other not in order:
            yield 'order', f'{where}: {header} is in no room of tools/layers.txt'
        elif order.index(other) > order.index(room):
            yield 'order', f'{where}: {room} is below {other} and must not include {header}'
        elif other != room and other in rules['apart'] and room in rules['apart']:
            yield 'apart', f'{where}: {room} and {other} are stages: they share data, never functions'
        if header.endswith('_priv.h') and other != room:
            yield 'private', f'{where}: {header} stays in its folder'


def check_prints(path, rules, room):
    """Libraries neither print nor exit. sandbox and the arena's last words are the exceptions, each with its reason there."""
    if room in rules['print'] or path.suffix == '.h':
        return
    text = re.sub(r'/\*.*?\*/', '', path.read_text(encoding='utf-8'), flags=re.DOTALL)
    text = re.sub(r'"(\\.|[^"\\])*"', '""', text)
    for number, line in enumerate(text.splitlines(), 1):
        found = re.search(r'\b(printf|puts|putchar|exit|_exit|perror|fprintf\s*\(\s*std(out|err))\s*\(?', line)
        if found and (found.group(0).startswith('fprintf') or line[found.end() - 1:found.end()] == '('):
            if path.name == 'arena.c':  # out of memory outside a guard: nobody is left who could be told
                continue
            yield 'print', f'{path.relative_to(ROOT)}: {found.group(0).strip()}: libraries never print and never exit'


def main():
    rules = read_rules(ROOT / 'tools/layers.txt')
    kinds = {'order': 'a room includes only lower rooms', 'apart': 'stages never include one another',
             'private': '_priv.h headers stay in their folder', 'sockets': 'only the rim opens sockets',
             'sql': 'only the store knows SQL',
             'redis': 'only the store knows Redis', 'log': 'only the edges log', 'print': 'libraries never print and never exit',
             'depth': 'nothing is deeper than src/folder/file'}
    faults = {kind: [] for kind in kinds}
    for path in sorted((ROOT / 'src').rglob('*')):
        if not path.is_file():
            continue
        parts = path.relative_to(ROOT / 'src').parts
        if len(parts) > 2:
            faults['depth'].append(f'{path.relative_to(ROOT)} is too deep')
        elif len(parts) == 2 and parts[0] not in rules['order']:
            faults['order'].append(f'src/{parts[0]} is no room of tools/layers.txt')
        elif len(parts) == 2 and path.suffix in ('.c', '.h', '.cpp'):
            for kind, message in [*check_file(path, rules, parts[0]), *check_prints(path, rules, parts[0])]:
                faults[kind].append(message)
    print(f'1..{len(kinds)}')
    for i, (kind, title) in enumerate(kinds.items(), 1):
        print(('not ok' if faults[kind] else 'ok'), i, '-', title)
        for message in faults[kind]:
            print('#', message)
    return 1 if any(faults.values()) else 0


if __name__ == '__main__':
    sys.exit(main())
