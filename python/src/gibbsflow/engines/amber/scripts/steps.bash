#!/usr/bin/env bash
# What run-segment.bash and run-exchange.bash share: read by them, not run.
# A folder's file `steps` lists its runs in order: a name (its input is NAME.in), its MD steps (0: a minimisation), and
# further options of the program. NAME.done says that a run is whole: its steps, and how long its restart is.
# shellcheck disable=SC2034,SC2154,SC2094 # home and folder are those of the script that reads this
export LC_ALL=C
readonly MOST_ATTEMPTS=3

quit() { # CODE WORDS: codes as those of gibbsflow (65 input, 70 it failed, 74 disk, 75 stopped, 78 machine)
  echo "$folder: $2" >&2
  exit "$1"
}

hold() { # two runs never share a folder; a program that outlives its script holds it too
  local code=0
  { exec 9>.lock; } 2>/dev/null || quit 74 "cannot be written into"
  flock -n 9 || code=$?
  ((code != 1)) || quit 75 "another run holds it"
  ((code == 0)) || quit 78 "flock cannot lock it (code $code), so that two runs could share it"
}

number() { # FILE: what it holds, 0 where it holds none
  local text=''
  [[ -s $1 ]] && text=$(<"$1")
  [[ $text =~ ^[0-9]{1,9}$ ]] && echo "$((10#$text))" || echo 0
}

put() { # FILE TEXT: whole or not at all, also where the power goes
  if ! { printf '%s\n' "$2" >"$1.new"; } 2>/dev/null; then
    rm -f -- "$1.new"
    quit 74 "$1 cannot be written: the disk is full, or the folder cannot be written into"
  fi
  sync -- "$1.new" 2>/dev/null || true # not every file system can
  mv -f -- "$1.new" "$1"
}

sentinel() { # KIND STEPS CAUSE MESSAGE: in the form of gibbsflow's own
  local message=${4//[^A-Za-z0-9 .,:;()=+_\/-]/ }
  put "$1" "{\"kind\": \"$1\", \"inputs_hash\": \"$hash\", \"steps_done\": $2, \"cause\": \"$3\", \"message\": \"$message\", \"settings\": {}, \"time\": \"$(date -u +%Y-%m-%dT%H:%M:%S+00:00)\", \"host\": \"$(hostname)\", \"pid\": $$}"
}

set_aside() { # WHY FOLDER...: what was run there, into WHY-NNN of each; nothing is deleted
  local why=$1 place aside file
  shift
  for place in "$@"; do
    local n=1
    while printf -v aside '%s/%s-%03d' "$place" "$why" "$n" && [[ -e $aside ]]; do ((n += 1)); done
    local found=()
    shopt -s nullglob
    for file in "$place"/{*.out,*.rst7,*.nc,*.log,*.group,*.done,*.attempt-*,mdinfo,walls.txt,FINISHED}; do
      [[ ! -e $file && ! -L $file ]] || found+=("$file")
    done
    shopt -u nullglob
    ((${#found[@]} == 0)) && continue
    mkdir -- "$aside"
    mv -- "${found[@]}" "$aside/"
  done
}

settle() { # FOLDER...: `hash` of today's inputs, `attempt`; what came of others, or failed, is set aside in each
  local file known='' inputs=()
  shopt -s nullglob
  for file in steps *.in groupfile-* window_*/*.in start.inpcrd {,../}{topology.prmtop,lambda.sch,disang.rest,cv.in}; do
    [[ ! -e $file ]] || inputs+=("$file")
  done
  shopt -u nullglob
  hash=$(sha256sum -- "${inputs[@]}" | sha256sum)
  hash=${hash%% *}
  [[ ! -s inputs.sha256 ]] || known=$(<inputs.sha256)
  # also what was copied into a folder that has not run
  if [[ $known != "$hash" ]] && { [[ -n $known || -e FINISHED ]] || compgen -G '*.done' >/dev/null; }; then
    set_aside superseded "$@"
    rm -f FAILED attempts began
    [[ -z $known ]] || echo "$folder: begun anew, since its inputs have changed; what there was is in superseded-NNN" >&2
  fi
  put inputs.sha256 "$hash"
  if [[ -e FINISHED ]] && ! grep -q "\"inputs_hash\": \"$hash\"" FINISHED; then
    quit 65 "FINISHED is not of these inputs, nor written by this script; without it the folder is run"
  fi
  [[ ! -e FINISHED ]] || return 0 # whatever the files that count attempts say
  attempt=$(($(number attempts) + 1))
  if ((attempt > MOST_ATTEMPTS)); then
    [[ ! -e FAILED ]] || quit 70 "FAILED, $(sed 's/.*"message": "\([^"]*\)".*/\1/' FAILED)"
    rm -f attempts # it was removed, as by clean-failures
    attempt=1
  fi
  # windows never mix samples of two time steps: an attempt begins anew
  if [[ -s began && $(number began) != "$attempt" ]]; then set_aside attempt "$@"; fi
  put began "$attempt"
  rm -f FAILED
}

next_step() { # sets name, steps, options, before (what it starts from) and older (what is needed no more)
  local one rest
  before=start.inpcrd older='' name=''
  while read -r one steps rest || [[ -n $one ]]; do
    if [[ ! -e $one.done ]]; then
      name=$one
      read -r -a options <<<"$rest"
      return 0
    fi
    older=$before before=$one.rst7
  done <steps
  return 1
}

redo_damaged() { # FOLDER...: after next_step; where what it starts from was cut short since, that run is done again
  # a program takes what is missing of a restart for zeros, or blames the science
  local needed one length found again=''
  for needed in "$before" "${options[@]}"; do
    one=${needed%.rst7} length=''
    [[ $needed == *.rst7 && -e $one.done ]] || continue
    read -r _ length <"$one.done" || true
    found=$(total_length "$needed" "$@")
    [[ -n $length && $found != "$length" ]] || continue
    echo "$folder: $needed has $found bytes and had $length: damaged since, so that $one is run again" >&2
    rm -f -- "$one.done"
    again=yes
  done
  [[ -n $again ]] || return 0
  next_step
  redo_damaged "$@"
}

total_length() { # NAME FOLDER...: bytes of the files of this name, 0 for one that is not there
  local name=$1 place total=0
  shift
  for place in "$@"; do
    [[ ! -e $place/$name ]] || ((total += $(wc -c <"$place/$name")))
  done
  echo "$total"
}

point() { # FOLDER...: md-current.rst7 and md-previous.rst7 of each, from what is done: a kill may have come before them
  local one rest place last='' prior=''
  while read -r one rest || [[ -n $one ]]; do
    [[ -e $one.done ]] || break
    prior=$last last=$one.rst7
  done <steps
  [[ -n $last ]] || return 0
  for place in "$@"; do
    link "$last" "$place/md-current.rst7"
    if [[ -n $prior ]]; then
      link "$prior" "$place/md-previous.rst7"
    elif [[ $place != . ]]; then # windows that exchange: the last of what each has run for itself
      link "$(awk 'NF { n = $1 } END { print n }' "$place/steps").rst7" "$place/md-previous.rst7"
    fi
  done
}

link() { # TARGET PATH: one that is never missing
  ln -sfn -- "$1" "$2.new"
  mv -fT -- "$2.new" "$2"
}

safer() { # INPUT: the same for this attempt: half the time step for each failure before it, 1 fs at the least, over
  # the same time; other random numbers; minimisation twice as long
  awk -v attempt="$attempt" '
    NR == FNR { if ($1 == "dt") dt = $3 + 0; next }
    FNR == 1 { k = 1; for (i = 1; i < attempt; i++) if (dt / (2 * k) >= 0.001 - 1e-9) k *= 2 }
    FNR == 1 && match($0, /total_steps=[0-9]+/) {
      $0 = substr($0, 1, RSTART + 11) substr($0, RSTART + 12, RLENGTH - 12) * k substr($0, RSTART + RLENGTH)
    }
    $1 == "dt" { printf "  dt = %.6g,\n", dt / k; next }
    $1 ~ /^(nstlim|ntpr|ntwx|ntwr|bar_intervall)$/ { printf "  %s = %d,\n", $1, $3 * k; next }
    $1 ~ /^(maxcyc|ncyc)$/ { printf "  %s = %d,\n", $1, $3 * 2 ^ (attempt - 1); next }
    $1 == "ig" { printf "  ig = %d,\n", ($3 + 104729 * (attempt - 1)) % 999999 + 1; next }
    match($0, /istep2=[0-9]+/) {
      $0 = substr($0, 1, RSTART + 6) substr($0, RSTART + 7, RLENGTH - 7) * k substr($0, RSTART + RLENGTH)
    }
    { print }' "$1" "$1"
}

input_of() { # NAME: the input of this attempt
  if ((attempt == 1)); then
    echo "$1.in"
  else
    safer "$1.in" >"$1.attempt-$attempt"
    echo "$1.attempt-$attempt"
  fi
}

reached() { # OUTPUT: the last MD step that it tells of
  awk '/A V E R A G E S/ { exit } $1 == "NSTEP" && $2 == "=" { n = $3 } END { print n + 0 }' "$1" 2>/dev/null || echo 0
}

check_taken() { # PROGRAM FILE...: a program that does not know an option, or refuses one, has not begun
  local program=$1
  shift
  if cat -- "$@" 2>/dev/null | grep -aEqi 'namelist|input errors occurred|\*\*\* input error'; then
    quit 65 "$program does not take $name.in: $(said "$@"); another version of it may"
  fi
}

check_room() { # a program may end without a word of a full disk, which is no failure of the science
  local bytes=65536
  if [[ -n ${before:-} && -e $before ]]; then ((bytes += 2 * $(wc -c <"$before"))); fi
  if ! { head -c "$bytes" /dev/zero >.room; } 2>/dev/null; then
    rm -f -- .room
    quit 74 "the disk is full, or the folder cannot be written into: a file of $bytes bytes does not fit"
  fi
  rm -f -- .room
}

fault() { # INPUT OUTPUT RESTART: why a run is not whole, or nothing: the full length alone is whole
  local wanted
  grep -q '^   5\.  TIMINGS' "$2" 2>/dev/null || { echo "it broke off"; return; }
  ! grep -Eq '(EPtot|Etot) *= *(NaN|-?Infinity|\*+)|TEMP\(K\) = *(NaN|\*+)' "$2" || { echo "energies are no numbers"; return; }
  ! grep -Eq '^ +[0-9]+ +NaN' "$2" || { echo "energies are no numbers"; return; } # of a minimisation
  [[ -s $3 ]] || { echo "it has no restart"; return; }
  # MD leaves velocities too, which it may have begun without
  if [[ ${before:-} == *.rst7 && -e $before ]] && grep -q nstlim "$1" && (($(wc -c <"$3") < $(wc -c <"$before"))); then
    echo "its restart is cut short"
    return
  fi
  wanted=$(awk '$1 == "nstlim" { n = $3 + 0 } $1 == "numexchg" { n = 0; exit } END { print n + 0 }' "$1")
  ((wanted == 0 || $(reached "$2") == wanted)) || echo "it ended at step $(reached "$2") of $wanted"
}

said() { # FILE...: the words of a program that explain a failure
  cat -- "$@" 2>/dev/null | grep -aEio -m 1 \
    'vlimit exceeded|coordinate resetting.*|.*box dimensions have changed too much.*|.*list exceeds largest sphere.*|bond lengths for shake.*|.*namelist.*|illegal memory access.*|launch failure.*|.*error.*' |
    tail -n 1 | cut -c -160
}

run() { # LOG COMMAND...: sets `code`; what is no failure of the science ends here, and counts as none
  local log=$1
  shift
  code=0
  "$@" >"$log" 2>&1 </dev/null || code=$?
  case $code in
    126 | 127) quit 78 "$1 cannot be started: $(tail -n 1 "$log")" ;;
    129 | 130 | 137 | 138 | 140 | 143 | 152) quit 75 "$1 was ended by signal $((code - 128)); called again it goes on" ;;
  esac
  if grep -Eqi 'no space left on device|disk quota exceeded' "$log"; then quit 74 "the disk is full"; fi
  if grep -Eqi 'no CUDA-capable device|driver version is insufficient|cudaGetDeviceCount' "$log"; then
    quit 78 "$1 finds no GPU: $(tail -n 1 "$log")"
  fi
}

failed() { # MESSAGE [OWNER]: a failure of the science; the next call is another attempt, with safer settings
  check_room
  cd -- "${2:-.}" || exit
  sentinel FAILED "$(steps_done)" Numerical "$1 (attempt $attempt of $MOST_ATTEMPTS)"
  put attempts "$attempt" # after it: three without FAILED are three that were cleared
  quit 70 "$1 (attempt $attempt of $MOST_ATTEMPTS)"
}

steps_done() { # MD steps of the runs that are whole
  shopt -s nullglob
  cat /dev/null -- *.done | awk '{ n += $1 } END { print n + 0 }'
  shopt -u nullglob
}

run_step() { # [OWNER]: the run that next_step found
  local input wrong
  input=$(input_of "$name")
  rm -f -- "$name.out" "$name.rst7" "$name.nc"
  run "$name.log" "$program" -O -i "$input" -c "$before" -o "$name.out" -r "$name.rst7" -x "$name.nc" -inf mdinfo \
    "${options[@]}"
  wrong=$(fault "$input" "$name.out" "$name.rst7")
  if [[ -n $wrong ]]; then
    check_taken "$program" "$name.out" "$name.log"
    failed "$folder $name: $wrong; $(said "$name.out" "$name.log")" "${1:-.}"
  fi
  sync -- "$name.rst7" 2>/dev/null || true
  put "$name.done" "$(reached "$name.out") $(total_length "$name.rst7" .)"
  point .
  # what others are held at stays, and where minimisation led: `equil run --written` reads both
  if [[ $older == *.rst7 && $older != *minimise.rst7 ]] && ! grep -q -- "-ref $older" steps; then rm -f -- "$older"; fi
  echo "$folder: $name is done"
}
