"""The public lead tables that quality and speed are measured on: which column is the outcome and which columns must be left out.

The column lists follow the tables' own data dictionary: identifiers, and fields that were filled in after the outcome."""
import os

X_LEAKS = ["Tags", "Lead Quality", "Lead Profile", "Asymmetrique Activity Index", "Asymmetrique Profile Index",
           "Asymmetrique Activity Score", "Asymmetrique Profile Score"]

# The bars are the limits that quality.py checks: auc at least, log_loss at most, ece at most (None: ece_floor_p95 + 0.005).
TABLES = {
    "x_education": dict(file="x_education.csv", target="Converted", positive="1", id="Prospect ID",
                        exclude=["Lead Number"] + X_LEAKS, auc=0.900, log_loss=0.385, ece=0.031),
    "x_education_intake": dict(file="x_education.csv", target="Converted", positive="1", id="Prospect ID",
                               exclude=["Lead Number", "Last Activity", "Last Notable Activity"] + X_LEAKS,
                               auc=0.866, log_loss=0.442, ece=0.033),
    "bank": dict(file="bank.csv", target="y", positive="yes", id=None, exclude=["duration"], auc=0.740, log_loss=0.302,
                 ece=0.038),
    "online_shoppers": dict(file="online_shoppers.csv", target="Revenue", positive="TRUE", id=None, exclude=[], auc=0.925,
                            log_loss=0.238, ece=None),
}


def data_dir():
    """The folder with the public tables: GALENA_DATA, or ../shared/data/leads beside the repository."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.environ.get("GALENA_DATA") or os.path.normpath(os.path.join(here, "../../shared/data/leads"))


def path_of(name):
    return os.path.join(data_dir(), TABLES[name]["file"])


def train_arguments(name):
    """The options of `galena train` for this table, without --out."""
    t = TABLES[name]
    args = [path_of(name), "--target", t["target"], "--positive", t["positive"], "--split", "hash:0.3"]
    if t["id"]:
        args += ["--id", t["id"]]
    if t["exclude"]:
        args += ["--exclude", ",".join(t["exclude"])]
    return args
