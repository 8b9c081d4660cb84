# GNU tools: coreutils, findutils, gawk, sed, tar and compressors, jq, less, vim, procps.
exec 2>&1
seq 3 | shuf | sort | tac; numfmt --to=iec 123456; date -u -d @0; stat -c %a /etc; factor 1234567; tsort <<< 'a b'
ls /usr/share/perl5 | sort | head -3; sha512sum /usr/lib/os-release | cut -c1-8; split -n 2 /bin/ls; cat xa? | cmp - /bin/ls && echo split
seq 20 | pr -T -4 -l5 | expand; join <(seq 3) <(seq 2 4); comm -12 <(seq 5) <(seq 3 9); csplit -s <(seq 9) 4 7; cat xx01; fmt -w 20 <<< 'some words that have to be filled into lines'
stdbuf -oL echo buffered; nl <<< line; od -An -tx8 -N8 /dev/zero; truncate -s 1M sparse; du -k sparse | cut -f1; cp --sparse=always sparse s2; cmp sparse s2; tac <<< $'a\nb'; sort --parallel=2 -S1M <(seq 20000) | md5sum
ln -s a b; readlink b; mkfifo p; (cat p &) ; echo fifo > p; sleep 0.1; chmod -v 600 sparse; touch -d @0 t; stat -c %Y t; install -m 700 t u; stat -c %a u; mktemp -u XXX | wc -c; realpath --relative-to=/usr /usr/bin/env
find /usr/share/perl5 /usr/lib/python3 -name '*.p[ly]' | xargs -P4 -n20 sha1sum | sort | sha1sum | wc -c; find . -type p -printf '%f %m %y\n'; find . -newermt 2000-01-01 -name t
gawk 'BEGIN { for (i = 0; i < 50000; i++) s += sqrt(i); printf "%.3f\n", s; print strftime("%F", 0, 1); "echo sub" | getline x; print x; print toupper(gensub(/(.)b/, "\\1-", "g", "abab")) }'
sed -E 's/(.)(.)/\2\1/g; 1~2d' <<< $'abcd\nefgh'; sed -i.bak 1d xx01; ls xx01*; grep -oP '(?<=a)b+' <<< abbbab; grep -c . /etc/passwd | grep -c '[0-9]'
seq 5000 > d; for z in gzip xz zstd; do $z -qk d -c > d.z; $z -dc d.z | cmp - d && echo $z; done; tar cJf t.tar.xz d; tar tf t.tar.xz; tar c --zstd d | tar x --zstd -O | wc -l; tar cf - d | tar df - && echo compared
jq -c '.a | map(type)' <<< '{"a":[1,"x",{"b":null}]}'; jq -n '[range(1000)] | add'; less d | tail -1; printf 'one\ntwo\n' > f; vim.tiny -es -u NONE -c '%s/o/0/g' -c wq f; cat f
sleep 3 & ps -o comm= -p $!; pgrep -c sleep; pkill sleep; wait; free | head -1 | wc -w; diff -y --width 20 <(seq 3) <(seq 2 4); cmp <(echo a) <(echo b); sync; id -u; nproc | grep -c .; timeout 1 sleep 5; echo $?; nice -n 5 nice; env -i A=1 env; printf '%s\n' *.z
openssl dgst -sha3-256 -r <<< x; echo data | openssl enc -aes-256-cbc -pbkdf2 -k p -a | openssl enc -d -aes-256-cbc -pbkdf2 -k p -a; openssl genpkey -algorithm ed25519 -out k; openssl pkey -in k -pubout -out pub; openssl pkeyutl -sign -inkey k -rawin -in d -out sig && openssl pkeyutl -verify -pubin -inkey pub -rawin -in d -sigfile sig
