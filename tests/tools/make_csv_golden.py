#!/usr/bin/env python3
"""Writes tests/golden/csv_python.case: random CSV files by Python's csv module, and the rows it reads from them.

Run from the root of the source tree. The form of the file is that of tests/cases/csv/read.case."""
import csv
import io
import random

random.seed(20260301)
PARTS = ["a", "b c", '"', ",", ";", "|", "\n", "\r\n", " ", "é", "€", "😀", "'", "0", "long text without end", "\\", "%"]


def escape(text):
    return "".join(chr(b) if 0x20 <= b < 0x7F and b != 0x25 else "%%%02X" % b for b in text.encode())


def shown(text):  # as the test shows what it read: % itself is not escaped there
    return "".join(chr(b) if 0x20 <= b < 0x7F else "%%%02X" % b for b in text.encode())


with open("tests/golden/csv_python.case", "w", newline="\n") as out:
    out.write("# Made by tests/tools/make_csv_golden.py.\n")
    for i in range(300):
        delimiter = random.choice(",;\t|")
        columns, count = random.randint(2, 5), random.randint(1, 6)
        rows = [["".join(random.choices(PARTS, k=random.randint(0, 5))) for _ in range(columns)] for _ in range(count)]
        file = io.StringIO(newline="")
        quoting = random.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC])
        csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=random.choice(["\n", "\r\n", "\r"])).writerows(rows)
        read = list(csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=delimiter, strict=True))
        if read != rows:
            continue  # the writer does not quote a line end other than its own
        text = " ".join("".join("[%s]" % shown(cell) for cell in row) for row in read)
        out.write("python_%d\tdelimiter=%s\t%s\t%s\n" % (i, escape(delimiter).replace(",", "%2C"), escape(file.getvalue()), text))
