"""test_simulate.py — galena simulate writes files that agree with one another, the same ones for a seed."""
import csv
import json
import os

from program import FlowTest, galena, main

FILES = ['claims.csv', 'companies.csv', 'facts.csv', 'leads.csv', 'outcomes.csv', 'sources.csv', 'truth.csv']


class Simulate(FlowTest):
    def make(self, name, *words):
        done = galena('simulate', '--companies', 300, '--days', 60, '--leads', 20, '--json', '--out', self.path(name), *words)
        self.assert_runs(done)
        return json.loads(done.stdout)

    def rows(self, *parts):
        with open(os.path.join(self.folder, *parts), encoding='utf-8', newline='') as f:
            return list(csv.DictReader(f))

    def test_same_seed_same_bytes(self):
        for name, seed in (('a', 7), ('b', 7), ('c', 8)):
            self.make(name, '--seed', seed)
        self.assertEqual(sorted(os.listdir(self.path('a'))), FILES)
        for name in FILES:
            with open(self.path(f'a/{name}'), 'rb') as a, open(self.path(f'b/{name}'), 'rb') as b:
                self.assertEqual(a.read(), b.read(), name)
        self.assertNotEqual(self.rows('a', 'leads.csv'), self.rows('c', 'leads.csv'))

    def test_files_agree(self):
        summary = self.make('a')
        leads, truth = self.rows('a', 'leads.csv'), {row['lead_id']: row for row in self.rows('a', 'truth.csv')}
        outcomes, companies = self.rows('a', 'outcomes.csv'), {row['company_id'] for row in self.rows('a', 'companies.csv')}
        self.assertEqual((len(leads), len(companies), len(outcomes)), (summary['leads'], 300, summary['decided']))
        self.assertEqual([row['lead_id'] for row in leads], list(truth))
        received = {row['lead_id']: row['received_at'] for row in leads}
        self.assertEqual(sorted(received.values()), list(received.values()))
        for row in outcomes:
            self.assertGreater(row['known_at'], received[row['lead_id']])
            self.assertEqual(row['converted'], 'yes' if row['outcome'] == 'won' else 'no')
        self.assertEqual(sum(row['outcome'] == 'won' for row in outcomes), summary['won'])
        for row in truth.values():
            self.assertEqual(row['junk'] == 'yes', row['company_id'] == '')
            if row['same_as']:
                self.assertEqual(row['true_email'], truth[row['same_as']]['true_email'])
        asked = {row['object'] for row in self.rows('a', 'claims.csv')}
        self.assertLessEqual(asked, companies)
        self.assertLessEqual(asked, {row['company_id'] for row in truth.values()})

    def test_fused_claims_come_near_the_truth(self):
        """Of what the world says, fusion finds more than the best single source does."""
        self.make('a')
        self.assert_runs(galena('fuse', self.path('a/claims.csv'), '--out', self.path('facts.csv')))
        truth = {(row['object'], row['attribute']): row['value'] for row in self.rows('a', 'facts.csv')}
        kind = 'account.country'
        right = [row['value'] == truth[row['object'], kind] for row in self.rows('facts.csv') if row['attribute'] == kind]
        self.assertGreater(sum(right) / len(right), 0.95)

    def test_a_wrong_date_is_said(self):
        self.assert_fails(galena('simulate', '--out', self.path('a'), '--start', '2026-02-30'), 2, 'simulate_start')


if __name__ == '__main__':
    main()
