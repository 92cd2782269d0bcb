"""The shell twin's questions that take more than a shell: awk, find, ls, curl, compose.

Shell text that follows the first functions in the same script (probe_sh.py).
"""

from __future__ import annotations

from sesam_audit.probe_sh_awk import REDUCER

_FUNCTIONS = r"""
for tool in awk tr wc head ls find sha256sum; do
  have "$tool" || ! have busybox || eval "$tool() { busybox $tool \"\$@\"; }"
done

# Does what its first word says with stdin, whole; other words are awk's.
reduce() {
  todo=$1
  shift
  tr '\000\001' '\002\002' | awk -v todo="$todo" "$@" "$reducer"
}

# The tools named, and an awk that proves itself: awks differ in bytes and patterns.
able() {
  for tool in tr "$@"; do have "$tool" || return 1; done
  sample='{\n "\303\251": ["\\u00e9\\"\\\\", "token: \\u0022a b\\u0022 x:\357\277\277//u:p@h"],'
  sample=$sample'\n "a/b": "http://u:p@h --pass w,x", "secret": "s", "n": [-1.5, null, {}]\n}'
  proof='{"status":200,"value":{"\u00e9":["\u00e9\u0022\u005c","..."],'
  proof=$proof'"a/b":"http://h --pass ...,x","secret":"...","n":[-1.5,null,{}]}}'
  [ "$(printf "$sample\n200 0" | reduce api)" = "$proof" ]
}

# Whether a file can be read and has at most $2 bytes; else the answer is given, or $3 is.
holds() {
  readable "$1" || { fail "$e"; return 1; }
  able wc && size=$(wc -c <"$1") || { fail UNSUPPORTED; return 1; }
  size=$((size))
  [ "$size" -le "$2" ] || { printf %s "$3"; return 1; }
}

EnvFile() {
  holds "$1" 262144 "$(fail TOOBIG)" || return 0
  reduce env -v wants="$2" <"$1"
}

DockerConfig() {
  holds "$1" 1048576 '{"json":false}' || return 0
  reduce config <"$1"
}

Certificates() {
  holds "$1" 1048576 "$(fail TOOBIG)" || return 0
  reduce certificates <"$1"
}

LicenseFile() {
  holds "$1" 262144 "$(fail TOOBIG)" || return 0
  sum=$(sha256sum <"$1") && [ "$(command -v printf)" = printf ] || { fail UNSUPPORTED; return; }
  told=$(reduce license -v size="$size" -v sum="${sum%% *}" <"$1")
  case $2$told in
  1'{"size"'*)
    t=$(text 262144 <"$1")
    case $t in *[!+]) printf '%s,"text":"%s"}' "${told%?}" "$t" ;; *) fail UNSUPPORTED ;; esac ;;
  *) printf %s "$told" ;;
  esac
}

DockerApi() {
  socket=/var/run/docker.sock path=$1 keep=$2 labels=$3 seconds=$((stop - now))
  [ -e "$socket" ] || { fault "$socket"; fail "${e:-ENOENT}"; return; }
  [ -S "$socket" ] || { fail ECONNREFUSED; return; }
  [ -w "$socket" ] || { fail EACCES; return; }
  program curl && program env && able head || { fail UNSUPPORTED; return; }
  [ "$seconds" -le 8 ] || seconds=8
  {
    env -i PATH="$PATH" HOME=/ curl -q -s -g --noproxy '*' -m "$seconds" --unix-socket "$socket" \
      -w '\n%{http_code}' "http://docker$path"
    printf ' %s' "$?"
  } | head -c 8388700 | reduce api -v keep="$keep" -v labels="$labels"
}

stack_out() { head -c 4194305 | reduce stack -v wants="$keys"; }
stack_err() { head -c 1048576 | reduce complaints -v plugin="$plugin"; }

Compose() {
  keys=$2 plugin=
  [ -e "$1" ] || { fault "$1"; fail "${e:-ENOENT}"; return; }
  [ -d "$1" ] || { fail ENOTDIR; return; }
  program docker || { printf '{"error":"ENOENT","message":"there is no docker"}'; return; }
  program env && able head && me=$(id -u) || { fail UNSUPPORTED; return; }
  who=$(entry passwd "$me") && [ -n "$who" ] || { fail UNSUPPORTED; return; }
  cd "$1" || { fail EACCES; return; }
  HOME=$(part 5 "$who")
  for place in "$HOME/.docker" /usr/local/lib/docker /usr/local/libexec/docker /usr/lib/docker \
    /usr/libexec/docker; do
    [ -n "$plugin" ] || ! [ -x "$place/cli-plugins/docker-compose" ] ||
      plugin=$place/cli-plugins/docker-compose
  done
  if [ -n "$plugin" ]; then set -- "$plugin"; else set -- docker compose; fi
  set -- env -i PATH="$PATH" HOME="$HOME" "$@" config --format json
  r=$(beside stack_out stack_err bounded $((stop - now)) "$@")
  code= document= said= IFS=$nl
  set -f
  for line in $r; do
    case $line in
    c*) code=${line#c} ;;
    e*) warnings=${line#e} ;;
    m*) said=${line#m} ;;
    o*) document=${line#o} ;;
    esac
  done
  case $code/$warnings/$document in
  137/*) printf '{"error":"TIMEOUT","code":137}' ;;
  /*|*/!/*|0/*/!) fail UNSUPPORTED ;;
  0/*) printf '{"code":0,"warnings":%s,"document":%s}' "$warnings" "$document" ;;
  *) printf '{"code":%s,"warnings":%s,"message":%s}' "$code" "$warnings" "$said" ;;
  esac
}

# What is listened on is told to all; whose it is lies in /proc/PID/fd. A name there may look like
# any line of ls, so its word is taken to readlink.
Listeners() {
  case $(uname -m) in
  x86_64|i?86|aarch64|armv*l|riscv64|ppc64le) able ls readlink ;;
  *) false ;; # the kernel prints addresses in the order of its bytes
  esac || { fail UNSUPPORTED; return; }
  ports=$1
  set --
  for each in /proc/net/tcp /proc/net/tcp6; do
    [ ! -e "$each" ] || set -- "$@" "$each"
  done
  rows= holders=
  [ $# = 0 ] || rows=$(awk -v todo=sockets -v ports="$ports" "$reducer" "$@")
  [ -z "$rows" ] || holders=$(ls -n /proc/[0-9]*/fd | awk -v todo=holders "$reducer")
  listeners=
  set -f
  IFS=$nl
  for row in $rows; do
    unset IFS
    set -- $row
    held "$1"
    listeners="$listeners,{\"address\":\"$3\",\"port\":$2$owner}"
  done
  printf '{"listeners":[%s]}' "${listeners#,}"
}

held() {
  pid= owner= IFS=$nl
  for each in $holders; do
    unset IFS
    case $each in *" -> socket:[$1]") ;; *) continue ;; esac
    one=${each%% *} fd=${each#* } fd=${fd%% *}
    [ "${pid:-$one}" -ge "$one" ] || continue
    if [ "$(readlink "/proc/$one/fd/$fd")" = "socket:[$1]" ]; then pid=$one; fi
  done
  unset IFS
  if [ -n "$pid" ] && read -r comm <"/proc/$pid/comm"; then
    cgroup=$(text 500 <"/proc/$pid/cgroup")
    owner=",\"pid\":$pid,\"command\":$(str "$comm"),\"cgroup\":\"${cgroup%+}\""
  fi
}

Walk() {
  uid=$1 gid=$2 most=$3 end=$4 printf=
  up
  end=$((now + end)) mark=$(hex 12 </dev/urandom) && mark=$(printf %s $mark)
  [ "$end" -le "$stop" ] || end=$stop
  case $mark in *[!0-9a-f]*|'') fail UNSUPPORTED; return ;; esac
  able find && { find / -prune -printf '' || program stat; } || { fail UNSUPPORTED; return; }
  if find / -prune -printf ''; then printf=1; fi
  shift 4
  lead "$@" || { fail UNSUPPORTED; return; }
  samples= IFS=$nl
  set -f
  for line in $r; do
    unset IFS
    case $line in
    c*) code=${line#c} ;;
    e*) refused=${line#e} ;;
    s*) set -- $line; samples="$samples,\"$4 $(owner_of passwd "$2"):$(owner_of group "$3")\"" ;;
    w*) set -- ${line#w} ;;
    p*) passed=${line#p} ;;
    esac
  done
  # $1: whether it was full. Of a find that was killed the shell too may complain.
  case $1/$code/$refused in !*|0/0/!) fail UNSUPPORTED; return ;; esac
  if [ "$1$code" = 00 ]; then complete=true; else complete=false; fi
  if [ "$4$refused$complete" = '0[]true' ]; then fail ENOENT; return; fi
  [ "$refused" != ! ] || refused='[]'
  printf '{"entries":%s,"offenders":%s,"samples":[%s],' "$2" "$3" "${samples#,}"
  printf '"passed_over":%s,"unreadable":%s,"complete":%s}' "$passed" "$refused" "$complete"
}

walk_out() {
  awk -v todo=walk -v mark="$mark" -v uid="$uid" -v gid="$gid" -v most="$most" "$reducer"
}
walk_err() { head -c 1048576 | reduce refusals; }

owner_of() {
  name=$(entry "$1" "$2")
  name=$(str "${name%%:*}")
  name=${name#?} name=${name%?}
  printf %s "${name:-$2}"
}

# Walks with the same words, but each root, and what is named below it, where its links lead.
lead() {
  roots= ends= before=--
  for each; do
    [ "$before" != -- ] || roots=$each$nl$roots
    before=$each
  done
  IFS=$nl
  set -f
  for root in $roots; do
    real=$root
    if [ -e "$root" ]; then real=$(readlink -f "$root" && echo .) real=${real%"$nl".}; fi
    case $nl$ends in *"$nl$real$nl"*) return 1 ;; esac
    ends=$ends$real$nl
    [ "$real" != "$root" ] || continue
    case $real/$root in /*[\\*?[]*|/*$nl*) return 1 ;; /*/*) ;; *) return 1 ;; esac
    for each; do
      shift
      case $each in "$root"|"$root"/*) each=$real${each#"$root"} ;; esac
      set -- "$@" "$each"
    done
  done
  unset IFS
  set +f
  r=$(beside walk_out walk_err below "$@")
}

# Its words: a root, the expression for what is passed over there, --; as often as there are roots.
below() {
  code=0
  while [ $# -gt 0 ]; do
    tree "$@" || code=137
    while [ "$1" != -- ]; do shift; done
    shift
  done
  return "$code"
}

tree() {
  n=0
  for each; do
    [ "$each" != -- ] || break
    n=$((n + 1))
  done
  rest=$(($# - n))
  while [ "$n" -gt 0 ]; do
    set -- "$@" "$1"
    shift
    n=$((n - 1))
  done
  shift "$rest"
  if [ ! -e "$1" ]; then
    fault "$1"
    case $e in
    ENOENT) return 0 ;;
    ELOOP) printf "find: '%s': Too many levels of symbolic links\n" "$1" >&2; return 0 ;;
    esac
  fi
  up
  [ "$now" -lt "$end" ] || return 1
  printf '\nnew %s\n' "$mark"
  if program find; then set -- find "$@"; else set -- busybox find "$@"; fi
  if [ -n "$printf" ]; then
    set -- "$@" -prune -printf "skip %p $mark\n" -o -printf "entry %D %U %G %y %p $mark\n"
  else
    set -- "$@" -prune -exec stat -c "skip %n $mark" {} + \
      -o -exec stat -c "entry %d %u %g %f %n $mark" {} +
  fi
  bounded $((end - now)) "$@"
  [ "$?" != 137 ]
}
"""

FUNCTIONS = f"reducer='{REDUCER}'\n{_FUNCTIONS}"
