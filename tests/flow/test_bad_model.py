"""test_bad_model.py — model files that were cut, altered, or made to do harm: refused with a clear message, never a crash."""
import copy
import json
import os
import random

import leads
from program import FlowTest, galena, main

FAMILIES = os.environ.get('GALENA_FAMILIES', 'logistic,naive_bayes,gbdt,auto').split(',')
TRIALS = int(os.environ.get('GALENA_TRIALS', '60'))

HOSTILE = [None, -1, 0, 1, 2**31, 2**53, -2**63, 1e300, -1e300, 1e-300, 0.5, '', 'x', 'x' * 5000, '\u0000', [], {}, [[]], [0] * 1000,
           True, False]


def nodes(value, path=()):
    """Every value below, with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, below in value.items():
            yield from nodes(below, (*path, key))
    if isinstance(value, list):
        for i, below in enumerate(value):
            yield from nodes(below, (*path, i))


def parent_of(document, path):
    for step in path[:-1]:
        document = document[step]
    return document


class BadModel(FlowTest):
    def setUp(self):
        super().setUp()
        self.new = self.path('new.csv', leads.new(12))

    def score(self, model_bytes, *options):
        return galena('score', self.new, '--model', self.path('bad.model', model_bytes), *options, timeout=60)

    def assert_refused(self, model_bytes, code, *names):
        done = self.score(model_bytes)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, '')
        self.assertRegex(done.stderr, rf'^galena: error\[({"|".join(names)})\]: \S*bad\.model')

    def assert_harmless(self, model_bytes, note):
        """Refused as damaged, or loaded; then every score is a probability within its interval."""
        done = self.score(model_bytes)
        self.assertIn(done.returncode, (0, 9), (note, done.stderr[-2000:]))
        if done.returncode == 9:
            self.assertIn('bad.model', done.stderr, note)
            return False
        for r in leads.read(done.stdout):
            if r['galena_status'] == 'scored':
                low, score, high = (float(r['galena_' + k]) for k in ('low', 'score', 'high'))
                self.assertTrue(0 <= low <= score <= high <= 1, (note, r))
        for words in (('explain', self.new, '--row', '1', '--model'), ('model', 'show')):
            shown = galena(*words, self.path('bad.model'), '--json', timeout=60)
            self.assertIn(shown.returncode, (0, 2, 9), (note, shown.stderr[-2000:]))
            json.loads(shown.stdout)
        return True


class Envelope(BadModel):
    def original(self):
        with open(leads.model(), 'rb') as f:
            return f.read()

    def test_no_model_at_all(self):
        for text in (b'', b'\n', b'hello', b'galena-mode', b'PK\x03\x04', leads.new().encode(), bytes(1000)):
            self.assert_refused(text, 2, 'model_not_a_model')

    def test_cut_anywhere(self):
        whole = self.original()
        head = whole.index(b'\n')
        cuts = {0, 1, 12, 13, 14, 15, 40, head - 1, head, head + 1, head + 2, len(whole) // 2, len(whole) - 2, len(whole) - 1}
        draw = random.Random(1)
        cuts |= {draw.randrange(len(whole)) for _ in range(TRIALS // 2)}
        for cut in sorted(cuts):
            if cut < 13:
                self.assert_refused(whole[:cut], 2, 'model_not_a_model')
            else:
                self.assert_refused(whole[:cut], 9, 'model_cut', 'model_damaged')

    def test_altered_by_one_byte(self):
        whole = self.original()
        head = whole.index(b'\n')
        draw = random.Random(2)
        for at in [*range(13, head + 1, 5), *(draw.randrange(head + 1, len(whole)) for _ in range(TRIALS))]:
            bad = bytearray(whole)
            bad[at] ^= 1 << draw.randrange(8)
            done = self.score(bytes(bad))
            self.assertIn(done.returncode, (2, 9), (at, done.stderr))
            self.assertRegex(done.stderr, r'error\[model_(checksum|cut|damaged|newer)\]: \S*bad\.model')
            self.assertTrue(done.returncode == 9 or 'model_newer' in done.stderr)

    def test_something_behind_it(self):
        self.assert_refused(self.original() + b'x', 9, 'model_checksum')

    def test_newer_version(self):
        for version in (2, 99, 10**18):
            self.assert_refused(leads.seal(leads.open_model(leads.model()), version), 2, 'model_newer')
        self.assert_refused(leads.seal(leads.open_model(leads.model()), 0), 9, 'model_checksum', 'model_damaged')
        self.assert_refused(leads.seal(leads.open_model(leads.model()), 10**30), 9, 'model_damaged')

    def test_the_seal_of_the_test_is_right(self):
        self.assert_runs(self.score(leads.seal(leads.open_model(leads.model()))))

    def test_missing_and_folder(self):
        self.assert_fails(galena('score', self.new, '--model', self.path('none')), 3, 'file_missing')
        self.assert_fails(galena('score', self.new, '--model', self.folder), 2, 'file_directory')


class Hostile(BadModel):
    """Under a right checksum."""

    def test_no_document(self):
        for text in (b'', b'\n', b'{}', b'[]', b'null', b'{"a":', b'\xff', b'{"name":1e999}', b'[' * 200000, b'{"a":' * 200000,
                     b'{"name":"a","name":"b"}', b'NaN'):
            self.assert_refused(leads.seal(text), 9, 'model_damaged')

    def test_deep_lineage(self):
        text = json.dumps(leads.open_model(leads.model()))
        deep = '"lineage": {"deep": ' + '[' * 100000 + ']' * 100000 + ', '
        self.assert_refused(leads.seal(text.replace('"lineage": {', deep, 1).encode()), 9, 'model_damaged')

    def test_missing_keys(self):
        for family in FAMILIES:
            document = leads.open_model(leads.model(family))
            for key in document:
                bad = {k: v for k, v in document.items() if k != key}
                if key != 'profile':
                    self.assert_refused(leads.seal(bad), 9, 'model_damaged', 'model_corrupt', 'calibration_corrupt', 'trees_invalid')

    def test_certain_harms(self):
        """Numbers that would make a score no number, or read beyond an array."""
        document = leads.open_model(leads.model('auto'))
        for change in (lambda d: d['members'][0].update(weight=-1), lambda d: d['members'][0].update(weight=1e300),
                       lambda d: d['members'][0].update(family='oracle'), lambda d: d.update(members=d['members'] * 9),
                       lambda d: d['term_of_column'].append(0), lambda d: d['term_of_column'].pop(),
                       lambda d: d['term_of_column'].__setitem__(0, 10**6), lambda d: d['term_of_column'].__setitem__(0, -1),
                       lambda d: d['importance'].append(0), lambda d: d['imputation'].__setitem__(0, -1),
                       lambda d: d['imputation'].__setitem__(0, None), lambda d: d.update(intercept=1e300),
                       lambda d: d.update(base_rate=-1), lambda d: d.update(hot=2), lambda d: d['schema'].update(fields=[]),
                       lambda d: d['schema']['fields'].append({'name': 'new', 'type': 'category', 'levels': ['a', 'b']}),
                       lambda d: d['schema']['fields'].reverse(), lambda d: d['calibration'].update(method='magic')):
            bad = copy.deepcopy(document)
            change(bad)
            self.assert_refused(leads.seal(bad), 9, 'model_damaged', 'model_corrupt', 'calibration_corrupt')

    def test_any_value_replaced(self):
        draw = random.Random(3)
        for family in FAMILIES:
            document = leads.open_model(leads.model(family))
            places = [p for p, _ in nodes(document) if p]
            seen = {}
            for p in places:  # as many of each kind of place
                seen.setdefault(tuple('*' if isinstance(s, int) else s for s in p), []).append(p)
            kinds = sorted(seen)
            for trial in range(TRIALS):
                path = draw.choice(seen[kinds[trial * 7919 % len(kinds)]])
                value = draw.choice(HOSTILE)
                bad = copy.deepcopy(document)
                parent_of(bad, path)[path[-1]] = value
                self.assert_harmless(leads.seal(bad), (family, path, str(value)[:40]))

    def test_any_value_removed(self):
        draw = random.Random(4)
        for family in FAMILIES:
            document = leads.open_model(leads.model(family))
            places = [p for p, _ in nodes(document) if p]
            for _ in range(TRIALS // 2):
                path = draw.choice(places)
                bad = copy.deepcopy(document)
                del parent_of(bad, path)[path[-1]]
                self.assert_harmless(leads.seal(bad), (family, path))


if __name__ == '__main__':
    main()
