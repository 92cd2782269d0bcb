"""The probe's twin for targets without Python: shell text that prints the same frame, same JSON.

Any POSIX shell will do, and few tools are taken for granted. It answers what a shell can answer
truly; all other questions, and those whose tools are missing, answer UNSUPPORTED. It takes turns
where the probe runs side by side, and cannot see its stdin end: what it starts has its own bounds.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from posixpath import normpath
from typing import Any

from sesam_audit.asks import (
    Account,
    Ask,
    Certificates,
    Compose,
    ComposeVersion,
    DockerApi,
    DockerConfig,
    EnvFile,
    File,
    Files,
    LicenseFile,
    Listeners,
    Names,
    PrivateKey,
    Run,
    Self,
    Space,
    Stat,
    Walk,
)
from sesam_audit.probe_sh_tools import FUNCTIONS as _MORE_FUNCTIONS

_FUNCTIONS = r"""
unset IFS
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin
export LC_ALL PATH
nl='
'
have() { command -v "$1" >/dev/null 2>&1; }
for tool in od hexdump stat readlink id uname date timeout sleep; do
  have "$tool" || ! have busybox || eval "$tool() { busybox $tool \"\$@\"; }"
done

fail() { printf '{"error":"%s"}' "$1"; }

# Seconds since boot, without starting a program.
up() { { read -r now rest </proc/uptime; } 2>/dev/null && now=${now%%.*} || now=0; }

# Bytes as lines of hexadecimal words; zz when they cannot be read so.
case $(printf a | od -An -v -tx1 -N 2 2>/dev/null) in
*61*) hex() { od -An -v -tx1 -N "$1" || echo zz; } ;;
*) case $(printf a | hexdump -v -n 2 -e '16/1 "%02x " "\n"' 2>/dev/null) in
  61*) hex() { hexdump -v -n "$1" -e '16/1 "%02x " "\n"' || echo zz; } ;;
  *) hex() {
      left=$1
      while end=0a; IFS= read -r line || { end=; [ -n "$line" ]; }; do
        case $line in *[!\ -~\	]*) echo zz; return ;; esac
        while [ -n "$line" ] && [ "$left" -gt 0 ]; do
          printf '%02x ' "'${line%"${line#?}"}"
          line=${line#?} left=$((left - 1))
        done
        [ "$left" -gt 0 ] || break
        echo "$end" && left=$((left - 1))
      done
      echo
    } ;;
  esac ;;
esac

# At most $1 bytes of stdin as the inside of a JSON string: ASCII as \u00NN, UTF-8 as its code
# points, other bytes as \xNN as Python does, URLs without user:password. A last + says that there
# was more, a ! that the bytes cannot be told.
slash='\u002f' form=%s
text() {
  limit=$1
  hex $((limit + 1)) | {
    o= p= need=0 count=0 more= a= b= inside= held=
    while read -r line; do
      set -- $line
      count=$((count + $#)) left=-1
      [ "$count" -le "$limit" ] || more=+ left=$(($# - count + limit))
      for x; do
        [ "$left" != 0 ] || break
        left=$((left - 1)) z=
        if [ "$need" -gt 0 ]; then
          case $x in
          $next)
            v=$((v * 64 + (0x$x & 63))) need=$((need - 1)) next='[89ab]?' p="$p\\\\x$x"
            [ "$need" = 0 ] || continue
            if [ "$v" -lt 65536 ]; then
              z=$(printf '\\u%04x' "$v")
            else
              v=$((v - 65536))
              z=$(printf '\\u%04x\\u%04x' $((55296 + v / 1024)) $((56320 + v % 1024)))
            fi
            p= ;;
          *) z=$p p= need=0 ;;
          esac
        fi
        case $z in *u*) ;; *)
          case $x in
          2f) z=$z$slash ;;
          [0-7]?) z="$z\\u00$x" ;;
          c[01]|[89ab]?|f[5-9a-f]) z="$z\\\\x$x" ;;
          zz) more=! ;;
          *)
            p="\\\\x$x" next='[89ab]?'
            case $x in
            [cd]?) need=1 v=$((0x$x & 31)) ;;
            e?) need=2 v=$((0x$x & 15)) ;;
            *) need=3 v=$((0x$x & 7)) ;;
            esac
            case $x in
            e0) next='[ab]?' ;;
            ed) next='[89]?' ;;
            f0) next='[9ab]?' ;;
            f4) next='8?' ;;
            esac ;;
          esac ;;
        esac
        if [ -z "$inside" ]; then
          o=$o$z
        else
          case $x in
          40) held= && [ "$inside" = deep ] || colon= ;;
          09|0[a-d]|1[c-f]|20|22|27|3c|3e) o=$o$held$z inside= held= ;;
          2f|3f|23)
            if [ "$colon" = word ]; then
              held=$held$z inside=deep
            elif [ "$inside" = deep ]; then
              held=$held$z
            else
              o=$o$held$z inside= held=
            fi ;;
          *)
            held=$held$z
            case $x$colon in
            3a) colon=digits ;;
            5b|2cdigits) colon=port ;;
            3[0-9]digits) ;;
            ??digits) colon=word ;;
            esac ;;
          esac
        fi
        [ "$a$b$x" != 3a2f2f ] || [ -n "$inside" ] || inside=1 held= colon=
        a=$b b=$x
      done
      printf "$form" "$o"
      o=
    done
    printf "$form" "$held$p$more"
  }
}

str() {
  case $1 in
  *[!A-Za-z0-9_./:+,=-]*) printf '"%s"' "$(printf %s "$1" | text 65536)" ;;
  *) printf '"%s"' "$1" ;;
  esac
}

# The errno of opening a path, by the shell's own words for it. No FIFO or device comes here.
fault() {
  case $({ : <"$1"; } 2>&1) in
  '') e= ;;
  *[Pp]'ermission denied') e=EACCES ;;
  *'peration not permitted') e=EPERM ;;
  *'o such file'|*'o such file or directory') e=ENOENT ;;
  *'ot a directory') e=ENOTDIR ;;
  *'ymbolic links'|*'ymbolic link loop') e=ELOOP ;;
  *'nput/output error'|*'I/O error') e=EIO ;;
  *'ile name too long'|*'ilename too long') e=ENAMETOOLONG ;;
  *) e=UNSUPPORTED ;;
  esac
}

there() { [ -e "$1" ] || [ -L "$1" ]; }

# A line of the user or group database, by name or number.
entry() {
  if have getent; then
    getent "$1" "$2"
    return
  fi
  while IFS= read -r line; do
    rest=${line#*:*:}
    if [ "${line%%:*}" = "$2" ] || [ "${rest%%:*}" = "$2" ]; then
      printf '%s\n' "$line"
      return
    fi
  done <"/etc/$1"
}

part() {
  n=$1 IFS=:
  set -f
  set -- $2
  shift "$n"
  printf %s "$1"
}

in_order() {
  while [ $# -gt 0 ]; do
    least=$1 rest=
    for x; do [ "$x" -ge "$least" ] || least=$x; done
    for x; do [ "$x" = "$least" ] || rest="$rest $x"; done
    printf '%s ' "$least"
    set -- $rest
  done
}

group_names() {
  comma=
  for each in $(in_order "$@"); do
    name=$(entry group "$each")
    name=${name%%:*}
    printf %s "$comma"
    str "${name:-$each}"
    comma=,
  done
}

Self() {
  if have id; then
    uid=$(id -u) gids="$(id -g) $(id -G)"
  else
    while read -r key x y rest; do
      case $key in Uid:) uid=$y ;; Gid:) gids=$y ;; Groups:) gids="$gids $x $y $rest" ;; esac
    done </proc/self/status
  fi
  user=$(entry passwd "$uid")
  read -r host </proc/sys/kernel/hostname
  read -r kernel </proc/sys/kernel/osrelease
  printf '{"uid":%s,"user":%s,"login":%s,"groups":[%s],' \
    "$uid" "$(str "${user%%:*}")" "$(str "${SUDO_USER-}")" "$(group_names $gids)"
  printf '"hostname":%s,"kernel":%s,"machine":%s,"python":[],"time":%s}' \
    "$(str "$host")" "$(str "$kernel")" "$(str "$(uname -m)")" "$(date +%s || echo 0)"
}

Account() {
  [ -n "$1" ] || set -- "${SUDO_USER:-$(id -u)}"
  found=$(entry passwd "$1")
  name=${found%%:*}
  case $1 in *[!0-9]*) name=${name:-$1} ;; esac
  own=null
  [ -z "$name" ] || own=$(part 2 "$(entry group "$name")")
  if [ -z "$found" ]; then
    printf '{"error":"ENOENT","own_group":%s}' "${own:-null}"
    return
  fi
  gid=$(part 3 "$found") others=
  have id || { fail UNSUPPORTED; return; }
  for x in $(id -G "$name"); do [ "$x" = "$gid" ] || others="$others $x"; done
  primary=$(entry group "$gid")
  printf '{"name":%s,"uid":%s,"gid":%s,"group":%s,"home":%s,"groups":[%s],"own_group":%s}' \
    "$(str "$name")" "$(part 2 "$found")" "$gid" "$(str "${primary%%:*}")" \
    "$(str "$(part 5 "$found")")" "$(group_names $others)" "${own:-null}"
}

readable() {
  if [ -d "$1" ]; then
    e=EISDIR
  elif [ -e "$1" ] && [ ! -f "$1" ]; then
    e=EINVAL
  else
    fault "$1"
  fi
  [ -z "$e" ]
}

File() {
  readable "$1" || { fail "$e"; return; }
  t=$(text "$2" <"$1")
  case $t in
  *!) fail UNSUPPORTED ;;
  *+) printf '{"text":"%s","cut":true}' "${t%+}" ;;
  *) printf '{"text":"%s"}' "$t" ;;
  esac
}

Files() {
  limit=$1 files= errors= seen=0 IFS=/
  shift
  pattern="/$*" IFS=
  match "" "$@"
  printf '{"files":{%s},"errors":{%s}}' "${files#,}" "${errors#,}"
}

error() { errors="$errors,$(str "${1:-/}"):\"$2\""; }

match() {
  if [ $# = 1 ]; then
    one "$1"
    return
  fi
  if [ ! -d "${1:-/}" ]; then
    if [ -e "$1" ]; then e=; else fault "$1"; fi
    case $e in ''|ENOENT|ENOTDIR) ;; *) error "$1" "$e" ;; esac
    return 0
  fi
  case $2 in
  *[*?[]*)
    [ -r "${1:-/}" ] && [ -x "${1:-/}" ] || { error "$1" EACCES; return; }
    for each in "$1"/$2; do
      if there "$each"; then deeper "$each" "$@"; fi
    done ;;
  *)
    if there "$1/$2"; then
      deeper "$1/$2" "$@"
    elif fault "$1/$2"; [ "$e" != ENOENT ] && [ "$e" != ENOTDIR ]; then
      error "$1" "$e"
    fi ;;
  esac
}

deeper() {
  found=$1
  shift 3
  match "$found" "$@"
}

one() {
  seen=$((seen + 1))
  [ "$seen" != 501 ] || error "$pattern" TOOBIG
  [ "$seen" -le 500 ] || return 0
  if readable "$1"; then
    t=$(unset IFS; text "$limit" <"$1")
    case $t in
    *!) error "$1" UNSUPPORTED; return ;;
    *+) error "$1" TOOBIG ;;
    esac
    files="$files,$(str "$1"):\"${t%+}\""
  elif [ "$e" != EISDIR ]; then
    error "$1" "$e"
  fi
}

Names() {
  if there "$1" && [ ! -d "$1" ]; then
    fail ENOTDIR
  elif [ ! -d "$1" ]; then
    fault "$1"
    fail "${e:-ENOTDIR}"
  elif [ ! -r "$1" ]; then
    fail EACCES
  else
    cd "$1" || { fail EACCES; return; }
    t=$(count=0; listed | { slash='","'; text 9999999; })
    case $t in *!) fail UNSUPPORTED ;; *) printf '{"names":[%s]}' "${t:+${t#??}\"}" ;; esac
  fi
}

# What begins with a character below the dot, then the dotted names, then all others.
listed() {
  for each in *; do case $each in [[:cntrl:]\ -\-]*) name "$each" ;; esac; done
  for each in .[!.]* ..?*; do name "$each"; done
  for each in *; do case $each in [[:cntrl:]\ -\-]*) ;; *) name "$each" ;; esac; done
}

name() {
  there "$1" && [ "$count" -lt 1000 ] || return 0
  printf '/%s' "$1"
  count=$((count + 1))
}

looks() {
  set -- $1
  case $(($1 & 61440)) in
  32768) kind=file ;; 16384) kind=directory ;; 40960) kind=link ;; 49152) kind=socket ;;
  24576) kind=block ;; 8192) kind=char ;; 4096) kind=fifo ;; *) kind= ;;
  esac
  printf '"kind":"%s","mode":%s,' "$kind" $(($1 & 4095))
  printf '"device":%s,"inode":%s,"uid":%s' "$2" "$3" "$4"
}

Stat() {
  there "$1" || { fault "$1"; fail "${e:-UNSUPPORTED}"; return; }
  own=$(stat -c '0x%f %d %i %u %g %s %Y %U %G' "$1") || { fail UNSUPPORTED; return; }
  target=
  if [ -L "$1" ]; then target=$(readlink "$1" && echo .) || { fail UNSUPPORTED; return; }; fi
  target=${target%"$nl".}
  if [ -e "$1" ]; then
    real=$(readlink -f "$1") || real=$1
    led=$(looks "$(stat -L -c '0x%f %d %i %u' "$1")")
  else
    fault "$1"
    case $target in /*) real=$target ;; *) real=${1%/*}/$target ;; esac
    led="\"error\":\"${e:-ENOENT}\""
  fi
  printf '{%s,"target":%s,"resolved":{"path":%s,%s},' \
    "$(looks "$own")" "$(str "$target")" "$(str "$real")" "$led"
  set -- $own
  [ "$8" != UNKNOWN ] || set -- "$1" "$2" "$3" "$4" "$5" "$6" "$7" "" "$9"
  [ "$9" != UNKNOWN ] || set -- "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" ""
  printf '"gid":%s,"size":%s,"modified":%s,"user":%s,"group":%s}' \
    "$5" "$6" "$7" "$(str "$8")" "$(str "$9")"
}

Space() {
  [ -e "$1" ] || { fault "$1"; fail "${e:-ENOENT}"; return; }
  set -- $(stat -f -c '%S %b %a %c %d' "$1")
  case $*/$# in *[!0-9\ ]*/5|*/[!5]) fail UNSUPPORTED; return ;; esac
  printf '{"total":%s,"available":%s,"inodes":%s,"inodes_available":%s}' \
    $(($1 * $2)) $(($1 * $3)) "$4" "$5"
}

program() {
  IFS=:
  case $1 in */*) [ -f "$1" ] && [ -x "$1" ]; return ;; esac
  for each in $PATH; do
    if [ -f "$each/$1" ] && [ -x "$each/$1" ]; then unset IFS; return; fi
  done
  unset IFS
  return 1
}

Run() {
  seconds=$1 limit=$2 as=$3
  shift 3
  [ "$seconds" -le $((stop - now)) ] || seconds=$((stop - now))
  program "$1" || { fail ENOENT; return; }
  me=$(id -u) && who=$(entry passwd "$me") || { fail UNSUPPORTED; return; }
  if [ -n "$as" ] && [ "$as" != "${who%%:*}" ]; then
    [ "$me" = 0 ] || { fail EPERM; return; }
    program runuser || { fail UNSUPPORTED; return; }
    who=$(entry passwd "$as")
    [ -n "$who" ] || { fail EINVAL; return; }
    set -- runuser -u "$as" -- "$@"
  fi
  HOME=$(part 5 "$who")
  export HOME
  ran "$seconds" "$@" || { fail UNSUPPORTED; return; }
  printf '{"error":%s,"code":%s,"cut":%s,"out":"%s","err":"%s"}' \
    "$error" "$code" "$cut" "$out" "$err"
}

# openssl's word for the public half; the private one is read by openssl alone.
PrivateKey() {
  readable "$1" || { fail "$e"; return; }
  program openssl || { printf '{"error":"UNSUPPORTED","message":"there is no openssl"}'; return; }
  limit=16384
  ran $((stop - now)) openssl pkey -in "$1" -pubout -passin pass: || { fail UNSUPPORTED; return; }
  if [ "$code" = 0 ]; then
    printf '{"public":"%s"}' "$out"
  else
    [ "${#err}" -le 3000 ] || err=
    printf '{"error":%s,"message":"%s"}' "$error" "$err"
  fi
}

# Runs a program for so many seconds: sets code, error, cut, and out and err as JSON spells them.
ran() {
  seconds=$1
  shift
  if program env; then set -- env -i "PATH=$PATH" "HOME=$HOME" LC_ALL=C "$@"; fi
  r=$(beside run_out run_err bounded "$seconds" "$@")
  out= err= cut=false error=null IFS=$nl
  for line in $r; do
    case $line in
    c*) code=${line#c} ;;
    *!) return 1 ;;
    *+) cut=true line=${line%+} ;;
    esac
    case $line in o*) out=$out${line#o} ;; e*) err=$err${line#e} ;; esac
  done
  [ "$code" != 137 ] || error='"TIMEOUT"'
}

# Each line is short enough to stay whole beside the other's.
run_out() { form='o%s\n'; text "$limit"; }
run_err() { form='e%s\n'; text "$limit"; }

# Prints what $1 makes of the output of the words after $2, and $2 of its errors; a line c says how
# it ended. $1 sees the end of its input when $2 has printed all, so one of them may print late.
beside() {
  into=$1 errors=$2
  shift 2
  {
    {
      { "$@" 3>&- 4>&-; printf 'c%s\n' "$?" >&4; } 2>&1 >&3 | $errors >&4
    } 3>&1 | $into >&4
  } 4>&1
}

bounded() {
  if timeout -s KILL 5 sh -c : 2>/dev/null; then
    timeout -s KILL "$@"
    return
  fi
  n=$1
  shift
  "$@" & child=$!
  { sleep "$n"; kill -9 "$child"; } >/dev/null 2>&1 & watch=$!
  wait "$child"
  code=$?
  kill "$watch"
  return "$code"
}

put() {
  up
  if [ "$now" -ge "$stop" ]; then
    answer=$(fail TIMEOUT)
  else
    answer=$("$@" </dev/null 2>/dev/null)
  fi
  case $answer in '{'*'}') ;; *) answer=$(fail 'CRASH: sh') ;; esac
  [ ${#answer} -le 1048576 ] || answer=$(fail TOOBIG)
  printf '%s%s' "$comma" "$answer"
  comma=,
}
"""


def script(marker: str, asks: Sequence[Ask[Any]], *, deadline: float) -> str:
    """Shell text for `sh -s` that prints the frame with the answers to `asks`, in their order."""
    calls = [_words(ask) for ask in asks]
    lines = [shlex.join(["put", *words]) for words in calls]
    more = _MORE_FUNCTIONS if any(words[0] in _WITH_AWK for words in calls) else ""
    return "\n".join(
        [
            _FUNCTIONS,
            more,
            f"up; stop=$((now + {max(1, math.floor(deadline))})) comma=",
            "frame=[$(",
            *lines,
            ":)]",
            f"printf '\\n%s %d\\n%s' {shlex.quote(marker)} " + '"${#frame}" "$frame"',
            "",
        ]
    )


def _words(ask: Ask[Any]) -> Sequence[str]:
    """The call that answers an ask; its name and arguments, quoted by whoever prints them."""
    make = _ANSWERS.get(type(ask))
    words = make(ask) if make else None
    return words or ["fail", "UNSUPPORTED"]


def _account(ask: Account) -> Sequence[str] | None:
    return None if ask.name.startswith("-") else ["Account", ask.name]


def _files(ask: Files) -> Sequence[str] | None:
    if "\\" in ask.pattern:  # shells differ about it in patterns
        return None
    return ["Files", str(ask.limit), *ask.pattern.strip("/").split("/")]


def _run(ask: Run) -> Sequence[str]:
    seconds = str(max(1, math.ceil(ask.seconds_limit)))
    return ["Run", seconds, str(min(ask.limit, 65_536)), ask.user, *ask.argv]


def _env_file(ask: EnvFile) -> Sequence[str] | None:
    keys = _listed(ask.keys)
    return None if keys is None else ["EnvFile", ask.path, keys]


def _compose(ask: Compose) -> Sequence[str] | None:
    keys = _listed(ask.keys)
    return None if keys is None else ["Compose", ask.directory, keys]


def _docker_api(ask: DockerApi) -> Sequence[str] | None:
    keep, labels = _listed(ask.keep), _listed(ask.labels)
    if keep is None or labels is None or not re.fullmatch(r"/[A-Za-z0-9_./?=&%-]*", ask.path):
        return None
    return ["DockerApi", ask.path, keep, labels]


def _listed(names: Sequence[str]) -> str | None:
    """Names as one word for awk, which takes a backslash for itself."""
    plain = all(re.fullmatch(r"[\w./-]+", each, re.ASCII) for each in names)
    return ",".join(names) if plain else None


def _walk(ask: Walk) -> Sequence[str] | None:
    roots = sorted({normpath(root) for root in ask.roots})
    seconds = str(max(1, math.floor(ask.seconds_limit)))
    words = ["Walk", str(ask.uid), str(ask.gid), str(ask.entries), seconds]
    skipped = [("-path", each) for each in ask.skip] + [("-name", each) for each in ask.skip_names]
    for root in roots:
        words += [root, "-xdev"]
        for other in roots:
            words += ["-path", _literal(other), "-prune", "-o"] if other != root else []
        words += ["(", "-path", ""]
        for test, each in skipped:
            words += ["-o", test, _literal(each)]
        words += [")", "--"]
    return words if words.count("--") == len(roots) else None


def _literal(text: str) -> str:
    """A pattern of find that matches this text alone."""
    return re.sub(r"([\\*?[])", r"\\\1", text)


_ANSWERS: Mapping[type[Ask[Any]], Callable[[Any], Sequence[str] | None]] = {
    Self: lambda _: ["Self"],
    Account: _account,
    File: lambda ask: ["File", ask.path, str(ask.limit)],
    Files: _files,
    Names: lambda ask: ["Names", ask.path],
    Stat: lambda ask: ["Stat", ask.path],
    Space: lambda ask: ["Space", ask.path],
    Run: _run,
    PrivateKey: lambda ask: ["PrivateKey", ask.path],
    Walk: _walk,
    Listeners: lambda ask: ["Listeners", ",".join(map(str, ask.ports))],
    EnvFile: _env_file,
    Compose: _compose,
    ComposeVersion: lambda _: _run(Run(("docker", "compose", "version", "--short"))),
    DockerApi: _docker_api,
    DockerConfig: lambda ask: ["DockerConfig", ask.path],
    LicenseFile: lambda ask: ["LicenseFile", ask.path, str(int(ask.whole))],
    Certificates: lambda ask: ["Certificates", ask.path],
}
_WITH_AWK = {
    kind.__name__
    for kind in (
        Walk, Listeners, EnvFile, Compose, DockerApi, DockerConfig, LicenseFile, Certificates
    )
}  # fmt: skip
