"""test_output.py — what appears under the final name, and when: disk full, no folder, interruption, closed pipes."""
import json
import os
import re
import resource
import signal
import subprocess
import time

import leads
from program import GALENA, FlowTest, galena, main

BEFORE = 'what was here before\n'


class Output(FlowTest):
    def setUp(self):
        super().setUp()
        self.new = self.path('new.csv', leads.new())

    def score(self, *options):
        return galena('score', self.new, '--model', leads.model(), *options)

    def assert_nothing_left(self):
        self.assertEqual([f for f in os.listdir(self.folder) if '.tmp' in f], [])

    def test_device_full(self):
        self.assert_fails(self.score('--out', '/dev/full'), 5, 'disk_full')
        with open('/dev/full', 'wb') as full:
            done = subprocess.run([GALENA, 'score', self.new, '--model', leads.model()], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn(b'error[disk_full]', done.stderr)

    def test_disk_full_in_mid_file(self):
        big = self.path('big.csv', leads.new(30000))
        out, report, model = (self.path(name, BEFORE) for name in ('out.csv', 'report.html', 'a.model'))

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        for words, name in ((['score', big, '--model', leads.model(), '--out', out], 'disk_full'),
                            (['score', big, '--model', leads.model(), '--rejects', out, '--out', self.path('x.csv')], 'disk_full')):
            done = subprocess.run([GALENA, *words], capture_output=True, preexec_fn=limit, check=False)
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertIn(f'error[{name}]'.encode(), done.stderr)
            self.assert_nothing_left()
        for path in (out, report, model):
            with open(path, encoding='utf-8') as f:
                self.assertEqual(f.read(), BEFORE)

    def test_model_is_not_written_when_the_disk_is_full(self):
        model = self.path('a.model', BEFORE)

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        past = self.path('past.csv', leads.past())
        done = subprocess.run([GALENA, 'train', past, '--target', 'won', '--id', 'id', '--family', 'logistic', '--out', model],
                              capture_output=True, preexec_fn=limit, check=False)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn(b'error[disk_full]', done.stderr)
        self.assertIn(b'a.model', done.stderr)
        self.assert_nothing_left()
        with open(model, encoding='utf-8') as f:
            self.assertEqual(f.read(), BEFORE)

    def test_folder_missing(self):
        self.assert_fails(self.score('--out', self.path('none/out.csv')), 3, 'file_missing')
        past = self.path('past.csv', leads.past())
        done = galena('train', past, '--target', 'won', '--family', 'logistic', '--out', self.path('none/a.model'))
        self.assert_fails(done, 3, 'file_missing')
        self.assertIn('none', done.stderr)

    def test_folder_as_output(self):
        self.assert_fails(self.score('--out', self.folder), 2, 'file_directory')
        done = galena('train', self.path('past.csv', leads.past()), '--target', 'won', '--family', 'logistic', '--out', self.folder)
        self.assert_fails(done, 2, 'file_directory')

    def test_training_tells_of_a_bad_output_before_the_work(self):
        past = self.path('past.csv', leads.past(20000))
        for words in (['--out', self.path('none/a.model')], ['--out', self.path('a.model'), '--report', self.path('none/r.html')]):
            began = time.monotonic()
            done = galena('train', past, '--target', 'won', '--id', 'id', *words)
            self.assert_fails(done, 3, 'file_missing')
            self.assertLess(time.monotonic() - began, 5)
            self.assertFalse(os.path.exists(self.path('a.model')))

    def test_failure_keeps_what_was_there(self):
        out = self.path('out.csv', BEFORE)
        bad = self.path('bad.csv.gz', b'\x1f\x8b\x08\x00')
        self.assert_fails(galena('score', bad, '--model', leads.model(), '--out', out), 2, 'gzip_truncated')
        with open(out, encoding='utf-8') as f:
            self.assertEqual(f.read(), BEFORE)
        self.assert_nothing_left()

    def test_input_as_output(self):
        """The file is replaced once it is read."""
        expected = self.score().stdout
        self.assert_runs(self.score('--out', self.new))
        with open(self.new, encoding='utf-8', newline='') as f:
            self.assertEqual(f.read(), expected)

    def test_two_outputs_of_one_name(self):
        done = self.score('--out', self.path('a.csv'), '--rejects', self.path('a.csv'))
        self.assert_fails(done, 1, 'usage_same_file')
        done = galena('train', self.new, '--target', 'won', '--out', self.path('a'), '--report', self.path('a'))
        self.assert_fails(done, 1, 'usage_same_file')
        done = galena('train', self.new, '--target', 'won', '--out', self.new)
        self.assert_fails(done, 1, 'usage_same_file')
        self.assertEqual(leads.new(), open(self.new, encoding='utf-8').read())

    def test_model_to_standard_output(self):
        """Then the summary goes to standard error."""
        past = self.path('past.csv', leads.past())
        done = subprocess.run([GALENA, 'train', past, '--target', 'won', '--id', 'id', '--family', 'logistic', '--out', '-'],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b'Ranking: ', done.stderr)
        self.assert_runs(galena('score', self.new, '--model', self.path('a.model', done.stdout)))

    def test_closed_pipe(self):
        big = self.path('big.csv', leads.new(60000))
        process = subprocess.Popen([GALENA, 'score', big, '--model', leads.model()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertIn(b'galena_score', process.stdout.readline())
        process.stdout.close()
        error = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(), error), (141, b''))

    def interrupt(self, number, *words):
        """Sends a signal once the temporary file is there; the input does not end."""
        process = subprocess.Popen([GALENA, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        text = leads.new(3000).encode()
        process.stdin.write(text)
        process.stdin.flush()
        for _ in range(100_000):
            if any('.tmp' in f for f in os.listdir(self.folder)):
                break
            select_a_moment(process)
        else:
            self.fail('no temporary file appeared')
        process.send_signal(number)
        _, error = process.communicate()
        self.assertEqual(process.returncode, 128 + number, error)

    def test_interruption(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            out, rejects = self.path('out.csv', BEFORE), self.path('rejects.csv')
            self.interrupt(number, 'score', '-', '--model', leads.model(), '--out', out, '--rejects', rejects)
            with open(out, encoding='utf-8') as f:
                self.assertEqual(f.read(), BEFORE)
            self.assertFalse(os.path.exists(rejects))
            self.assert_nothing_left()

    def test_interrupted_training_leaves_nothing(self):
        model, past = self.path('a.model'), self.path('past.csv', leads.past(8000))
        process = subprocess.Popen([GALENA, 'train', past, '--target', 'won', '--id', 'id', '--out', model], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        while len(os.listdir(f'/proc/{process.pid}/task')) < 2 and process.poll() is None:  # until it works on threads
            select_a_moment(process)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
        self.assertEqual(process.returncode, 130, error)
        self.assertFalse(os.path.exists(model))
        self.assert_nothing_left()

    def test_json_error_stays_apart_from_data(self):
        done = self.score('--json', '--out', '/dev/full')
        self.assertEqual(json.loads(done.stdout)['error']['name'], 'disk_full')
        done = galena('score', self.path('none.csv'), '--model', leads.model(), '--json')
        self.assertEqual(done.stdout, '')
        self.assertEqual(json.loads(done.stderr.splitlines()[-1])['error']['name'], 'file_missing')

    def test_summary_goes_to_standard_error_when_data_is_on_standard_output(self):
        done = self.score()
        self.assertEqual(len(leads.read(done.stdout)), 50)
        self.assertRegex(done.stderr, r'50 leads')
        quiet = self.score('--quiet')
        self.assertEqual((quiet.stdout, quiet.stderr), (done.stdout, ''))
        with_json = self.score('--json')
        self.assertEqual(with_json.stdout, done.stdout)
        self.assertEqual(json.loads(re.search(r'\{.*\}', with_json.stderr, re.DOTALL).group())['rows'], 50)


def select_a_moment(process):
    """Gives the program a millisecond, or less when it says something."""
    import select
    select.select([process.stderr], [], [], 0.001)


if __name__ == '__main__':
    main()
