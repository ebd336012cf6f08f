"""test_sample.py — galena sample writes whole files or none, and the same ones for a seed."""
import csv
import json
import os
import pty
import signal
import subprocess
import time

from program import GALENA, FlowTest, galena, main

FILES = ['leads_new.csv', 'leads_past.csv', 'profile.yaml', 'truth.csv']


class Sample(FlowTest):
    def read(self, *parts):
        with open(os.path.join(self.folder, *parts), 'rb') as f:
            return f.read()

    def test_same_seed_same_bytes(self):
        for folder, seed in (('a', 7), ('b', 7), ('c', 8)):
            self.assert_runs(galena('sample', '--rows', 500, '--seed', seed, '--out', self.path(folder)))
        for name in FILES:
            self.assertEqual(self.read('a', name), self.read('b', name))
        self.assertNotEqual(self.read('a', 'leads_past.csv'), self.read('c', 'leads_past.csv'))
        self.assertEqual(sorted(os.listdir(self.path('a'))), FILES)

    def test_files_agree_with_one_another(self):
        summary = json.loads(galena('sample', '--rows', 1000, '--json', '--out', self.path('a')).stdout)
        past = list(csv.DictReader(self.read('a', 'leads_past.csv').decode().splitlines()))
        new = list(csv.DictReader(self.read('a', 'leads_new.csv').decode().splitlines()))
        truth = {row['lead_id']: row for row in csv.DictReader(self.read('a', 'truth.csv').decode().splitlines())}
        self.assertEqual((len(past), len(new), len(truth)), (1000, 100, 1100))
        self.assertEqual((summary['past_rows'], summary['new_rows']), (1000, 100))
        self.assertEqual(summary['positives'], sum(row['converted'] == 'yes' for row in past))
        self.assertNotIn('converted', new[0])
        for row in past:
            self.assertEqual(row['converted'], truth[row['lead_id']]['converted'])
        self.assertTrue(all(0 < float(row['true_probability']) < 1 for row in truth.values()))
        self.assertLess(max(row['created'] for row in past), min(row['created'] for row in new))

    def test_leak_adds_a_column_filled_after_the_outcome(self):
        galena('sample', '--rows', 2000, '--leak', '--out', self.path('a'))
        past = list(csv.DictReader(self.read('a', 'leads_past.csv').decode().splitlines()))
        self.assertTrue(all(row['converted'] == 'yes' for row in past if row['contract_signed_on']))
        filled = [row['contract_signed_on'] != '' for row in past if row['converted'] == 'yes']
        self.assertGreater(sum(filled) / len(filled), 0.9)

    def test_folder_that_cannot_be_is_said(self):
        self.path('file', 'x')
        self.assert_fails(galena('sample', '--out', self.path('file')), 2, 'sheet_folder')
        self.assert_fails(galena('sample', '--out', self.path('no/such')), 3, 'sheet_folder')

    def test_nothing_on_standard_error_in_a_pipe(self):
        done = galena('sample', '--rows', 300000, '--out', self.path('a'))
        self.assert_runs(done)
        self.assertEqual(done.stderr, '')

    def test_progress_on_a_terminal_is_erased(self):
        master, slave = pty.openpty()
        with subprocess.Popen([GALENA, 'sample', '--rows', '600000', '--out', self.path('a')], stderr=slave,
                              stdout=subprocess.DEVNULL) as running:
            os.close(slave)
            shown = b''
            while True:
                try:
                    got = os.read(master, 65536)
                except OSError:  # Linux says EIO when the other side has closed
                    break
                if not got:
                    break
                shown += got
            self.assertEqual(running.wait(), 0)
        os.close(master)
        self.assertIn('making leads', shown.decode(errors='replace'))
        self.assertTrue(shown.endswith(b'\r\x1b[K'), shown[-80:])

    def test_interrupted_run_leaves_no_file(self):
        folder = self.path('a')
        for number in (signal.SIGINT, signal.SIGTERM):
            with subprocess.Popen([GALENA, 'sample', '--rows', '10000000', '--out', folder]) as running:
                deadline = time.monotonic() + 60
                while not (os.path.isdir(folder) and len(os.listdir(folder)) >= 3) and time.monotonic() < deadline:
                    os.sched_yield()
                self.assertGreaterEqual(len(os.listdir(folder)), 3)
                running.send_signal(number)
                self.assertEqual(running.wait(timeout=60), 128 + number)
            self.assertEqual(os.listdir(folder), [])


if __name__ == '__main__':
    main()
