# Pipelines: many stages, exit statuses, pipefail, early readers, large streams.
exec 2>&1
seq 1 20000 | awk '{ s += $1 } END { print s }'
seq 1 1000 | sed -n '/7$/p' | sort -rn | head -3
printf 'b\na\nc\na\n' | sort | uniq -c | sort -k1,1rn -k2 | awk '{ print $1, $2 }'
true | false; echo "status $?"
false | true; echo "status $?"
set -o pipefail
false | true; echo "pipefail $?"
exit 3 | exit 4 | true; echo "pipefail $?"
yes | head -2; echo "yes $?"
set +o pipefail
yes | head -n 100000 | wc -l
! true; echo "not $?"
! false | true; echo "not $?"
echo one | { read a; echo "got $a"; }
seq 1 5 | while read n; do echo "$((n * n))"; done | tr '\n' ' '; echo
seq 1 60000 | tee copy1 copy2 | md5sum; cmp copy1 copy2 && wc -c < copy1
(echo out; echo err >&2) 2>&1 >/dev/null | sed 's/^/caught: /'
echo x | cat - /dev/null | cat | cat | cat | cat | cat | cat | cat
dd if=/dev/zero bs=65536 count=64 2>/dev/null | tr '\0' 'z' | wc -c
cat /dev/zero 2>/dev/null | head -c 1000000 | md5sum
seq 1 100 | xargs -n 25 | wc -l
