"""test_cli.py — the command line as a user meets it: help, errors, exit codes, manual pages, completion."""
import json
import os
import re
import shutil
import subprocess
import unittest

from program import GALENA, FlowTest, galena, main

COMMANDS = os.environ['GALENA_COMMANDS'].split(',')


def options_of(command):
    """The long options that a command's help lists."""
    return re.findall(r'^ {2}(?:-\w, | {4})--([a-z0-9-]+)', galena(*command.split(), '--help').stdout, re.MULTILINE)


class Help(FlowTest):
    def test_version(self):
        done = galena('--version')
        self.assert_runs(done)
        self.assertRegex(done.stdout, r'^galena \d+\.\d+\.\d+\n$')
        self.assertEqual(galena('version').stdout, done.stdout)
        self.assertEqual(json.loads(galena('version', '--json').stdout)['name'], 'galena')

    def test_overview_lists_the_commands_that_get_a_manual_page(self):
        done = galena('help')
        self.assert_runs(done)
        self.assertEqual(done.stdout, galena().stdout)
        listed = re.findall(r'^ {2}([a-z-]+(?: [a-z-]+)?) {2,}\S', done.stdout.split('Commands\n')[1], re.MULTILINE)
        self.assertEqual(listed, COMMANDS, 'galena_commands in src/cmd/meson.build and commands.c differ')

    def test_every_command_describes_itself(self):
        for command in COMMANDS:
            done = galena(*command.split(), '--help')
            self.assert_runs(done)
            self.assertTrue(done.stdout.startswith(f'galena {command} - '), done.stdout)
            self.assertEqual(done.stdout, galena('help', *command.split()).stdout)
            self.assertIn('--json', done.stdout)
            for line in done.stdout.splitlines():
                self.assertTrue(len(line) <= 80 or line.startswith('  $ '), line)

    def test_examples_in_the_help_use_options_that_exist(self):
        for command in COMMANDS:
            text = galena(*command.split(), '--help').stdout
            for line in re.findall(r'^ {2}\$ galena (.*)$', text, re.MULTILINE):
                of = next((c for c in sorted(COMMANDS, key=len, reverse=True) if line.startswith(c)), None)
                self.assertIsNotNone(of, line)
                for option in re.findall(r'(?<=\s)--([a-z0-9-]+)', line):
                    self.assertIn(option, options_of(of), line)

    def test_help_needs_no_other_option(self):
        self.assert_runs(galena('sample', '--rows', 'wrong', '--help'))
        self.assert_runs(galena('sample', '-h'))


class Errors(FlowTest):
    def test_unknown_command_proposes_a_near_one(self):
        done = galena('sampel')
        self.assert_fails(done, 1, 'usage_unknown_command')
        self.assertIn('did you mean "sample"?', done.stderr)
        self.assertEqual(done.stdout, '')

    def test_unknown_option_proposes_a_near_one(self):
        done = galena('sample', '--sede', '3')
        self.assert_fails(done, 1, 'usage_unknown_option')
        self.assertIn('unknown option --sede; did you mean --seed?', done.stderr)
        self.assertIn('galena help sample', done.stderr)

    def test_usage_errors_end_with_1(self):
        for words in (['--jsno'], ['sample', '--out'], ['sample'], ['sample', '--rows', 'x', '--out', 'y'], ['sample', 'word', '-o', 'y'],
                      ['check'], ['check', 'a', 'b'], ['help', 'nothing'], ['version', 'x']):
            done = galena(*words)
            self.assertEqual(done.returncode, 1, (words, done.stderr))
            self.assertRegex(done.stderr, r'^galena: error\[usage_\w+\]: ')

    def test_json_errors_are_one_document_on_standard_output(self):
        done = galena('check', self.path('none.csv'), '--json')
        self.assertEqual(done.stderr, '')
        error = json.loads(done.stdout)['error']
        self.assertEqual((error['code'], error['exit_code']), ('absent', 3))
        self.assertEqual(done.returncode, 3)
        self.assertIn('none.csv', error['message'])
        usage = galena('sample', '--rows', '3', '--json')
        self.assertEqual(json.loads(usage.stdout)['error']['code'], 'usage')
        self.assertEqual(usage.returncode, 1)

    def test_messages_cannot_command_the_terminal(self):
        done = galena('check', self.path('a\x1b]0;x\x07.csv'))
        self.assertNotIn('\x1b', done.stderr)
        self.assertNotIn('\x07', done.stderr)

    def test_full_disk_is_said(self):
        with open('/dev/full', 'wb') as full:
            done = subprocess.run([GALENA, 'help'], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn(b'error[output_write]', done.stderr)

    def test_reader_that_goes_away_is_no_message(self):
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, 'wb') as closed:
            done = subprocess.run([GALENA, 'help'], stdout=closed, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (141, b''))

    def test_colors_follow_the_option_and_the_environment(self):
        self.assertIn('\x1b[', galena('check', 'none', '--color', 'always').stderr)
        self.assertNotIn('\x1b[', galena('check', 'none').stderr)


class Logs(FlowTest):
    def test_log_lines_are_json(self):
        log = self.path('log')
        galena('check', self.path('none.csv'), '--log', log)
        with open(log, encoding='utf-8') as f:
            events = [json.loads(line) for line in f]
        self.assertEqual([e['event'] for e in events], ['command_begin', 'command_end'])
        self.assertEqual(events[1]['status'], 'absent')
        self.assertRegex(events[0]['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')


class Generated(FlowTest):
    @unittest.skipUnless(shutil.which('groff'), 'needs groff')
    def test_manual_pages_are_clean_roff(self):
        for command in ['', *COMMANDS]:
            page = galena('__man', *command.split()).stdout
            done = subprocess.run(['groff', '-man', '-ww', '-Tutf8', '-P-cbou'], input=page.encode(), capture_output=True, check=False)
            self.assertEqual(done.stderr, b'', command)
            text = done.stdout.decode()
            self.assertIn('EXIT STATUS', text)
            if command:
                for option in options_of(command):
                    self.assertIn('--' + option, text)

    def complete(self, *words):
        """What bash offers for the last of the words."""
        script = self.path('complete.bash', galena('__complete', 'bash').stdout)
        quoted = ' '.join("'" + w + "'" for w in words)
        done = subprocess.run(['bash', '-c', f'source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _galena; '
                               'printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, check=False, cwd=self.folder)
        self.assertEqual(done.stderr, b'')
        return done.stdout.decode().split()

    @unittest.skipUnless(shutil.which('bash'), 'needs bash')
    def test_bash_completes(self):
        self.assertEqual(self.complete('galena', 'samp'), ['sample'])
        self.assertEqual(self.complete('galena', 'sample', '--se'), ['--seed'])
        self.assertEqual(self.complete('galena', 'sample', '--color', 'n'), ['never'])
        self.path('leads.csv', 'a\n')
        self.assertEqual(self.complete('galena', 'check', 'le'), ['leads.csv'])
        for command in COMMANDS:
            offered = self.complete('galena', *command.split(), '--')
            self.assertEqual(sorted(offered), sorted('--' + o for o in options_of(command)), command)

    @unittest.skipUnless(shutil.which('zsh'), 'needs zsh')
    def test_zsh_reads_its_completion(self):
        script = self.path('_galena', galena('__complete', 'zsh').stdout)
        self.assertEqual(subprocess.run(['zsh', '-n', script], capture_output=True, check=False).stderr, b'')

    def test_other_shells_are_refused(self):
        self.assert_fails(galena('__complete', 'fish'), 1, 'usage_bad_value')


if __name__ == '__main__':
    main()
