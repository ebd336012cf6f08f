"""test_crash.py — the short form of the crash matrix: every named place once on each database, and the oracle (`make check-crash`
is the long form)."""
import os
import unittest

from crash_matrix import PLACES, SQLITE_PLACES, Campaign
from pipeline import Postgres, has_crash_points, say
from program import main


@unittest.skipUnless(has_crash_points(), 'the program has no crash points (meson option crash_points)')
class Crash(unittest.TestCase):
    def setUp(self):
        self.campaign = Campaign(int(os.environ.get('SEED', '7')))
        self.addCleanup(self.campaign.close)

    def check(self, kills, on_postgres):
        c = self.campaign
        c.round(kills, on_postgres)
        c.report()
        self.assertEqual(c.violations, [])
        self.assertGreater(c.leads, kills)
        self.assertGreaterEqual(c.total(), kills * 2 // 3)

    def test_sqlite(self):
        self.check(12, False)

    @unittest.skipUnless(Postgres.there(), 'PostgreSQL is not installed')
    def test_postgres_with_three_workers(self):
        self.check(8, True)

    def test_every_place_is_in_the_program(self):
        """A place that is renamed must be renamed here."""
        source = os.path.join(os.environ['GALENA_SOURCE'], 'src')
        text = ''
        for folder, _, names in os.walk(source):
            for name in names:
                if name.endswith('.c'):
                    with open(os.path.join(folder, name), encoding='utf-8') as f:
                        text += f.read()
        for place in {**PLACES, **SQLITE_PLACES}:
            self.assertTrue(f'crash_point("{place}")' in text, place)
        say(f'{len(PLACES) + len(SQLITE_PLACES)} places')


if __name__ == '__main__':
    main()
