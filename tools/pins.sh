#!/usr/bin/env bash
# Writes requirements/*.txt: every version pinned, every file hashed, for all platforms and Pythons at once.
# Keeps the present pins where they still fit; `tools/pins.sh --upgrade` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  python3 -m venv .venv-pins
  .venv-pins/bin/python -m pip install --quiet uv
  uv=.venv-pins/bin/uv
fi

upgrade=("$@")

compile() {
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
    --no-config "${upgrade[@]}" "$@"
}

compile --all-extras pyproject.toml requirements/dev.in --output-file requirements/dev.txt
compile requirements/peers.in --output-file requirements/peers.txt
