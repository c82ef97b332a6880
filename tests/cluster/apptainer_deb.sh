#!/usr/bin/env bash
# Installs Debian unstable's own apptainer on a bookworm host as a dpkg-tracked package, without touching the
# host's libc: the deb is repacked with the libc, libseccomp and libsqlite3 it was linked against, in a
# private folder that only its two binaries look in (DT_RPATH + their own interpreter).
set -euo pipefail
: "${SUITE:=sid}" "${OUT:=/var/cache/apptainer-deb}"
export DEBIAN_FRONTEND=noninteractive
LIBS=/usr/lib/x86_64-linux-gnu/apptainer/sidlib
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
mkdir -p "$T"/{lists/partial,cache/archives/partial,dl,lib} "$OUT"
if ! ls "$OUT"/apptainer_*.deb >/dev/null 2>&1; then
  dpkg -s patchelf >/dev/null 2>&1 || { apt-get -q update >/dev/null; apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends patchelf >/dev/null; }
  # the host's own mirror, another suite; an apt state of its own, so nothing of the host's apt changes
  # shellcheck disable=SC2016  # variables of apt and of mmdebstrap
  uri=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | sort | uniq -c | sort -rn | awk 'NR==1{print $2}')
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nArchitectures: amd64\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' "$uri" "$SUITE" >"$T/alt.sources"
  A=(-q -o Dir::Etc::sourcelist="$T/alt.sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$T/lists"
     -o Dir::Cache="$T/cache" -o APT::Sandbox::User=root -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Languages=none)
  apt-get "${A[@]}" update >/dev/null
  (cd "$T/dl" && apt-get "${A[@]}" download apptainer libc6 libseccomp2 libsqlite3-0 >/dev/null)
  dpkg-deb -R "$T"/dl/apptainer_*.deb "$T/x"
  mkdir -p "$T/x$LIBS"
  for d in libc6 libseccomp2 libsqlite3-0; do dpkg -x "$T"/dl/${d}_*.deb "$T/lib"; done
  find "$T/lib" -path '*/x86_64-linux-gnu/*' -not -path '*gconv*' \( -name 'ld-linux-x86-64.so.2' -o -name 'lib[cm].so.6' \
    -o -name 'libresolv.so.2' -o -name 'libnss_*.so.2' -o -name 'libseccomp.so.2*' -o -name 'libsqlite3.so.*' \) -exec cp -a {} "$T/x$LIBS/" \;
  for f in usr/bin/apptainer usr/lib/x86_64-linux-gnu/apptainer/bin/starter; do
    patchelf --set-interpreter "$LIBS/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$LIBS" "$T/x/$f"
  done
  mkdir -p "$T/x/var/lib/apptainer/mnt/session"
  sed -i -E 's/^(Version: .*)$/\1~bookworm1/; s/libc6 \(>= [^)]*\)/libc6/; s/libsqlite3-0 \([^)]*\)/libsqlite3-0/' "$T/x/DEBIAN/control"
  (cd "$T/x" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
  dpkg-deb -Zgzip --root-owner-group -b "$T/x" "$OUT/" >/dev/null
fi
apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$OUT"/apptainer_*.deb >/dev/null
# a root without CAP_SYS_RESOURCE (this kind of VM) can't ask for "full"; give it the usual container set instead
if [ "$(id -u)" = 0 ] && [ $(( 0x$(awk '/^CapPrm/{print $2}' /proc/self/status) >> 24 & 1 )) = 0 ]; then
  sed -i 's/^root default capabilities = .*/root default capabilities = file/' /etc/apptainer/apptainer.conf
  apptainer capability add --user root CAP_AUDIT_WRITE,CAP_CHOWN,CAP_DAC_OVERRIDE,CAP_FOWNER,CAP_FSETID,CAP_KILL,CAP_MKNOD,CAP_NET_BIND_SERVICE,CAP_NET_RAW,CAP_SETFCAP,CAP_SETGID,CAP_SETPCAP,CAP_SETUID,CAP_SYS_CHROOT 2>/dev/null
fi
# unprivileged users mount SIFs with squashfuse
for p in squashfuse fuse-overlayfs; do dpkg -s "$p" >/dev/null 2>&1 || apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$p" >/dev/null; done
[ -c /dev/fuse ] && chmod 666 /dev/fuse
apptainer --version
