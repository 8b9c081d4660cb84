#!/bin/bash
# Builds OCI test images for linux/arm64 with other people's tools: umoci, skopeo, buildah, GNU tar. Needs root: owners, devices,
# capabilities.
# usage: make-images.sh OUTDIR BUSYBOX_STATIC_ARM64
# makes OUTDIR/oci (a layout; tags busybox, torture, torture-zstd), OUTDIR/*.tar (docker-archive, oci-archive), OUTDIR/index (a layout with
# an index of several platforms) and OUTDIR/torture.mtree, umoci's listing of the unpacked image
set -euo pipefail
out=$(realpath -m "$1") bb=$(realpath "$2")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1700000000}
w=$(mktemp -d); trap 'rm -rf "$w"' EXIT
rm -rf "$out"; mkdir -p "$out"; L=$out/oci
T="tar --format=pax --sort=name --mtime=@$SOURCE_DATE_EPOCH --numeric-owner --xattrs --xattrs-include=* --pax-option=delete=atime,delete=ctime"
cfg() { umoci config --image "$L:$1" --architecture arm64 --os linux --created 2023-11-14T22:13:20Z "${@:2}"; }
umoci init --layout "$L"
# --- busybox: one layer; applets as hard links (every second one a symlink)
b=$w/bb; mkdir -p $b/{bin,etc,proc,sys,dev,root,var/log,usr/bin}; install -d -m1777 $b/tmp
cp "$bb" $b/bin/busybox; chmod 755 $b/bin/busybox; i=0
for a in sh ls cat echo cp mv rm ln mkdir rmdir ps sleep true false env id pwd head tail wc grep sed awk sort uniq cut tr find xargs tar gzip gunzip stat touch chmod chown date uname mount umount kill test '[' printf seq dd sha256sum md5sum vi nc wget httpd ping hostname dmesg df du free top time timeout expr basename dirname readlink realpath mktemp mknod mkfifo od hexdump diff cmp tee yes nohup su login whoami which install less more; do
  i=$((i+1)); if [ $((i%2)) = 0 ]; then ln -s busybox "$b/bin/$a"; else ln $b/bin/busybox "$b/bin/$a"; fi; done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\napp:x:1000:1000::/home/app:/bin/sh\n' >$b/etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\napp:x:1000:\nextra:x:2000:app\n' >$b/etc/group
$T -C $b -cf $w/bb.tar .
umoci new --image "$L:busybox"; umoci raw add-layer --image "$L:busybox" $w/bb.tar
cfg busybox --config.cmd /bin/sh --config.env PATH=/usr/bin:/bin
# --- torture: five layers over busybox
umoci tag --image "$L:busybox" torture
add() { $T -C "$1" -cf "$1.tar" "${@:2}"; umoci raw add-layer --image "$L:torture" "$1.tar"; rm -rf "$1" "$1.tar"; }
d=$w/l2; mkdir -p $d/t/{keep,gone,opaque/sub,todir,d2f/x,perm,x,deep}; cd $d/t
for f in keep/a keep/b gone/a opaque/old opaque/sub/old d2f/x/y f2d l2f; do echo "layer2 $f" >$f; done
ln keep/a keep/hard; ln -s a keep/sym; ln -s /t/keep keep/abs; ln -s ../../../../etc/passwd keep/dotdot; ln -s nowhere keep/dangling; ln -s todir s2d
echo s >perm/suid; chmod 4755 perm/suid; echo g >perm/sgid; chmod 2711 perm/sgid; install -d -m3777 perm/sticky
echo n >perm/none; chmod 0 perm/none; echo o >perm/owned; chown 1000:2000 perm/owned; echo big >perm/biguid; chown 2147483647:4000000000 perm/biguid
mkfifo x/fifo; mknod x/null c 1 3; mknod x/loop b 7 0
echo x >x/xattr; setfattr -n user.carrick -v $'bin\x01' x/xattr; cp "$bb" x/capbin; setcap cap_net_bind_service=ep x/capbin || true
touch x/empty; truncate -s 1M x/sparse; printf 'end' >>x/sparse; printf 'caf\303\251' >"x/caf"$'\303\251'; echo sp >"x/a b"; echo nl >$'x/new\nline'
p=deep; for k in $(seq 12); do p=$p/$(printf 'd%.0s' $(seq 24)); done; mkdir -p $p; echo deep >$p/$(printf 'n%.0s' $(seq 200))
cd $w; add $d .
d=$w/l3; mkdir -p $d/t/{keep,opaque,.}; cd $d/t; : >.wh.gone; : >keep/.wh.b; : >opaque/.wh..wh..opq; echo new >opaque/new; : >.wh.never-existed
cd $w; add $d t
d=$w/l4; mkdir -p $d/t/f2d; cd $d/t; echo in >f2d/in; echo file >d2f; mkdir s2d; echo real >s2d/real; ln -s keep/a l2f; mkdir gone; echo again >gone/again
cd $w; add $d t
d=$w/l5; mkdir -p $d/t/keep; cd $d/t; echo changed >keep/a; chmod 600 keep/a     # breaks the hard link made in layer 2
cd $w; add $d t/keep
d=$w/l6; mkdir -p $d/t; cd $d/t; : >.wh.x2; mkdir -p m; echo "#!/bin/sh
echo ok \$0 \$@ \$(id -u):\$(id -g) \$PWD \$FOO" >m/entry; chmod 755 m/entry; cd $w; add $d t
cfg torture --config.entrypoint /t/m/entry --config.entrypoint fixed --config.cmd c1 --config.cmd 'c 2' --config.env FOO='b a=r' \
  --config.env PATH=/bin --config.user app:extra --config.workingdir /t/made/by/runtime --config.volume /data --config.exposedports 8080/tcp --config.stopsignal SIGUSR1 --config.label a=b
umoci gc --layout "$L"
P=(skopeo --insecure-policy --override-arch arm64)
"${P[@]}" copy -q --dest-compress --dest-compress-format zstd --dest-force-compress-format "oci:$L:torture" "oci:$L:torture-zstd" 2>/dev/null ||
  "${P[@]}" copy -q --dest-compress-format zstd --dest-compress --dest-decompress=false "oci:$L:torture" "dir:$out/torture-zstd-dir"
for t in busybox torture; do "${P[@]}" copy -q "oci:$L:$t" "docker-archive:$out/$t.docker.tar:test/$t:latest"; done
"${P[@]}" copy -q "oci:$L:torture" "oci-archive:$out/torture.oci.tar:torture"
umoci unpack --image "$L:torture" "$w/b"; cp "$w"/b/*.mtree "$out/torture.mtree"
# --- multi-arch index: the arm64 image beside an amd64-labelled and an arm/v7 one
umoci tag --image "$L:busybox" bb-amd64; umoci config --image "$L:bb-amd64" --architecture amd64
umoci tag --image "$L:busybox" bb-armv7; umoci config --image "$L:bb-armv7" --architecture arm
B=(buildah --root "$w/s" --runroot "$w/r" --storage-driver vfs)
"${B[@]}" manifest create multi >/dev/null
for t in bb-amd64 bb-armv7 busybox; do case $t in bb-amd64) o="--arch amd64";; bb-armv7) o="--arch arm --variant v7";; *) o="--arch arm64 --variant v8";; esac
  "${B[@]}" manifest add $o multi "oci:$L:$t" >/dev/null; done
"${B[@]}" manifest push -q --all multi "oci:$out/index:multi" >/dev/null
