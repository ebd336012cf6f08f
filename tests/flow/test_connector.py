#!/usr/bin/env python3
"""test_connector.py — the connector commands and `galena check` on connector files, as a user runs them."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

GALENA = sys.argv[1] if len(sys.argv) > 1 else os.environ['GALENA']
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / 'tests/connector/golden'
number = 0


def run(*words):
    return subprocess.run([GALENA, *map(str, words)], capture_output=True, text=True, timeout=120)


def ok(good, what, detail=''):
    global number
    number += 1
    print(f'{"ok" if good else "not ok"} {number} - {what}')
    if not good:
        print(f'# {str(detail)[:400]}')


def main():
    done = run('connector', 'list', '--json')
    rows = json.loads(done.stdout)['connectors']
    ok(len(rows) >= 30 and all(r['name'] and r['kind'] and r['operations'] for r in rows), 'list names kind and operations', done.stderr)
    ok(any(r['name'] == 'clearbit' and 'account.employees' in r['fields'] for r in rows), 'list names fields')

    done = run('connector', 'test', '--all', '--replay', GOLDEN, '--json')
    counts = json.loads(done.stdout)
    ok(done.returncode == 0 and counts['failed'] == 0 and counts['cases'] == counts['good'] >= 6 * len(rows), 'all cases are as expected',
       counts['failures'])
    text = run('connector', 'test', '--all', '--replay', GOLDEN).stdout.strip().split('\n')[-1]
    ok(text == f'{len(rows)} connectors, {counts["cases"]} cases: {counts["cases"]} as expected, 0 not', 'the last line counts', text)
    for row in rows:
        cases = {p.name for p in (GOLDEN / row['name']).iterdir()}
        missing = {'full', 'empty', 'error', 'throttled', 'truncated', 'hostile'} - cases
        if missing:
            ok(False, f'{row["name"]} has all six cases', missing)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        changed = folder / 'cases'
        shutil.copytree(GOLDEN / 'clearbit', changed / 'clearbit')
        answer = changed / 'clearbit/full/answer.http'
        answer.write_text(answer.read_text().replace('240', '241'))
        done = run('connector', 'test', 'clearbit', '--replay', changed)
        ok(done.returncode == 2 and 'clearbit/full: /observations/' in done.stdout and '241' in done.stdout,
           'a difference is told with its place', done.stdout + done.stderr)

        done = run('connector', 'new', 'our_register', '--folder', folder)
        ok(done.returncode == 0 and (folder / 'our_register.yaml').is_file(), 'new writes a file', done.stderr)
        ok(run('check', folder / 'our_register.yaml').returncode == 0, 'which is good')
        ok('connector_exists' in run('connector', 'new', 'our_register', '--folder', folder).stderr, 'and is not overwritten')
        names = [r['name'] for r in json.loads(run('connector', 'list', '--folder', folder, '--json').stdout)['connectors']]
        ok('our_register' in names and len(names) == len(rows) + 1, 'and is listed')

        bad = folder / 'bad.yaml'
        bad.write_text((folder / 'our_register.yaml').read_text().replace("'.industry // .sector'", "'.industry | env'"))
        found = json.loads(run('check', bad, '--json').stdout)
        ok(found['kind'] == 'connector' and found['problems'][0]['line'] > 30 and 'env' in found['problems'][0]['message'],
           'check names line and word', found)
        bad.write_text((folder / 'our_register.yaml').read_text().replace("'.industry // .sector'", "'.industry | if'"))
        found = json.loads(run('check', bad, '--json').stdout)
        ok(found['problems'][0]['name'] == 'program_syntax' and found['problems'][0]['line'] > 30, 'check compiles programs', found)
        bad.write_text((folder / 'our_register.yaml').read_text().replace('needs:', 'neds:').replace('kind: source', 'kind: sauce'))
        found = json.loads(run('check', bad, '--json').stdout)
        ok(found['problem_count'] == 2, 'check tells all faults of form', found)

    page = subprocess.run([sys.executable, ROOT / 'tools/connector_docs.py', GALENA], capture_output=True, text=True)
    ok(page.stdout == (ROOT / 'docs/connectors.md').read_text(encoding='utf-8'), 'docs/connectors.md is up to date', page.stderr)
    ok('clearbit' in run('connector', 'show', 'claerbit').stderr, 'a near name is proposed')
    ok('api_key (secret), needed' in run('connector', 'show', 'clearbit').stdout, 'show names settings')
    print(f'1..{number}')


os.environ.pop('GALENA_CONFIG', None)
main()
