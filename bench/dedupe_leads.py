#!/usr/bin/python3
"""Synthetic leads with known duplicates: writes a CSV and tells which rows are one person.

  bench/dedupe_leads.py OUT ROWS [--seed N]

People work at companies of very different sizes; colleagues share company, domain, address and often the telephone number; given
names and surnames follow a steep law, so that different people of one name exist, within one company too. A fifth of the rows
are further rows of earlier people, with slips of the keyboard, empty cells, a new address for mail, another spelling of the
company or another order of the names."""
import argparse
import csv
import random

CONSONANT, VOWEL = "bcdfghjklmnprstvwz", "aeiou"


def word(r, syllables):
    return "".join(r.choice(CONSONANT) + r.choice(VOWEL) + (r.choice("nrslt") if r.random() < 0.3 else "")
                   for _ in range(syllables))


def words(r, n, low, high):
    out = set()
    while len(out) < n:
        out.add(word(r, r.randint(low, high)).capitalize())
    return sorted(out)


def steep(r, n, power=2.2):
    return int(n * r.random() ** power)


def slip(r, s):
    if len(s) < 3:
        return s
    i = r.randrange(len(s) - 1)
    return r.choice([s[:i] + s[i + 1:], s[:i] + s[i + 1] + s[i] + s[i + 2:], s[:i] + r.choice(CONSONANT) + s[i + 1:],
                     s[:i] + s[i] + s[i:]])


COLUMNS = ["first_name", "last_name", "email", "phone", "company", "domain", "city", "postcode", "country"]
LEGAL = ["Inc", "LLC", "Ltd", "GmbH", "SA", "AG", ""]


class World:
    def __init__(self, rows, seed):
        self.r = r = random.Random(seed)
        self.given = words(r, 1500, 2, 3)
        self.sur = words(r, 30000, 2, 4)
        self.cities = [(c, f"{r.randrange(10000, 99999)}", r.choice(["US", "DE", "FR", "GB", "NL"])) for c in words(r, 3000, 2, 4)]
        self.companies = []
        for _ in range(max(rows // 12, 10)):
            name = " ".join(w.capitalize() for w in (word(r, r.randint(2, 3)), r.choice(["systems", "labs", "works", "group", "data",
                            "foods", "energy", "health", "media", "partners"])))
            domain = name.lower().replace(" ", "") + r.choice([".com", ".io", ".net", ".de"])
            self.companies.append((name, domain, r.choice(self.cities), f"+{r.randrange(1, 60)}{r.randrange(10**8, 10**9)}"))

    def person(self):
        r = self.r
        first, last = self.given[steep(r, len(self.given))], self.sur[steep(r, len(self.sur))]
        name, domain, (city, postcode, country), phone = self.companies[steep(r, len(self.companies), 1.8)]
        local = r.choice([f"{first}.{last}", f"{first[0]}{last}", f"{first}", f"{last}.{first[0]}"]).lower()
        mail = f"{local}{r.randrange(1, 99) if r.random() < 0.2 else ''}@{domain}"
        if r.random() < 0.5:
            phone = f"+{r.randrange(1, 60)}{r.randrange(10**8, 10**9)}"
        return [first, last, mail, phone, f"{name} {r.choice(LEGAL)}".strip(), domain, city, postcode, country]

    def again(self, row):
        """The same person, as entered another time."""
        r, x = self.r, list(row)
        for i in range(len(x)):
            if r.random() < 0.12:
                x[i] = slip(r, x[i])
            if r.random() < 0.10:
                x[i] = ""
        if r.random() < 0.05:
            x[0], x[1] = x[1], x[0]
        if r.random() < 0.1:
            x[2] = f"{row[0]}{row[1]}{r.randrange(99)}@mail.example".lower()
        if r.random() < 0.15:
            x[4] = x[4].rsplit(" ", 1)[0]
        return x


def write_leads(path, rows, seed):
    """Writes the file; returns {lead_id: person}."""
    w, r, gold, people = World(rows, seed), random.Random(seed + 1), {}, []
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["lead_id"] + COLUMNS)
        for i in range(rows):
            if people and r.random() < 0.2:
                who = r.randrange(len(people))
                row = w.again(people[who])
            else:
                who = len(people)
                people.append(w.person())
                row = people[who]
            gold[f"L{i:07d}"] = who
            out.writerow([f"L{i:07d}"] + row)
    return gold


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("out")
    p.add_argument("rows", type=int)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    write_leads(a.out, a.rows, a.seed)
