#!/bin/sh
# Adds the packages of one lock to /opt/gibbsflow, hashes checked. The secret `ca` is for builds behind a proxy with a
# certificate of its own; it leaves no trace in the image.
set -eu
if [ -s /run/secrets/ca.crt ]; then export PIP_CERT=/run/secrets/ca.crt SSL_CERT_FILE=/run/secrets/ca.crt; fi
python3 -m venv /tools
/tools/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r /locks/uv.lock
/tools/bin/uv pip install --quiet --no-cache --python /opt/gibbsflow/bin/python --require-hashes --no-deps \
  --compile-bytecode -r "$1"
rm -rf /tools
