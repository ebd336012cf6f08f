#!/usr/bin/env python3
"""check_report.py — the pages that test_report writes are well-formed, self-contained and whole. Prints TAP.

Usage: check_report.py TEST_REPORT_PROGRAM
"""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree


def faults(text):
    page = tree.fromstring(text)  # strict: an unescaped or unclosed anything fails here
    tags = {e.tag.split('}')[-1] for e in page.iter()}
    ids = [e.get('id') for e in page.iter() if e.get('id')]
    yield from (f'<{t}> is there' for t in tags & {'script', 'img', 'iframe', 'link', 'object', 'embed', 'form', 'input', 'b-'})
    yield from (f'id {i} is there twice' for i in set(ids) if ids.count(i) > 1)
    for e in page.iter():
        for key, value in e.attrib.items():
            if key.startswith('on') or key in ('src', 'srcset', 'action', 'style'):
                yield f'<{e.tag}> has {key}'
            if key == 'href' and not (value.startswith('#') and value[1:] in ids):
                yield f'link to {value}'
            if re.search(r'nan|inf\b', value) and key not in ('class', 'content'):
                yield f'{key}="{value}"'
    csp = [e.get('content') for e in page.iter('meta') if e.get('http-equiv') == 'Content-Security-Policy']
    if len(csp) != 1 or "default-src 'none'" not in csp[0]:
        yield 'no policy against scripts and network'
    if re.search(r'url\(|@import|https?://(?!www\.w3\.org/2000/svg")', text):
        yield 'something is loaded'
    shown = ''.join(t for e in page.iter() if not e.tag.endswith('style') for t in (e.text or '', e.tail or ''))
    if re.search(r'\b-?(nan|inf)\b', shown):
        yield 'a figure that is none is shown as text'


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1]], env=dict(os.environ, GALENA_REPORT_OUT=folder), check=True, stdout=subprocess.DEVNULL)
        names = sorted(os.listdir(folder))
        print(f'1..{len(names) + 1}')
        print('ok 1 - pages were written' if names else 'not ok 1 - no page was written')
        failed = not names
        for i, name in enumerate(names, 2):
            with open(os.path.join(folder, name), encoding='utf-8') as f:
                try:
                    found = list(faults(f.read()))
                except tree.ParseError as e:
                    found = [str(e)]
            failed |= bool(found)
            print(f'{"not ok" if found else "ok"} {i} - {name}')
            for fault in found:
                print(f'# {fault}')
    sys.exit(failed)


main()
