# Long loops, read loops, deep recursion, many forks, many files.
exec 2>&1
i=0; while [ $i -lt 200 ]; do (exit $((i % 3))); s=$((s + $?)); i=$((i + 1)); done; echo "forks $s"
i=0; while [ $i -lt 150 ]; do x=$(echo $i); i=$((i + 1)); done; echo "last $x"
i=0; while [ $i -lt 60 ]; do /proc/self/exe true; i=$((i + 1)); done; echo "execs $i"
seq 1 3000 | while read n; do [ $((n % 1000)) = 0 ] && echo "n $n"; done
while IFS=: read -r a b c; do echo "$c|$b|$a"; done <<'EOF'
x:y:z
one:two
\esc:a b: c
EOF
printf 'no newline' | { read x; echo "$? $x"; }; printf 'a\\\nb\n' | { read x; echo "$x"; }; printf 'a\\\nb\n' | { read -r x; echo "$x"; }; echo '  trim  me  ' | { read x; echo "[$x]"; }; echo 'abc' | { read -n 2 x; echo "$x"; }; read -t 0.1 x < /dev/null; echo $?
mkdir many; cd many; for i in $(seq 1 400); do : > f$i; done; ls | wc -l; echo f*5 | wc -w; rm f*; ls | wc -l; cd ..
r() { [ $1 -eq 0 ] && { echo bottom; return; }; r $(($1 - 1)); }; r 300
sub() { [ $1 -eq 0 ] && { echo "subshell bottom"; return; }; (sub $(($1 - 1))); }; sub 40
seq 1 40 | while read i; do mkdir -p d/$i/x; echo $i > d/$i/x/f; done; find d -type f | wc -l; cat d/*/x/f | sort -n | md5sum; rm -r d; ls -d d 2>/dev/null; echo $?
yes abcdefghij | head -n 30000 | sort -u; seq 1 100000 | tail -1; seq 1 100000 | md5sum
