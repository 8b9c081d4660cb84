#!/bin/bash
# Makes an OCI layout of a root directory with umoci and GNU tar: one layer with the root's owners and modes, tag "test".
# usage: make-debian-image.sh ROOT OUTDIR
set -euo pipefail
root=$1 out=$(realpath -m "$2")
layer=$(mktemp); trap 'rm -f "$layer"' EXIT
tar --format=pax --sort=name --numeric-owner --pax-option=delete=atime,delete=ctime -C "$root" -cf "$layer" .
umoci init --layout "$out"
umoci new --image "$out:test"
umoci raw add-layer --image "$out:test" "$layer"
umoci config --image "$out:test" --architecture arm64 --os linux --config.cmd /bin/bash --config.env PATH=/usr/sbin:/usr/bin:/sbin:/bin
umoci gc --layout "$out"
