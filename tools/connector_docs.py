#!/usr/bin/env python3
"""connector_docs.py — writes docs/connectors.md from the connector files: connector_docs.py GALENA prints it."""
import json
import subprocess
import sys


def ask(*words):
    return json.loads(subprocess.run([sys.argv[1], 'connector', *words, '--json'], capture_output=True, text=True, check=True).stdout)


def money(micro, per, currency):
    return f'{micro / 1e6:g} {currency} a {per}' if micro else ''


def page(c):
    lines = [f'## {c["name"]}', '', f'{c["title"]} ({c["kind"].replace("_", " ")}). [Documentation]({c["documentation"]}).', '']
    if c['terms']:
        lines += [c['terms'], '']
    lines += [f'Personal data it gets to see: {c["personal_data"].replace("_", " ")}. '
              f'Authentication: {", ".join(c["authentication"]).replace("_", " ")}.', '']
    if c['settings']:
        lines += ['| setting | needed | secret | what it is |', '|---|---|---|---|']
        for s in c['settings']:
            yes = ['yes' if s[k] else '' for k in ('required', 'secret')]
            lines.append(f'| `{s["name"]}` | {yes[0]} | {yes[1]} | {s["help"]} |')
        lines.append('')
    lines += ['| operation | what it does | asked by | fills | price |', '|---|---|---|---|---|']
    for o in c['operations']:
        needs = ' or '.join(' and '.join(f'`{x}`' for x in way) for way in o['needs'])
        fills = ', '.join(f'`{x}`' for x in o['fields'])
        lines.append(f'| `{o["name"]}` | {o["title"]} | {needs} | {fills} | {money(o["price_micro"], o["price_per"], c["currency"])} |')
    return lines + ['']


def main():
    names = [c['name'] for c in ask('list')['connectors']]
    lines = ['# Connectors', '',
             'What comes with Galena; `galena connector list` and `galena connector show NAME` say the same. Each is one file in',
             '`share/connectors/`; [formats/connector.md](formats/connector.md) says how to write one. A file of the same name in your own',
             'folder takes its place. Prices are what the files assume; set your own.', '',
             'This page is generated: `python3 tools/connector_docs.py build/src/cmd/galena > docs/connectors.md`.', '']
    for name in names:
        lines += page(ask('show', name))
    print('\n'.join(lines).rstrip())


main()
