#!/bin/sh
# demo.sh — the whole way of a file of leads, on sample leads with known truth: demo.sh PROGRAM [FOLDER].
set -eu
galena=$1
out=${2:-out/demo}
mkdir -p "$out"

# Shows a command as a user would type it, then runs it.
run() {
    printf '\n$ galena %s\n' "$*"
    "$galena" "$@"
}

echo "Galena's demo: invented leads, of which we know the true probability of conversion."
run sample --rows 4000 --seed 7 --out "$out"
run check "$out/leads_past.csv"
run train "$out/leads_past.csv" --target converted --positive yes --id lead_id --time created \
    --out "$out/model.galena" --report "$out/report.html"
run evaluate "$out/leads_past.csv" --model "$out/model.galena" --target converted
run score "$out/leads_new.csv" --model "$out/model.galena" --reasons 3 --out "$out/scored.csv"
run explain "$out/leads_new.csv" --model "$out/model.galena" --row 1

printf '\nWhat was made, in %s:\n' "$out"
printf '  leads_past.csv   past leads and what became of them\n'
printf '  leads_new.csv    new leads\n'
printf '  truth.csv        the true probability of each, which no model was shown\n'
printf '  model.galena     the model\n'
printf '  report.html      how good it is: open it in a browser\n'
printf '  scored.csv       the new leads with score, interval, tier and reasons\n'
