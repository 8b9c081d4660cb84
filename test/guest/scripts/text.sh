# sort, uniq, cut, tr, paste, fold, nl, expand, head, tail, tac, rev, wc, comm-like tools, od, hexdump, xxd, strings, base64.
exec 2>&1
cat > t <<EOF
pear 3 x
apple 10 y
fig 2 z
apple 1 y
EOF
sort t; sort -k2,2n t; sort -r t; sort -u -k1,1 t; sort -k1,1 -k2,2nr t; sort -t' ' -k3 t; sort -c t 2>/dev/null; echo $?
printf '10\n9\n-1\n1e2\n' | sort -n; printf '1K\n2M\n3\n' | sort -h 2>/dev/null; printf 'v1.10\nv1.9\n' | sort -V; seq 1 30000 | sort -r | md5sum; seq 1 3 | sort -R | wc -l; sort -o t2 t; head -1 t2; printf 'b\0a\0' | sort -z | tr '\0' '|'; echo
printf 'a\na\nb\nA\n' > u; uniq u; uniq -c u; uniq -d u; uniq -u u; uniq -i u; printf '1 x\n2 x\n' | uniq -f 1
cut -d' ' -f1,3 t; cut -c2-4 t; cut -b1 t; echo 'a:b:c' | cut -d: -f2-; echo nodelim | cut -d: -f1; echo nodelim | cut -s -d: -f1
echo 'hello' | tr a-y b-z; echo 'aabbcc' | tr -s abc; echo 'a1b2' | tr -d 0-9; echo 'a1b2' | tr -cd '0-9\n'; echo abc | tr '[:lower:]' '[:upper:]'; printf 'x\ty' | tr '\t' ' '; echo
paste u t 2>/dev/null | head -2; paste -s -d, u; seq 1 6 | paste - - -; echo 'a long line of text to fold here' | fold -w 10; echo 'a long line of text to fold here' | fold -s -w 12; nl t; printf 'a\tb\n' | expand -t 4; printf '        x\n' | unexpand -a
head -n 2 t; head -c 5 t; echo; tail -n 1 t; tail -n +3 t; tail -c 4 t; head -n -2 t; tac t; rev t; wc t; wc -l < t; wc -c t; wc -L t; cat -n t; cat -A t | head -1; cat -s t | wc -l
printf 'abc\001\377' | od -c; printf 'abcdefgh' | od -An -tx1; printf 'abcdefgh' | od -An -td2; printf 'abcdefgh' | od -tx4 -Ad; printf 'abcdefghijklmnopqrstuvwxyz' | od -b -j 4 -N 8; dd if=/dev/zero bs=100 count=1 2>/dev/null | od
printf 'abcdefghijklmnopqrstuvwxyz' | hexdump -C; printf 'abcd' | hexdump; printf 'abcd' | xxd; printf 'hello' | xxd -p; echo 68656c6c6f | xxd -r -p; echo
printf 'bin\0\0ary text\0ab' | strings; echo 'round trip' | base64; echo cm91bmQgdHJpcAo= | base64 -d; echo data | uuencode x; echo data | uuencode x | uudecode -o -
for h in md5sum sha1sum sha256sum sha512sum sha3sum; do printf 'abc' | $h; done; seq 1 10000 | cksum 2>/dev/null || echo 'no cksum'; printf abc | crc32 2>/dev/null; md5sum t > sums; md5sum -c sums; echo x >> t; md5sum -c sums 2>/dev/null; echo $?
printf '%s|%5s|%-5s|%05d|%x|%o|%c|%%|%b\n' a b c 42 255 8 xyz 'x\ty'; printf '%d %s\n' 1 one 2 two; printf '\101\x42\n'; printf '%.3f %e %g\n' 3.14159 31415.9 0.0001; printf '%q\n' 'a b' 2>/dev/null; echo -e 'tab\there\nnew'; echo -n no; echo ' newline'; echo 'a\nb'
seq 5; seq 2 2 8; seq 3 -1 1; seq -w 8 11; seq -s, 1 5; factor 360 97 1000000007; dc -e '2 10 ^ p' 2>/dev/null; echo '2^64; 7/3; scale=5; 7/3; sqrt(2)' | bc; cal 2 2024 | head -8; shuf -i 1-5 | sort | tr '\n' ' '; echo
grep -n apple t; grep -c a t; grep -v apple t; grep -i APPLE t | wc -l; grep -o '[0-9]*' t | tr '\n' ' '; grep -E '^(fig|pear)' t; grep -F '.' t; echo $?; grep -q fig t; echo $?; grep -l fig t u; grep -L fig t u; grep -A1 fig t; grep -B1 fig t; grep -x x t; grep -w 1 t; grep -r fig . | sort; grep x missing 2>/dev/null; echo $?; printf 'a\0b\n' | grep -c b
cmp t u | sed 's/ line.*//'; cmp -s t t; echo $?; ts < /dev/null; which sh >/dev/null; echo $?; basename /a/b.c .c; dirname /a/b.c; dirname a; dos2unix < t | md5sum | wc -c; strings -n 8 t; split -l 2 t part 2>/dev/null || echo 'no split'; tee -a t3 < u > /dev/null; tee -a t3 < u | wc -l; wc -l < t3; yes no | head -2; sleep 0; usleep 1; true; false; echo $?
