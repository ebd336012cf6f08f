#!/usr/bin/env python3
"""tidy.py — runs clang-tidy over src/*.c: tidy.py BUILD [JOBS]. BUILD is a folder that ninja has built with clang.

A source that was clean is not looked at again until it, a header it includes, or .clang-tidy changes: BUILD/tidy.json remembers.
Ends with 1 when there are findings, which it prints.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def dependencies(build):
    """Source file → the files of this tree that its object was made from, as ninja recorded them."""
    found = {}
    for block in subprocess.check_output(['ninja', '-C', build, '-t', 'deps'], text=True).split('\n\n'):
        files = [(build / line.strip()).resolve() for line in block.splitlines()[1:]]
        files = [file for file in files if file.is_relative_to(ROOT)]
        found.update({file: files for file in files if file.suffix == '.c'})
    return found


def fingerprint(files, of_file):
    for file in files:
        if file not in of_file:
            of_file[file] = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ''
    return hashlib.sha256(''.join(of_file[file] for file in files).encode()).hexdigest()


def look(build, source):
    done = subprocess.run(['clang-tidy', '--quiet', '-p', build, '--warnings-as-errors=*', ROOT / source], capture_output=True,
                          text=True, check=False)
    return source, done.returncode, done.stdout or done.stderr


def main():
    build, jobs = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    memory = build / 'tidy.json'
    clean = json.loads(memory.read_text(encoding='utf-8')) if memory.exists() else {}
    listed = subprocess.check_output(['git', 'ls-files', 'src/*.c'], cwd=ROOT, text=True).split()
    known, of_file, wanted = dependencies(build), {}, {}
    for name in listed:
        # A source that this build leaves out (a driver that is switched off has a stand-in) depends on itself alone.
        files = [ROOT / '.clang-tidy', *known.get(ROOT / name, [ROOT / name])]
        mark = fingerprint(files, of_file)
        if clean.get(name) != mark:
            wanted[name] = mark
    print(f'{len(wanted)} of {len(listed)} files have changed since they were clean', flush=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, code, text in pool.map(lambda name: look(build, name), wanted):
            if code == 0:
                clean[name] = wanted[name]
                memory.write_text(json.dumps(clean), encoding='utf-8')
            else:
                bad += 1
                print(text, flush=True)
    if bad:
        sys.exit(f'clang-tidy finds something in {bad} files')


if __name__ == '__main__':
    main()
