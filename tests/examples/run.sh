#!/bin/sh
# The C++ examples, against each other:  run.sh <folder of the example programs>
set -eu
folder=$1
output=$(mktemp)
"$folder/example_price_server" 0 >"$output" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$output"' EXIT
for _ in $(seq 100); do
    [ -s "$output" ] && break
    sleep 0.1
done
url=$(head -n 1 "$output")

one=$("$folder/example_get" "$url/quotes/BTC")
[ "$one" = '200 {"symbol":"BTC","price":123.45}' ] || { echo "get said: $one" >&2; exit 1; }

many=$("$folder/example_gather_prices" "$url/quotes/BTC" "$url/quotes/ETH" "$url/quotes/SOL" | sort)
[ "$(echo "$many" | grep -c price)" = 3 ] || { echo "gather_prices said: $many" >&2; exit 1; }

if "$folder/example_get" "$url/nothing" >/dev/null; then echo "get ignored a 404" >&2; exit 1; fi
if "$folder/example_gather_prices" "http://127.0.0.1:1/" 2>/dev/null; then echo "gather_prices hid a failure" >&2; exit 1; fi

kill -INT "$server"
wait "$server"
