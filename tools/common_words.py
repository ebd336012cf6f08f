#!/usr/bin/env python3
"""common_words.py — writes share/data/common-words.txt from a word list: common_words.py /usr/share/dict/american-english OUT.txt

The list is that of Debian's package wamerican, which is made from SCOWL. Words are folded and in the singular, as the program
writes them; forms that end in 's are left out.
"""
import sys
import unicodedata


def singular(w):
    if len(w) < 5 or w[-1] != 's' or w[-2] in 'sui':
        return w
    return w[:-3] + 'y' if len(w) > 5 and w.endswith('ies') else w[:-1]


words = set()
for line in open(sys.argv[1], encoding='utf-8'):
    w = ''.join(c for c in unicodedata.normalize('NFD', line.strip().lower()) if not unicodedata.combining(c))
    if w.isascii() and w.isalpha() and len(w) > 2:
        words.add(singular(w))
with open(sys.argv[2], 'w', encoding='utf-8') as f:
    f.write('\n'.join(sorted(words)) + '\n')
