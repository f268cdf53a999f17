#!/bin/sh
# Writes packaging/requirements.lock anew, for every platform and Python from 3.11 on; needs uv and a network.
set -eu
cd "$(dirname "$0")/.."
lock=packaging/requirements.lock
{
    echo "# Made by packaging/lock.sh of pyproject.toml: every library that mailscope rests on (with geoip), with its hashes."
    uv pip compile pyproject.toml --extra geoip --universal --python-version 3.11 --generate-hashes \
        --no-annotate --no-header --quiet "$@"
} >"$lock.new"
mv "$lock.new" "$lock"
