#!/bin/sh
# Installs Debian packages so that no system service runs or is enabled afterwards that wasn't before.
#
#   install-debian.sh PACKAGE...        (as root)
#
# Packages of servers start their service and enable it for the next boot. The first is prevented by /usr/sbin/policy-rc.d,
# the interface that Debian made for it (invoke-rc.d(8)); the second is taken back by comparing what is enabled before and
# after. One installation at a time: several set-ups side by side wait for each other.
set -eu

[ "$(id -u)" = 0 ] || { echo "Cannot install packages: this needs root" >&2; exit 3; }
[ $# -gt 0 ] || { echo "usage: install-debian.sh PACKAGE..." >&2; exit 2; }

LOCK=/run/lock/waybill-setup
POLICY=/usr/sbin/policy-rc.d
KEPT=/usr/sbin/policy-rc.d.before-waybill
MARK='Made by the set-up of Waybill'

# The lock is held by file descriptor 9 and goes with this process, however it ends.
mkdir -p /run/lock
exec 9>"$LOCK"
flock 9

enabled() {
  for link in /etc/systemd/system/*.wants/* /etc/systemd/system/*.requires/* /etc/rc[2-5S].d/S*; do
    [ -L "$link" ] && echo "$link"
  done | sort
}

restore_policy() {
  if [ -e "$POLICY" ] && grep -q "$MARK" "$POLICY"; then rm -f "$POLICY"; fi
  if [ -e "$KEPT" ]; then mv -f "$KEPT" "$POLICY"; fi
}

# A policy that is left behind by a killed set-up forbids nothing: it counts only while its maker lives.
forbid_starting() {
  restore_policy
  if [ -e "$POLICY" ]; then mv "$POLICY" "$KEPT"; fi
  {
    echo '#!/bin/sh'
    echo "# $MARK, process $$."
    echo "grep -qs install-debian /proc/$$/cmdline && exit 101"
    echo "[ ! -x $KEPT ] || exec $KEPT \"\$@\""
    echo 'exit 0'
  } >"$POLICY.new"
  chmod 755 "$POLICY.new"
  mv "$POLICY.new" "$POLICY"
}

disable() {
  link=$1
  name=$(basename "$link")
  case $link in
    /etc/rc*) name=$(printf %s "$name" | sed 's/^S[0-9][0-9]//'); command -v update-rc.d >/dev/null && update-rc.d "$name" disable ;;
    *) command -v systemctl >/dev/null && systemctl --no-reload disable "$name" ;;
  esac >/dev/null 2>&1 || true
  rm -f "$link"
}

mappers() { ps -A -o pid= -o comm= 2>/dev/null | awk '$2 == "epmd" { print $1 }' | sort; }

work=$(mktemp -d)
trap 'restore_policy; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

enabled >"$work/before"
mappers >"$work/mappers-before"
forbid_starting

export DEBIAN_FRONTEND=noninteractive
if ! apt-get update -q -o Acquire::Retries=2 9>&- >"$work/update" 2>&1; then
  cat "$work/update" >&2
  echo "Cannot install $*: \`apt-get update\` failed, see above. Is the network there, and are the package sources right?" >&2
  exit 4
fi
if ! apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" 9>&-; then
  echo "Cannot install $*: \`apt-get install\` failed, see above" >&2
  exit 5
fi

enabled >"$work/after"
comm -13 "$work/before" "$work/after" | while read -r link; do disable "$link"; done
# Erlang's port mapper comes up by itself when a package configures itself with a running Erlang.
mappers >"$work/mappers-after"
comm -13 "$work/mappers-before" "$work/mappers-after" | while read -r pid; do kill "$pid" 2>/dev/null || true; done
