#!/usr/bin/env python3
"""check_style.py — tests of how the sources read: headers of files, line lengths, names of errors, lengths of functions. Prints TAP.

check_style.py --errors prints docs/errors.md; --lengths prints the longest functions and files.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAX_COLUMNS = 125
MAX_FILE_LINES = 600
LONG_FUNCTION = 60
MAX_LONG_SHARE = 0.03  # of all functions may be longer than LONG_FUNCTION
MAX_FUNCTION = 120
# Words that say nothing, or that belong to the making and not to the thing made.
BANNED = re.compile(r'\b(TODO|FIXME|XXX|HACK|WIP|obviously|simply put|as an AI|this session|the helper|worktree)\b')
FAIL = re.compile(r'\bfail\(\s*(ERR_\w+|[\w.>-]+)\s*,\s*"([^"]*)"\s*,\s*((?:"(?:\\.|[^"\\])*"\s*(?:PRI\w+\s*)?)*)', re.DOTALL)
# A line of a table of failures: {…, ERR_AGAIN, "disk_full", "the disk is full"…}.
ENTRY = re.compile(r'[{,]\s*(ERR_\w+),\s*"([^"]*)",\s*("(?:\\.|[^"\\])*")', re.DOTALL)
USAGE = re.compile(r'\bsession_usage\(\s*"([^"]*)"\s*,\s*((?:"(?:\\.|[^"\\])*"\s*)*)', re.DOTALL)


def sources(*suffixes, folders=('src', 'tests', 'fuzz')):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob('*')):
            if path.is_file() and path.suffix in suffixes:
                yield path


def name(path):
    return str(path.relative_to(ROOT))


def strip_code(text):
    """Comments and strings out, lines kept."""
    def blank(found):
        return re.sub(r'[^\n]', ' ', found.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.DOTALL)


def functions(path):
    """(name, first line, lines) of each function body: the format puts its closing brace alone in the first column."""
    lines = strip_code(path.read_text(encoding='utf-8')).splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        wrapped = number > 1 and re.match(r'^[A-Za-z_][^;={}]*\([^;{}]*,\s*$', lines[number - 2])
        if re.match(r'^[A-Za-z_].*\)\s*\{\s*\}?\s*$', line) or (start is None and wrapped and re.match(r'^\s+.*\)\s*\{\s*$', line)):
            start = number
        if line.startswith('}') and start is not None:
            found = re.search(r'(\w+)\s*\(', lines[start - 1]) or re.search(r'(\w+)\s*\(', lines[start - 2])
            yield (found.group(1) if found else '?'), start, number - start + 1
            start = None


def errors():
    """slug → list of (code, sentence, place)."""
    found = {}
    for path in sources('.c', '.cpp', folders=('src',)):
        text = path.read_text(encoding='utf-8')
        matches = [(m.start(), m.group(1), m.group(2), m.group(3)) for pattern in (FAIL, ENTRY) for m in pattern.finditer(text)]
        matches += [(m.start(), 'ERR_INPUT', m.group(1), m.group(2)) for m in USAGE.finditer(text)]
        for at, code, slug, sentence in matches:
            pieces = re.findall(r'"((?:\\.|[^"\\])*)"|(PRI\w+)', sentence)
            text_of = ''.join(p[0] for p in pieces).replace('\\"', '"').split('\\n')[0]
            found.setdefault(slug, []).append((code, text_of, f'{name(path)}:{text.count(chr(10), 0, at) + 1}'))
    return found


def errors_document():
    lines = ['# Errors by name', '',
             'Every failure has a stable name, shown as `galena: error[name]: sentence` and as `error.name` with `--json`. Scripts',
             'may rely on the name and on the exit code ([exit-codes.md](exit-codes.md)); sentences may change. Below, `…` stands for',
             'what differs from case to case. This page is generated: `python3 tools/check_style.py --errors`.', '',
             '| name | kind | sentence |', '|---|---|---|']
    for slug, uses in sorted(errors().items()):
        codes = sorted({c[4:].lower() if c.startswith('ERR_') else 'varies' for c, _, _ in uses})
        if slug.startswith('usage_'):
            codes = ['usage']
        sentences = []
        for _, sentence, _ in uses:
            shape = re.sub(r'%[-+ #0]*[\d.*]*(?:hh|h|ll|l|z|j|t)?[a-zA-Z]', '…', sentence).replace('%%', '%').replace('|', '\\|')
            if shape and shape not in sentences:
                sentences.append(shape)
        lines.append(f'| `{slug}` | {", ".join(codes)} | {"<br>".join(sentences[:4]) or "(made where it is shown)"} |')
    return '\n'.join(lines) + '\n'


def test_headers():
    for path in sources('.c', '.h', '.cpp'):
        first = path.read_text(encoding='utf-8').split('\n', 1)[0]
        if not re.match(rf'^/\* {re.escape(path.name)} — \S', first):
            yield f'{name(path)}:1: a file opens with "/* {path.name} — what it is for"'
    for path in sources('.h', folders=('src',)):
        guard = 'GALENA_' + '_'.join(path.relative_to(ROOT / 'src').parts).upper().replace('.', '_').replace('-', '_')
        if f'#ifndef {guard}\n' not in path.read_text(encoding='utf-8'):
            yield f'{name(path)}: the include guard is not {guard}'


def test_lines():
    for path in sources('.c', '.h', '.cpp', '.py', '.sh', folders=('src', 'tests', 'fuzz', 'tools', 'bench')):
        for number, line in enumerate(path.read_text(encoding='utf-8').split('\n'), 1):
            limit = MAX_COLUMNS if path.suffix in ('.c', '.h', '.cpp') else 140
            if len(line) > limit and 'http' not in line:
                yield f'{name(path)}:{number}: {len(line)} columns, at most {limit}'
            if '\t' in line:
                yield f'{name(path)}:{number}: a tab'
            if line != line.rstrip():
                yield f'{name(path)}:{number}: white space at the end'


def test_words():
    for path in sources('.c', '.h', '.cpp', folders=('src', 'tests', 'fuzz')):
        for number, line in enumerate(path.read_text(encoding='utf-8').split('\n'), 1):
            if BANNED.search(line):
                yield f'{name(path)}:{number}: "{BANNED.search(line).group(0)}"'
    for path in [*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md')]:
        for number, line in enumerate(path.read_text(encoding='utf-8').split('\n'), 1):
            if re.search(r'(/home/|/root/|/work/)', line):
                yield f'{name(path)}:{number}: a path of one machine'


def test_error_names():
    for slug, uses in sorted(errors().items()):
        if not re.fullmatch(r'[a-z][a-z0-9]*(_[a-z0-9]+)+', slug):
            yield f'{uses[0][2]}: "{slug}" is no name like part_fault'
        codes = {code for code, _, _ in uses if code.startswith('ERR_')}
        if len(codes) > 1 and not slug.startswith(('file_', 'usage_', 'log_')):
            yield f'{uses[0][2]}: "{slug}" means {", ".join(sorted(codes))}: one name, one meaning'


def test_errors_document():
    document = ROOT / 'docs/errors.md'
    if not document.is_file() or document.read_text(encoding='utf-8') != errors_document():
        yield 'docs/errors.md is not up to date: python3 tools/check_style.py --errors > docs/errors.md'


def test_function_lengths():
    lengths = [(length, function, f'{name(path)}:{line}') for path in sources('.c', folders=('src',))
               for function, line, length in functions(path)]
    if not lengths:
        return
    long = [x for x in lengths if x[0] > LONG_FUNCTION]
    if len(long) > max(3, MAX_LONG_SHARE * len(lengths)):
        yield f'{len(long)} of {len(lengths)} functions are longer than {LONG_FUNCTION} lines'
    for length, function, place in sorted(lengths, reverse=True):
        if length > MAX_FUNCTION:
            yield f'{place}: {function} has {length} lines, at most {MAX_FUNCTION}'
    median = sorted(lengths)[len(lengths) // 2][0]
    if median > 20:
        yield f'half of all functions are longer than {median} lines; the aim is 20'


def test_file_lengths():
    for path in sources('.c', '.h', '.cpp', folders=('src',)):
        count = path.read_text(encoding='utf-8').count('\n')
        if count > MAX_FILE_LINES:
            yield f'{name(path)}: {count} lines, at most {MAX_FILE_LINES}'


def test_settings_have_help():
    for path in sources('.c', folders=('src',)):
        text = path.read_text(encoding='utf-8')
        for entry in re.finditer(r'\{\s*\.name\s*=\s*"([^"]+)"[^{}]*?\.type\s*=\s*SETTING_\w+[^{}]*\}', text):
            help_text = re.search(r'\.help\s*=\s*"([^"]*)', entry.group(0))
            if not help_text or len(help_text.group(1)) < 8:
                yield f'{name(path)}: --{entry.group(1)} has no help'
            elif help_text.group(1)[0].isupper() and not help_text.group(1).split()[0].isupper():
                yield f'{name(path)}: the help of --{entry.group(1)} begins with a capital letter'


def test_documents_name_files_that_exist():
    """Links, and names like `room/file.h`; the build makes some."""
    made = {'store/query.h'}
    rooms = {path.name for path in (ROOT / 'src').iterdir() if path.is_dir()}
    for path in [*sorted(ROOT.glob('*.md')), *sorted((ROOT / 'docs').rglob('*.md'))]:
        text = path.read_text(encoding='utf-8')
        for file in re.findall(r'`(\w+/\w+\.[ch])`', text):
            if file.split('/')[0] in rooms and file not in made and not (ROOT / 'src' / file).exists():
                yield f'{name(path)}: there is no src/{file}'
        for link in re.findall(r'\]\(([^)#:\s]+)(?:#[^)]*)?\)', text):
            if not (path.parent / link).exists():
                yield f'{name(path)}: there is no {link}'


def report_lengths():
    lengths = sorted(((length, function, f'{name(path)}:{line}') for path in sources('.c', folders=('src',))
                      for function, line, length in functions(path)), reverse=True)
    for length, function, place in lengths[:25]:
        print(f'{length:5} {function} ({place})')
    if lengths:
        print(f'{len(lengths)} functions; median {lengths[len(lengths) // 2][0]} lines, '
              f'{sum(x[0] > LONG_FUNCTION for x in lengths)} longer than {LONG_FUNCTION}')


def main():
    if '--errors' in sys.argv:
        sys.stdout.write(errors_document())
        return
    if '--lengths' in sys.argv:
        report_lengths()
        return
    tests = [(f.__name__[5:].replace('_', ' '), f) for f in
             (test_headers, test_lines, test_words, test_error_names, test_errors_document, test_function_lengths, test_file_lengths,
              test_settings_have_help, test_documents_name_files_that_exist)]
    print(f'1..{len(tests)}')
    bad = 0
    for i, (title, test) in enumerate(tests, 1):
        faults = list(test())
        bad += len(faults)
        print(('not ok' if faults else 'ok'), i, '-', title)
        for fault in faults[:40]:
            print('#', fault)
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
