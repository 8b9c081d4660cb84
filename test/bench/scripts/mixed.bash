f() { local a=$1; r=$((a * 31 % 10007)); }
x=0; for ((i = 0; i < 20000; i++)); do ((x = (x * 31 + i) % 1000003)); f $i; case $r in *7) x=$((x + 1)) ;; esac; done; echo $x ${r}
