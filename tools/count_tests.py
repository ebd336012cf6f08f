#!/usr/bin/env python3
"""count_tests.py — adds up the single tests of a run: count_tests.py meson-logs/testlog.json

Programs that speak TAP count with each of their tests, others as one. Ends with "N passed, N failed" (and ", N skipped" when some
were); the exit code is 1 when one failed or none ran.
"""
import json
import re
import sys

TAP = re.compile(r'^(not )?ok\b[^#]*(#\s*(skip|todo))?', re.IGNORECASE)


def count(entry):
    """(passed, failed, skipped) of one test program."""
    passed = failed = skipped = 0
    for line in entry.get('stdout', '').splitlines():
        found = TAP.match(line)
        if not found:
            continue
        if (found.group(3) or '').lower() == 'skip':
            skipped += 1
        elif found.group(1) and (found.group(3) or '').lower() != 'todo':
            failed += 1
        else:
            passed += 1
    good = entry['result'] in ('OK', 'EXPECTEDFAIL')
    if entry['result'] == 'SKIP':
        return passed, failed, max(skipped, 1)
    if passed + failed + skipped == 0:
        return (1, 0, 0) if good else (0, 1, 0)
    if not good and failed == 0:
        failed = 1  # it crashed or ran out of time between two tests
    return passed, failed, skipped


def main():
    with open(sys.argv[1], encoding='utf-8', errors='replace') as f:
        totals = [sum(column) for column in zip(*(count(json.loads(line)) for line in f if line.strip()))] or [0, 0, 0]
    passed, failed, skipped = totals
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
