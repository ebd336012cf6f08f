"""oracle.py: the sub-scores of a profile, written again in Python from docs/formats/profile.md, to check the C against.

Only what the tests need: no error messages. Everything in the document is read as text (BaseLoader) and typed here."""
import math
import re

import yaml

SECTIONS = ["firmographics", "technographics", "demographics", "chronographics", "behaviour"]
DAY_MS = 86400000
MULTIPLIER = {"k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "thousand": 1e3, "b": 1e9, "bn": 1e9,
              "billion": 1e9, "t": 1e12, "tn": 1e12, "trillion": 1e12}
AMOUNT = re.compile(r"^([-+]?)\s*(?:us\$|usd|eur|gbp|\$|€|£)?\s*([-+]?)((?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:e[-+]?\d+)?)"
                    r"\s*([a-z]+)?\s*(%)?$", re.I)
SENIORITY = [
    ("individual", ["assistant to", "executive assistant", "product owner", "lead generation"]),
    ("head", ["chief of staff"]),
    ("intern", ["intern", "internship", "trainee", "apprentice", "student"]),
    ("owner", ["owner", "founder", "cofounder", "proprietor", "managing partner", "founding partner", "general partner"]),
    ("c_level", ["ceo", "cfo", "cto", "cio", "cmo", "coo", "cro", "cpo", "cso", "cdo", "ciso", "chro", "cxo", "chief", "c level",
                 "c suite", "managing director"]),
    ("vp", ["vp", "svp", "evp", "avp", "vice president"]),
    ("c_level", ["president"]),
    ("director", ["director"]),
    ("head", ["head"]),
    ("manager", ["manager", "mgr", "supervisor", "team lead", "team leader"]),
    ("senior", ["senior", "sr", "lead", "principal", "staff"]),
    ("junior", ["junior", "jr", "entry", "assistant"]),
]


def number(text):
    m = AMOUNT.match(text.strip())
    if not m or not re.search(r"\d", m.group(3)):
        return None
    mult = 1.0
    if m.group(4):
        if m.group(4).lower() not in MULTIPLIER:
            return None
        mult = MULTIPLIER[m.group(4).lower()]
    return float((m.group(1) + m.group(2) + m.group(3)).replace(",", "")) * mult, m.group(4)


def quantity(text, geometric):
    """Middle of an amount or range, or None."""
    text = text.strip()
    one = number(text)
    if one:
        return one[0]
    m = re.match(r"^(.*[\d.kmbt%])\s*(?:-|–|—|\.\.| to )\s*(.*)$", text, re.I)
    if m:
        low, high = number(m.group(1)), number(m.group(2))
        if low and high:
            lo, hi = low[0], high[0]
            if low[1] is None and high[1] and lo * MULTIPLIER[high[1].lower()] <= hi:
                lo *= MULTIPLIER[high[1].lower()]
            if lo > hi:
                return None
            if lo == hi:
                return lo
            return math.sqrt(lo) * math.sqrt(hi) if geometric and lo > 0 else lo + (hi - lo) / 2
    m = re.match(r"^(.*)\+$", text) or re.match(r"^(?:>=|>|<=|<|over |under |up to )(.*)$", text, re.I)
    if m and number(m.group(1)):
        return number(m.group(1))[0]
    return None


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower()) if text.isascii() else re.findall(r"[a-z0-9\x80-\U0010ffff]+", text.lower())


def split(text, separator):
    parts = re.split(r"[;|,]" if separator is None else re.escape(separator), text)
    seen, out = set(), []
    for p in (p.strip() for p in parts):
        if p and p.lower() not in seen:
            seen.add(p.lower())
            out.append(p)
    return out


def weighted(v):
    """A list (weight 1 each) or a map text -> weight."""
    if isinstance(v, dict):
        return {k: float(w) for k, w in v.items()}
    return {k: 1.0 for k in v}


def range_credit(c, value):
    lo, hi = [None if b in ("null", "", "~") else float(b) for b in c["range"]]
    width = float(c["width"]) if "width" in c else None
    log = c.get("scale") == "log"
    f = (lambda x: math.log1p(max(x, 0.0))) if log else (lambda x: x)
    x = f(value)
    if lo is not None and hi is not None:
        a, b = f(lo), f(hi)
        w = width if width is not None else (b - a if b > a else (math.log(2) if log else max(abs(lo) / 4, 1e-9 if lo else 1)))
        return math.exp(-(((x - (a + b) / 2) / w) ** 2))
    edge = lo if lo is not None else hi
    gap = f(edge) - x if lo is not None else x - f(edge)
    w = width if width is not None else (math.log(2) if log else (abs(edge) / 4 if edge else 1))
    return 1.0 if gap <= 0 else math.exp(-((gap / w) ** 2))


def values_credit(c, text):
    pref = {k.lower(): v for k, v in weighted(c["values"]).items()}
    have = [t.lower() for t in (split(text, c["separator"]) if "separator" in c else [text.strip()])]
    hit = [pref[t] for t in have if t in pref]
    dot = sum(hit)
    if dot <= 0:
        return 0.0
    if c.get("match") == "cosine":
        return dot / (math.sqrt(len(have)) * math.sqrt(sum(v * v for v in pref.values())))
    return dot / (math.sqrt(len(have)) * math.sqrt(sum(v * v for v in hit))) * max(hit)


SECTOR = {"31": "3m", "32": "3m", "33": "3m", "44": "4r", "45": "4r", "48": "4t", "49": "4t"}


def code_credit(c, text):
    naics = "naics" in c
    best = None
    for lead in re.findall(r"\d+", text):
        if not 2 <= len(lead) <= (6 if naics else 4):
            continue
        for want, pref in weighted(c["naics" if naics else "sic"]).items():
            n = 0
            while n < min(len(lead), len(want)) and lead[n] == want[n]:
                n += 1
            same = n >= 2 or (naics and SECTOR.get(lead[:2], 1) == SECTOR.get(want[:2], 2))
            credit = pref * max(n - 1, 1) / (len(want) - 1) if same else 0.0
            best = max(best or 0.0, credit)
    return best


def keyword_credit(c, text):
    have = set(words(text))
    return max([p for k, p in weighted(c["keywords"]).items() if set(words(k)) <= have], default=0.0)


def seniority_of(text):
    have = " " + " ".join(words(text)) + " "
    for level, names in SENIORITY:
        if any(" " + n + " " in have for n in names):
            return level
    return "individual"


def same(text, wanted):
    if text.lower() == wanted.lower():
        return True
    try:
        return float(text) == float(wanted)
    except ValueError:
        return False


def compare(c, text):
    """True, False or None (unknown)."""
    for op in ("above", "at_least", "below", "at_most"):
        if op in c:
            v = quantity(text, False)
            t = float(c[op])
            return None if v is None else {"above": v > t, "at_least": v >= t, "below": v < t, "at_most": v <= t}[op]
    for op in ("is", "is_not"):
        if op in c:
            wants = c[op] if isinstance(c[op], list) else [c[op]]
            hit = any(same(text.strip(), w) for w in wants)
            return hit if op == "is" else not hit
    if "contains" in c:
        wants = c["contains"] if isinstance(c["contains"], list) else [c["contains"]]
        have = " " + " ".join(words(text)) + " "
        return any(" " + " ".join(words(w)) + " " in have for w in wants)
    raise KeyError(c)


COMPARISONS = ("above", "at_least", "below", "at_most", "is", "is_not", "contains")


def credit(c, text):
    if "range" in c:
        v = quantity(text, c.get("scale") == "log")
        return None if v is None else range_credit(c, v)
    if "values" in c:
        return values_credit(c, text)
    if "naics" in c or "sic" in c:
        return code_credit(c, text)
    if "keywords" in c:
        return keyword_credit(c, text)
    if "seniority" in c:
        return weighted(c["seniority"]).get(seniority_of(text), 0.0)
    r = compare(c, text)
    return None if r is None else float(r)


def date_ms(text):
    import datetime
    try:
        d = datetime.datetime.strptime(text.strip(), "%Y-%m-%d")
    except ValueError:
        return None
    return int((d - datetime.datetime(1970, 1, 1)).total_seconds() * 1000)


def event_credit(c, text, now_ms):
    """Sum of decays of one event kind (Eq. 11 without the impact), or None when nothing is known."""
    lam = float(c["decay"]) if "decay" in c else math.log(2) / float(c.get("half_life", 90))
    same = float(c.get("same_within", 14))
    dates, undated = [], False
    for part in split(text, None):
        m = re.match(r"^([^:]*):\s*(.*)$", part)
        body = part
        if "event" in c:
            if not m or m.group(1).strip().lower() != c["event"].lower():
                continue
            body = m.group(2)
        ms = date_ms(body)
        if ms is not None:
            dates.append(ms)
        elif body.strip().lower() not in ("no", "false", "0", "n"):
            undated = True
    total, last = 0.0, None
    for ms in sorted(dates):
        if last is not None and ms - last < same * DAY_MS:
            continue
        last = ms
        age = (now_ms - ms) / DAY_MS
        total += math.exp(-lam * age) if age >= 0 else float(c.get("future", 0)) * math.exp(lam * age)
    if not dates and undated:
        total = float(c.get("undated", 0.5))
    return min(total, 1.0)


def subscores(profile, row, now_ms=0):
    """{section: (score, unknown share) or (None, 1)} for a row given as {column: text}."""
    fields = profile.get("fields", {})
    missing = {m.lower() for m in profile.get("missing", [])}

    def cell(field):
        columns = fields.get(field, field)
        for column in columns if isinstance(columns, list) else [columns]:
            text = row.get(column, "").strip()
            if text and text.lower() not in missing:
                return text
        return None

    out = {}
    for section in SECTIONS:
        if section not in profile:
            continue
        body = profile[section]
        if section == "technographics":
            text = cell(body["field"])
            if text is None:
                out[section] = (None, 1.0)
                continue
            have = {t.lower() for t in split(text, body.get("separator"))}
            r, d, n = ({k.lower(): v for k, v in weighted(body.get(k, [])).items()} for k in ("required", "desired", "negative"))
            up = sum(v for k, v in {**r, **d}.items() if k in have)
            down = sum(v for k, v in n.items() if k in have)
            base = sum(r.values()) + sum(d.values())
            out[section] = ((up - down) / (base if base > 0 else sum(n.values())), 0.0)
            continue
        total = known = score = 0.0
        for c in body:
            w = float(c.get("impact" if section == "chronographics" else "weight", 1))
            total += abs(w)
            text = cell(c["field"])
            value = None
            if text is not None:
                value = event_credit(c, text, now_ms) if section == "chronographics" else credit(c, text)
            if value is not None:
                known += abs(w)
                score += w * value
        if known > 0:
            score /= known
        out[section] = (score if known > 0 else None, 1 - known / total)
    return out


def load(path):
    with open(path, encoding="utf-8") as f:
        return yaml.load(f, Loader=yaml.BaseLoader)
