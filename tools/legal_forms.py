#!/usr/bin/env python3
"""legal_forms.py — writes share/data/legal-forms.tsv from a table of organisation types: legal_forms.py org_types.yml OUT.tsv

The table is that of the rigour project (opensanctions/rigour, MIT licence). Forms of state bodies, charities and banks are
left out: there the word is part of the name.
"""
import sys
import unicodedata

import yaml

CLASSES = {'LLC', 'JSC', 'LP', 'LLP', 'GP', 'SP', 'COOP', 'JV', 'REL', ''}
# Words of names and of grammar that are a form only in rare cases, and what the table lacks.
NOT_FORMS = {'trust', 'bank', 'foundation', 'group', 'holding', 'holdings', 'cooperative', 'co operative', 'joint venture', 'pt', 'pc',
             'pe', 'ps', 'rs', 'pr', 'rp', 'og', 'on', 'an', 'va', 'de', 'firm', 'da', 'et', 'ad', 'partners', 'associates', 'union',
             'society', 'partnership', 'enterprise', 'fund', 'unlimited', 'private', 'public', 'sons', 'brothers', 'the',
             'individual', 'ii', 'in', 'at', 'ca', 'ip', 'ei', 'tu', 'yu', 'uu', 'nl', 'ets', 'll', 'cooperation', 'co operation',
             'incorporation',
             'osk', 'ek', 'ks', 'sc', 'ae', 'sd', 'as in'}
OURS = [('corp', 'INC'), ('corporation', 'INC'), ('corporations', 'INC'), ('inc', 'INC'), ('incorporated', 'INC'), ('co', 'CO'),
        ('company', 'CO'), ('companies', 'CO'), ('cia', 'CO'), ('cie', 'CO'), ('ltd', 'LTD'), ('limited', 'LTD'), ('lmtd', 'LTD'),
        ('plc', 'JSC'), ('public limited company', 'JSC'), ('llc', 'LLC'), ('limited liability company', 'LLC'), ('lp', 'LP'),
        ('limited partnership', 'LP'), ('llp', 'LLP'), ('na', 'INC'), ('national association', 'INC'), ('ag', 'JSC'),
        ('aktiengesellschaft', 'JSC'), ('se', 'JSC'), ('sa', 'JSC'), ('nv', 'JSC'), ('spa', 'JSC'), ('ab', 'JSC'), ('asa', 'JSC'),
        ('as', 'JSC'), ('oyj', 'JSC'), ('oy', 'LLC'), ('gmbh', 'LLC'), ('bv', 'LLC'), ('bvba', 'LLC'), ('sarl', 'LLC'),
        ('srl', 'LLC'), ('pty', 'LTD'), ('pte', 'LTD'), ('pvt', 'LTD'), ('sa de cv', 'JSC'), ('sab de cv', 'JSC'), ('kgaa', 'LP'),
        ('kg', 'LP'), ('ohg', 'GP'), ('ug', 'LLC'), ('lllp', 'LLP'), ('pllc', 'LLC'), ('bhd', 'LTD'), ('sdn bhd', 'LTD'),
        ('kk', 'JSC'), ('aps', 'LLC'), ('sas', 'LLC'), ('sl', 'LLC'), ('lda', 'LLC'), ('ltda', 'LLC'), ('kft', 'LLC'),
        ('sp z o o', 'LLC'), ('tbk', 'JSC'), ('ooo', 'LLC'), ('oao', 'JSC'), ('zao', 'JSC'), ('pao', 'JSC'), ('jsc', 'JSC'),
        ('ojsc', 'JSC'), ('cjsc', 'JSC'), ('pjsc', 'JSC'), ('joint stock company', 'JSC'), ('open joint stock company', 'JSC'),
        ('limited company', 'LTD'), ('gesellschaft mit beschrankter haftung', 'LLC')]


def fold(s):
    s = s.replace("'", '').replace('’', '').replace('ß', 'ss').replace('ø', 'o').replace('Ø', 'o').replace('ł', 'l')
    s = ''.join(c for c in unicodedata.normalize('NFD', s.lower()) if not unicodedata.combining(c) or ord(c) > 0x36f)
    words = ''.join(c if c.isalnum() or unicodedata.category(c)[0] == 'M' else ' ' for c in unicodedata.normalize('NFC', s)).split()
    out = []
    for w in words:  # s a r l -> sarl, as the program joins single letters
        if out and len(w) == 1 and out[-1][1]:
            out[-1] = (out[-1][0] + w, True)
        else:
            out.append((w, len(w) == 1))
    return ' '.join(w for w, _ in out)


def main():
    forms = {}
    for t in yaml.safe_load(open(sys.argv[1], encoding='utf-8'))['types']:
        kind = t.get('generic') or ''
        if kind not in CLASSES:
            continue
        for alias in [t.get('display'), t.get('compare')] + (t.get('aliases') or []):
            form = fold(alias or '')
            if form and form not in NOT_FORMS and len(form) > 1 and len(form.split()) <= 6:
                forms.setdefault(form, kind or 'OTHER')
    for form, kind in OURS:
        forms[fold(form)] = kind
    with open(sys.argv[2], 'w', encoding='utf-8') as f:
        f.write('# form<TAB>class: what stands in company names for their legal form, folded; see README.md\n')
        for form in sorted(forms):
            f.write(f'{form}\t{forms[form]}\n')


main()
