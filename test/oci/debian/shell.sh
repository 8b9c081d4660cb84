# Pipelines, substitutions, arrays, traps and jobs of bash.
exec 2>&1; mkdir /tmp/w; cd /tmp/w
seq 1 20000 | awk '{s += $1} END {print s}' | tee s | wc -l; cat s; echo "$(echo a; echo $(echo b | tr b c))" `expr 6 \* 7`
diff <(printf 'a\nb\n') <(printf 'a\nc\n'); coproc cat; echo q >&"${COPROC[1]}"; read -ru "${COPROC[0]}" r; echo "got $r"; exec {COPROC[1]}>&-; wait
yes | head -3; echo "${PIPESTATUS[@]}"; for i in 1 2 3; do (sleep 0.$i; echo "job $i") & done; wait; trap 'echo T' USR1; kill -USR1 $$
declare -A m=([x]=1 [y]=2); echo "${m[x]}${m[y]}" "${BASH_VERSINFO[0]}" $((2 ** 40)); cat <<< "here"; (exit 7); echo $?; printf '%s\n' /etc/os-r* /bin/bas[eh]; echo {a..e}
mapfile -t lines < <(cut -d: -f1 /etc/passwd); echo "${#lines[@]} ${lines[0]}"; no-such-command; echo $?; kill -9 $BASHPID
