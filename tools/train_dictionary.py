#!/usr/bin/env python3
"""train_dictionary.py — trains the zstd dictionary for sealed leads on made-up leads: train_dictionary.py OUT.zdict

Prints how much it saves on leads made of other names, words, custom fields and shapes than those it was trained on. A dictionary
that was released is never trained again under the same name: sealed cells need the bytes they were sealed with. Needs the program
zstd.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

MAX_BYTE, DICTIONARY_ID, N_TRAIN, N_TEST, LEVEL = 16384, 1, 4000, 500, 1
SYLLABLES = ['ba', 'co', 'da', 'el', 'fi', 'gra', 'hel', 'in', 'jo', 'ka', 'lu', 'mer', 'no', 'or', 'pa', 'qui', 'ra', 'sol', 'ter', 'u',
             'vi', 'wes', 'xan', 'yor', 'zen', 'ton', 'berg', 'ley', 'mar', 'sen', 'stra', 'ne', 'ti', 'go', 'ri', 'bo', 'che', 'dro']
COMMON = {
    'source': ['web', 'webinar', 'import', 'referral', 'event', 'partner', 'advertisement', 'outbound', 'chat'],
    'seniority': ['c_level', 'vice_president', 'director', 'manager', 'senior', 'entry', 'owner'],
    'function': ['sales', 'marketing', 'engineering', 'finance', 'operations', 'human_resources', 'it', 'product', 'legal', 'support'],
    'title': ['Chief Executive Officer', 'Chief Technology Officer', 'Vice President of Sales', 'Head of Marketing',
              'Director of Engineering', 'Account Manager', 'Software Engineer', 'Product Manager', 'IT Manager', 'Founder',
              'Head of Operations', 'Sales Manager'],
    'industry': ['software', 'manufacturing', 'retail', 'healthcare', 'financial services', 'education', 'logistics', 'construction',
                 'professional services', 'energy', 'telecommunications', 'media'],
    'basis': ['consent', 'legitimate_interest', 'contract'],
    'band': ['1-10', '11-50', '51-200', '201-500', '501-1000', '1001-5000', '5001-10000', '10001+'],
    'crm': ['salesforce', 'hubspot', 'dynamics', 'pipedrive', 'zoho'],
    'currency': ['USD', 'EUR', 'GBP'],
    'medium': ['cpc', 'email', 'organic', 'social', 'referral'],
    'event': ['page_view', 'form_submit', 'email_open', 'email_click', 'demo_request', 'download', 'webinar_attended', 'pricing_view'],
    'top': ['com', 'io', 'org', 'net', 'de', 'co.uk', 'fr'],
}


class Maker:
    """Leads with names and free words of one half of the language: which half is said by `parity`."""

    def __init__(self, seed, parity):
        self.r = random.Random(seed)
        words = sorted({''.join(random.Random(i).choices(SYLLABLES, k=2 + i % 3)) for i in range(6000)})
        self.words = words[parity::2]
        self.custom = [self.word() + self.r.choice(['_score', '_id', '_note', '', '__c']) for _ in range(400)]

    def word(self):
        return self.r.choice(self.words)

    def pick(self, name):
        return self.r.choice(COMMON[name])

    def time(self):
        r = self.r
        return (f'{r.randint(2021, 2029)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}T{r.randint(0, 23):02}:{r.randint(0, 59):02}:'
                f'{r.randint(0, 59):02}Z')

    def sentence(self):
        return ' '.join(self.word() for _ in range(self.r.randint(4, 18))).capitalize() + '.'

    def maybe(self, record):
        """Real leads lack fields."""
        return {k: v for k, v in record.items() if self.r.random() > 0.12}

    def person(self, first, last, domain):
        r = self.r
        return self.maybe({
            'first_name': first, 'last_name': last, 'email': f'{first}.{last}@{domain}'.lower(),
            'phone': f'+{r.randint(1, 99)} {r.randint(100, 999)} {r.randint(1000000, 9999999)}', 'title': self.pick('title'),
            'seniority': self.pick('seniority'), 'function': self.pick('function'),
            'linkedin_url': f'https://www.linkedin.com/in/{first}-{last}-{r.randint(1, 9999)}'.lower()})

    def company(self, name, domain):
        r = self.r
        return self.maybe({
            'name': name, 'domain': domain, 'website': f'https://www.{domain}/',
            'industry': {'name': self.pick('industry'), 'taxonomy': 'naics', 'code': str(r.randint(110000, 999999))},
            'employees': r.randint(1, 40000), 'employees_band': self.pick('band'),
            'revenue': {'amount': r.randint(1, 900) * 10 ** r.randint(4, 8), 'currency': self.pick('currency')},
            'country': r.choice('US DE FR GB NL SE IN BR CA AU ES IT'.split()), 'region': self.word().capitalize(),
            'city': self.word().capitalize(), 'founded': r.randint(1890, 2029), 'public': r.random() < 0.2,
            'technologies': [self.word() for _ in range(r.randint(0, 8))]})

    def lead(self):
        r = self.r
        first, last = self.word().capitalize(), self.word().capitalize()
        firm = self.word().capitalize() + ' ' + self.word().capitalize()
        domain = firm.replace(' ', '').lower() + '.' + self.pick('top')
        lead = self.maybe({
            'lead_id': '%032x' % r.getrandbits(128), 'crm': self.pick('crm'), 'crm_object': r.choice(['lead', 'contact']),
            'crm_id': '00Q%015x' % r.getrandbits(60), 'created_at': self.time(), 'source': self.pick('source'),
            'person': self.person(first, last, domain), 'company': self.company(firm, domain),
            'consent': self.maybe({'email_opt_out': r.random() < .1, 'do_not_call': r.random() < .2, 'legal_basis': self.pick('basis'),
                                   'enrichment_opt_out': r.random() < .05}),
            'owner': f'{self.word()}@{self.word()}.com', 'status': r.choice(['new', 'open', 'working', 'nurturing', 'qualified']),
            'campaign': {'utm_source': self.word(), 'utm_medium': self.pick('medium'),
                         'utm_campaign': f'{self.word()}-{r.randint(2021, 2029)}'},
            'custom': {k: r.choice([self.sentence(), r.randint(0, 10 ** 6), self.word(), r.random() < .5, self.time()])
                       for k in r.sample(self.custom, r.randint(0, 10))},
            'engagement': [{'type': self.pick('event'), 'at': self.time(), 'url': f'https://{self.word()}.com/{self.word()}/{self.word()}',
                            'count': r.randint(1, 30)} for _ in range(r.randint(0, 5))],
            'notes': ' '.join(self.sentence() for _ in range(r.randint(0, 5)))})
        keys = list(lead)
        if r.random() < 0.5:
            r.shuffle(keys)
        indent = None if r.random() < 0.8 else 2
        return json.dumps({k: lead[k] for k in keys}, separators=None if indent or r.random() < .3 else (',', ':'), indent=indent)


def write_all(folder, leads):
    names = []
    for i, lead in enumerate(leads):
        names.append(os.path.join(folder, f'{i}.json'))
        with open(names[-1], 'w', encoding='utf-8') as f:
            f.write(lead)
    return names


def compressed(names, *options):
    total = 0
    for name in names:
        command = ['zstd', f'-{LEVEL}', '-c', '-q', '--no-check', *options, name]
        total += len(subprocess.run(command, check=True, capture_output=True).stdout)
    return total


def main():
    out = sys.argv[1]
    train, test = Maker(1, 0), Maker(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f'{folder}/train')
        os.mkdir(f'{folder}/test')
        names = write_all(f'{folder}/train', [train.lead() for _ in range(N_TRAIN)])
        subprocess.run(['zstd', '-q', '-f', '--train-fastcover', *names, f'--maxdict={MAX_BYTE}', f'--dictID={DICTIONARY_ID}',
                        f'-{LEVEL}', '-o', out], check=True)
        names = write_all(f'{folder}/test', [test.lead() for _ in range(N_TEST)])
        size = sum(os.path.getsize(n) for n in names)
        without, with_it = compressed(names), compressed(names, '-D', out)
    print(f'{N_TEST} other leads of {size / N_TEST:.0f} bytes: {without / N_TEST:.0f} bytes without, {with_it / N_TEST:.0f} with '
          f'({100 * (1 - with_it / without):.0f} % less)')


if __name__ == '__main__':
    main()
