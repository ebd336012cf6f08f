#!/usr/bin/env python3
"""make_lexicons.py — writes the lists of names, places and English words of share/lexicons from open sources.

  tools/make_lexicons.py [--words /usr/share/dict/american-english-small] share/lexicons

Names and places are those of the Python package Faker (MIT licence); English words those of Debian's wamerican-small (SCOWL).
One word a line, lower case, Latin letters without accents; places may have blanks."""
import argparse
import importlib
import pathlib
import pkgutil
import unicodedata

SPECIAL = str.maketrans({'ß': 'ss', 'ø': 'o', 'æ': 'ae', 'œ': 'oe', 'ł': 'l', 'đ': 'd', 'ð': 'd', 'þ': 'th', 'ı': 'i'})


def fold(text):
    text = unicodedata.normalize('NFD', text.lower().translate(SPECIAL))
    return ''.join(c for c in text if not unicodedata.combining(c))


def items(value):
    return [x for x in value if isinstance(x, str)] if isinstance(value, (list, tuple, dict, set)) else []


def collect(kind, wanted):
    import faker.providers
    found = set()
    package = importlib.import_module('faker.providers.' + kind)
    for module in [package, *(importlib.import_module(m.name) for m in pkgutil.iter_modules(package.__path__, package.__name__ + '.'))]:
        provider = getattr(module, 'Provider', None)
        for name in dir(provider) if provider else []:
            if wanted(name):
                found.update(items(getattr(provider, name)))
    return found


def plain(word, least):
    return word.isascii() and word.isalpha() and len(word) >= least


def names(raw):
    return sorted({w for x in raw for w in fold(x).replace('-', ' ').replace("'", '').split() if plain(w, 3)})


def places(raw):
    short = {fold(x).replace('-', ' ').replace('.', '').strip() for x in raw}
    return sorted(x for x in short if 1 <= len(x.split()) <= 3 and all(plain(w, 2) for w in x.split()) and len(x) >= 4)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('out')
    p.add_argument('--words', default='/usr/share/dict/american-english-small')
    a = p.parse_args()
    out = pathlib.Path(a.out)
    given = names(collect('person', lambda n: n.startswith('first_names')))
    surname = names(collect('person', lambda n: n.startswith('last_names')))
    place = places(collect('address', lambda n: n in ('countries', 'alpha_2_country_codes') or n in ('cities', 'city_names', 'states')))
    words = sorted({w for w in pathlib.Path(a.words).read_text(encoding='utf-8').split() if plain(w, 2) and w == w.lower()
                    and len(w) <= 12})
    for name, words_of in (('given-names', given), ('surnames', surname), ('places', place), ('english', words)):
        (out / (name + '.txt')).write_text('\n'.join(words_of) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
