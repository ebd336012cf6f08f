"""program.py — what the flow tests share: running the built program, and unittest that speaks TAP."""
import os
import subprocess
import sys
import tempfile
import unittest

GALENA = os.environ.get('GALENA', 'build/src/cmd/galena')


def galena(*words, stdin=b'', env=None, cwd=None, timeout=120):
    """Runs the program to its end. Text in and out as UTF-8; stdin may be bytes."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([GALENA, *map(str, words)], input=data, capture_output=True, env={**os.environ, **(env or {})}, cwd=cwd,
                          timeout=timeout, check=False)
    done.stdout = done.stdout.decode(errors='replace')
    done.stderr = done.stderr.decode(errors='replace')
    return done


class FlowTest(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='galena-test-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, 'wb') as f:
                f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def assert_fails(self, done, code, name):
        """The program ended with `code` and said error[name] once, and did not crash."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stderr.count('error['), 1, done.stderr)
        self.assertIn(f'galena: error[{name}]: ', done.stderr)

    def assert_runs(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0

    def say(self, word, test, note=''):
        self.number += 1
        print(f'{word} {self.number} - {test.id().split(".", 1)[-1]}{note}', flush=True)

    def addSuccess(self, test):
        self.say('ok', test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say('ok', test, f' # SKIP {reason}')

    def fault(self, test, error):
        self.say('not ok', test)
        for line in self._exc_info_to_string(error, test).splitlines():
            print('#', line)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fault(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.fault(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.fault(subtest, err)


def main():
    """Runs the tests of the calling file."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    result = TapResult()
    suite.run(result)
    print(f'1..{result.number}')
    sys.exit(0)
