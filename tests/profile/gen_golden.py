"""gen_golden.py: random rows scored by oracle.py with the example profiles → tests/golden/profile/subscores.json.

Run it from the root of the repository after a change of the formulas: /usr/bin/python3 tests/profile/gen_golden.py"""
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(__file__))
import oracle

NOW_MS = oracle.date_ms("2026-06-30")
POOL = {
    "employees": ["51-200", "12", "1,200", "10,000+", "abc", "", "0", "350", "5K", "2.5K", "unknown", "90-110"],
    "revenue": ["$3.5M", "$12M", "900K", "$1-5M", "", "N/A", "250000", "$1.2B", "-5"],
    "growth": ["12 %", "75", "99", "", "80%", "x"],
    "industry": ["541511", "5112", "51", "334413", "32; 5415", "722", "", "none", "54 and 5415"],
    "country": ["US", "us", "Germany", "DE", "", "FR", "United States"],
    "products": ["crm; email", "crm", "ads;crm;crm", "ads", "", "email ;CRM; seo", "x;y;z"],
    "technologies": ["Salesforce, Snowflake", "salesforce;segment|HubSpot", "HubSpot", "", "Kafka", "Snowflake, Segment, dbt"],
    "title": ["VP of Sales", "SVP, Sales Operations", "Head of Revenue Operations", "Student", "Software Engineer", "",
              "Chief Revenue Officer", "Executive Assistant to the CEO", "Senior Sales Manager", "Director, Marketing",
              "Founder & CEO", "Product Owner"],
    "funding": ["2026-06-01", "2024-01-05", "2026-06-01; 2026-06-05", "2026-05-01, 2026-06-20", "yes", "no", "", "2026-12-31",
                "2026-06-30"],
    "events": ["hire: 2026-05-30; layoff: 2026-06-15", "launch: 2026-01-01", "hire:2026-06-29|hire:2026-04-01", "", "hire: yes"],
    "pricing_visits": ["4", "0", "3", "", "12", "many"],
    "unsubscribed": ["yes", "no", "Yes", "", "1.0", "1"],
}


def row(r):
    return {column: r.choice(values) for column, values in POOL.items()}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "golden.yaml")
    profile = oracle.load(path)
    r = random.Random(7)
    cases = []
    for _ in range(400):
        x = row(r)
        scores = oracle.subscores(profile, x, NOW_MS)
        cases.append({"row": [x[c] for c in POOL],
                      "score": [scores.get(s, (None, 0))[0] for s in oracle.SECTIONS],
                      "unknown": [scores.get(s, (None, 0))[1] for s in oracle.SECTIONS]})
    out = {"columns": list(POOL), "now_ms": NOW_MS, "cases": cases}
    target = os.path.join(here, "..", "golden", "profile")
    os.makedirs(target, exist_ok=True)
    with open(os.path.join(target, "subscores.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")


main()
