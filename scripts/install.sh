#!/bin/sh
# Installs carrick, or removes it: see usage below. POSIX sh, and nothing but what a fresh macOS or Linux has.
# Everything is in functions, and the last line calls them: a download that breaks off runs nothing.
set -eu

RELEASES=${CARRICK_RELEASES:-https://carrick.example/releases}
work=""

usage() {
  cat <<'END'
Installs carrick for this user, or for all when /usr/local/bin is writable or root asks.

  curl -fsSL https://carrick.example/install.sh | sh
  curl -fsSL https://carrick.example/install.sh | sh -s -- [OPTIONS]

  --version V    install version V instead of the latest
  --prefix DIR   install DIR/bin/carrick instead of /usr/local/bin/carrick or ~/.local/bin/carrick
  --uninstall    remove carrick from there (what does not say that it is carrick stays)
  --help         show this text

CARRICK_RELEASES is the address that releases lie below, as VERSION/FILE.
END
}

say() { printf 'carrick: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

clean_up() {
  [ -z "$work" ] || rm -rf "$work"
}

# Which release this machine takes: prints its name. Fails with the reason when there is none.
target() {
  system=$(uname -s)
  machine=$(uname -m)
  case "$system-$machine" in
    Darwin-arm64 | Darwin-x86_64)
      require_mac "$machine"
      echo darwin-arm64
      ;;
    Linux-x86_64 | Linux-amd64) echo linux-x64 ;;
    Linux-aarch64 | Linux-arm64) echo linux-arm64 ;;
    *) fail "there is no carrick for $system on $machine; it runs on macOS (Apple silicon) and Linux (x86-64, arm64)" ;;
  esac
}

require_mac() {
  # A shell under Rosetta says x86_64 on Apple silicon too.
  if [ "$1" = x86_64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || echo 0)" != 1 ]; then
    fail "this Mac has an Intel processor; carrick needs Apple silicon"
  fi
  # Not the 10.16 that old programs are told.
  release=$(SYSTEM_VERSION_COMPAT=0 sw_vers -productVersion 2>/dev/null || true)
  case "${release%%.*}" in
    '' | *[!0-9]*) fail "cannot tell the version of macOS from '$release'" ;;
  esac
  [ "${release%%.*}" -ge 14 ] || fail "this is macOS $release; carrick needs macOS 14 or later"
  if [ "$(sysctl -n kern.hv_support 2>/dev/null || echo 0)" != 1 ]; then
    say "warning: this machine has no hypervisor (kern.hv_support); programs run with --cpu interp only, slowly"
  fi
}

# The directory to install into.
directory() {
  if [ -n "$1" ]; then
    echo "$1/bin"
  elif [ -d /usr/local/bin ] && [ -w /usr/local/bin ]; then
    echo /usr/local/bin
  elif [ "$(id -u 2>/dev/null)" = 0 ] && mkdir -p /usr/local/bin 2>/dev/null && [ -w /usr/local/bin ]; then
    # A Mac has no such folder at first. The home that sudo has kept is somebody else's.
    echo /usr/local/bin
  elif [ -n "${HOME:-}" ]; then
    echo "$HOME/.local/bin"
  else
    fail "/usr/local/bin is not writable and HOME is not set; say --prefix DIR"
  fi
}

# fetch URL FILE WHAT
fetch() {
  code=0
  if has curl; then
    case "$1" in
      https://*) curl -fsSL --proto '=https' --retry 2 --connect-timeout 20 -o "$2" "$1" 2>"$work/error" || code=$? ;;
      *) curl -fsSL --retry 2 --connect-timeout 20 -o "$2" "$1" 2>"$work/error" || code=$? ;;
    esac
    case $code in
      0) return ;;
      22) reason="the server does not have it" ;;
      23) reason="it cannot be written: is the disk full?" ;;
      5 | 6 | 7 | 28 | 35) reason="the server cannot be reached" ;;
      *) reason="the transfer failed" ;;
    esac
  elif has wget; then
    wget -q -O "$2" "$1" 2>"$work/error" || code=$?
    case $code in
      0) return ;;
      3) reason="it cannot be written: is the disk full?" ;;
      4 | 5) reason="the server cannot be reached" ;;
      8) reason="the server does not have it" ;;
      *) reason="the transfer failed" ;;
    esac
  else
    fail "neither curl nor wget is installed"
  fi
  detail=$(tail -n 1 "$work/error" 2>/dev/null || true)
  fail "cannot download $3 from $1: $reason${detail:+ ($detail)}"
}

# Prints the SHA-256 of a file.
digest() {
  if has sha256sum; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  elif has openssl; then
    openssl dgst -sha256 <"$1" | sed 's/.* //'
  else
    fail "none of sha256sum, shasum and openssl is installed: the download cannot be checked"
  fi
}

# expected NAME: prints the digest that the release's list has for it.
expected() {
  sum=$(sed -n "s/^\\([0-9a-f]\\{64\\}\\)  $1\$/\\1/p" "$work/SHA256SUMS")
  [ -n "$sum" ] || fail "the release's list of checksums does not have $1"
  echo "$sum"
}

install_carrick() {
  case $RELEASES in
    *//carrick.example/*) fail "this copy of install.sh does not say where releases are; set CARRICK_RELEASES to their address" ;;
  esac
  name=carrick-$(target)
  bin=$(directory "$prefix")
  mkdir -p "$bin" 2>/dev/null || fail "cannot make the directory $bin"
  [ ! -d "$bin/carrick" ] || fail "$bin/carrick is a directory"
  # Next to where it will be, so that the last step is a rename.
  work=$(mktemp -d "$bin/.carrick-XXXXXX" 2>/dev/null) || fail "cannot write to $bin"
  fetch "$RELEASES/$version/SHA256SUMS" "$work/SHA256SUMS" "the list of checksums of carrick $version"
  wanted=$(expected "$name")
  packed=$(expected "$name.gz")
  if [ -f "$bin/carrick" ]; then
    present=$(digest "$bin/carrick")
    if [ "$present" = "$wanted" ]; then
      say "$bin/carrick is up to date"
      advise
      return
    fi
  fi
  say "downloading $name ($version)"
  fetch "$RELEASES/$version/$name.gz" "$work/carrick.gz" "carrick"
  present=$(digest "$work/carrick.gz")
  [ "$present" = "$packed" ] ||
    fail "what was downloaded from $RELEASES/$version/$name.gz has another checksum than the release says; nothing was installed"
  gzip -dc <"$work/carrick.gz" >"$work/carrick" 2>/dev/null || fail "cannot write to $bin: is the disk full?"
  present=$(digest "$work/carrick")
  [ "$present" = "$wanted" ] || fail "$name does not unpack to what the release says; nothing was installed"
  chmod 755 "$work/carrick"
  if has xattr; then xattr -d com.apple.quarantine "$work/carrick" 2>/dev/null || true; fi
  said=$("$work/carrick" --version 2>"$work/error") ||
    fail "$name does not start on this machine; nothing was installed: $(tail -n 1 "$work/error")"
  mv -f "$work/carrick" "$bin/carrick" 2>/dev/null || fail "cannot replace $bin/carrick"
  say "installed $said as $bin/carrick"
  advise
}

# What may still be in the way of typing `carrick`.
advise() {
  case ":$PATH:" in
    *":$bin:"*) ;;
    *) say "$bin is not in your PATH; add it: export PATH=\"$bin:\$PATH\"" ;;
  esac
  first=$(command -v carrick || true)
  case "$first" in
    "" | "$bin/carrick") ;;
    *) say "another carrick comes first in your PATH: $first" ;;
  esac
}

# remove FILE
remove() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  [ ! -d "$1" ] || fail "$1 is a directory"
  # A program of that name that works is asked who it is.
  if [ -x "$1" ]; then
    said=$("$1" --version </dev/null 2>/dev/null) || said="carrick that does not start"
    case "$said" in
      "carrick "*) ;;
      *) fail "$1 is some other program; it stays" ;;
    esac
  fi
  rm -f "$1" 2>/dev/null || fail "cannot remove $1"
  say "removed $1"
  removed=1
}

uninstall_carrick() {
  removed=0
  if [ -n "$prefix" ]; then
    remove "$prefix/bin/carrick"
  else
    remove /usr/local/bin/carrick
    [ -z "${HOME:-}" ] || remove "$HOME/.local/bin/carrick"
  fi
  [ "$removed" = 1 ] || fail "there is no carrick to remove"
  say "images stay in the store (CARRICK_HOME, or carrick in ~/.local/share or ~/Library/Application Support)"
}

# value OPTION [VALUE...]
value() {
  [ -n "${2:-}" ] || fail "$1 needs a value"
}

main() {
  # What is made is for whoever may use it. sysctl is where a short PATH does not look.
  umask 022
  PATH=$PATH:/usr/sbin:/sbin
  version=latest
  prefix=""
  action=install_carrick
  while [ $# -gt 0 ]; do
    case "$1" in
      --version)
        value "$@"
        version=$2
        shift
        ;;
      --version=*) version=${1#*=} ;;
      --prefix)
        value "$@"
        prefix=$2
        shift
        ;;
      --prefix=*) prefix=${1#*=} ;;
      --uninstall) action=uninstall_carrick ;;
      -h | --help)
        usage
        return
        ;;
      *) fail "unknown option $1; --help shows them all" ;;
    esac
    shift
  done
  case "$version" in
    latest) ;;
    *[!0-9A-Za-z.+-]* | '') fail "'$version' is not a version" ;;
    v*) ;;
    *) version=v$version ;;
  esac
  case "$prefix" in
    '' | /*) ;;
    *) prefix=$(pwd)/$prefix ;;
  esac
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  $action
}

{ main "$@"; }
