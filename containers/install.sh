#!/bin/sh
# Last step of every image: gibbsflow itself, without network, into the environment that is there.
set -eu
for pip in /usr/share/python-wheels/pip-*.whl; do
  /opt/gibbsflow/bin/python "$pip/pip" install --quiet --disable-pip-version-check --no-cache-dir --no-index --no-deps \
    --no-build-isolation --compile /src/python
done
rm -rf /src
