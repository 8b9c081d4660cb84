# dd, truncate, fallocate, sparse files, seeks, append, /dev files.
exec 2>&1
dd if=/dev/zero of=z bs=1k count=4 2>&1 | sed 's/,.*//'; wc -c < z
printf '0123456789' > d; dd if=d bs=1 skip=3 count=4 2>/dev/null; echo; printf 'XY' | dd of=d bs=1 seek=5 conv=notrunc 2>/dev/null; cat d; echo
printf 'end' | dd of=d bs=1 seek=20 2>/dev/null; od -c d | head -3; dd if=d of=d2 bs=7 2>&1 | head -2; cmp d d2 && echo same
dd if=/dev/zero bs=1M count=3 2>/dev/null | dd bs=100 2>/dev/null | wc -c; dd if=d conv=swab 2>/dev/null | head -c 10; echo; printf 'abc' | dd bs=8 conv=sync 2>/dev/null | od -c
dd if=/dev/zero of=sparse bs=1 count=1 seek=10000000 2>/dev/null; stat -c %s sparse; du -k sparse | awk '{ print ($1 < 100) }'; md5sum sparse
truncate -s 100 d; wc -c < d; truncate -s 5 d; cat d; echo; truncate -s +3 d; wc -c < d; fallocate -l 8192 fa; stat -c %s fa
echo a > app; echo b >> app; cat app; : > app; wc -c < app; exec 3<>app; echo hello >&3; exec 3>&-; cat app; exec 4<app; read x <&4; echo "x $x"; exec 4<&-
(echo 1; echo 2) > two; exec 5<two; read a <&5; read b <&5; read c <&5; echo "$a $b $? [$c]"; exec 5<&-
echo data > /dev/null; head -c 5 /dev/zero | od -c; head -c 16 /dev/urandom | wc -c; echo x > /dev/full; echo "full $?"; cat /dev/full 2>/dev/null | head -c 3 | od -c; cat < /dev/null; echo $?
echo to stdout > /dev/stdout; echo to stderr 2>/dev/null > /dev/stderr; echo pass | cat /dev/stdin; echo fd | cat /dev/fd/0; ls /dev/fd/0 >/dev/null; echo $?
dd if=missing 2>/dev/null; echo $?; dd if=/dev/zero of=/dev/full bs=1 count=1 2>/dev/null; echo $?; set -C; echo x > two 2>/dev/null; echo "noclobber $?"; echo y >| two; cat two; set +C
cat two - two <<EOF
middle
EOF
split -b 3 two x 2>/dev/null; cat two > two2; cp two two3; cat two3 two2 > /dev/null; sync; echo done; tail -c +2 two; shred -u two2 2>/dev/null; ls two2 2>/dev/null; echo $?
mkfifo p; (echo through fifo > p) & cat p; wait; (cat p > got) & echo again > p; wait; cat got; (sleep 0.1; cat p) & exec 6>p; echo one >&6; echo two >&6; exec 6>&-; wait; rm p
