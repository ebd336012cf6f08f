#!/bin/sh
# demo.sh — the whole way of leads, on sample leads with known truth, first from file to file, then through the running
# service: demo.sh PROGRAM [FOLDER].
set -eu
galena=$1
out=${2:-out/demo}
mkdir -p "$out"
data=""
server=""

# Also when something fails or somebody presses Ctrl-C: nothing is left running.
clean_up() {
    status=$?
    trap - EXIT INT TERM
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    if [ "$status" -ne 0 ] && [ -n "$data" ] && [ -s "$data/serve.log" ]; then
        echo "demo.sh: the service said:" >&2
        tail -n 5 "$data/serve.log" >&2
    fi
    [ -z "$data" ] || rm -rf "$data"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

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

printf '\nThe same model as a service: leads come in, are kept durably, and are scored at once.\n'
data=$(mktemp -d "${TMPDIR:-/tmp}/galena-demo.XXXXXX")
export GALENA_DATA="$data/leads"
printf '\n$ galena serve --model %s/model.galena --listen 127.0.0.1:0 &\n' "$out"
"$galena" serve --model "$out/model.galena" --listen 127.0.0.1:0 >"$data/serve.out" 2>"$data/serve.log" &
server=$!
tries=0
until grep -q "listening on" "$data/serve.out"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
        echo "demo.sh: the service did not start" >&2
        exit 1
    fi
    sleep 0.1
done
cat "$data/serve.out"
run lead import "$out/leads_new.csv" --id lead_id
tries=0
until "$galena" queue | grep -q "Nothing waits" || [ "$tries" -gt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
run queue
run lead list --tier warm --limit 5
lead=$("$galena" lead list --tier warm --limit 1 --json | sed -n 's/^ *"id": "\([0-9A-Z]*\)".*/\1/p' | head -n 1)
[ -z "$lead" ] || run lead show "$lead"
printf '\n$ kill %s\n' "$server"
kill "$server"
wait "$server"
server=""
echo "The service has stopped; its database (a temporary one, for this demo) is deleted."

printf '\nWhat was made, in %s:\n' "$out"
printf '  leads_past.csv   past leads and what became of them\n'
printf '  leads_new.csv    new leads\n'
printf '  truth.csv        the true probability of each, which no model was shown\n'
printf '  model.galena     the model\n'
printf '  report.html      how good it is: open it in a browser\n'
printf '  scored.csv       the new leads with score, interval, tier and reasons\n'
printf '\nNext: README.md, "Run it as a service"; galena help serve\n'
