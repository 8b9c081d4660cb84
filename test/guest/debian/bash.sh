# bash: process substitution, coprocesses, traps, arrays, PIPESTATUS, job tables.
exec 2>&1
for i in 3 1 2; do (sleep 0.$i; echo "job $i") & done; wait; echo "done $?"
trap 'echo usr1' USR1; kill -USR1 $$
diff <(printf 'a\nb\n') <(printf 'a\nc\n')
exec {fd}<>file; echo hi >&$fd; cat file
coproc cat; echo question >&${COPROC[1]}; read -ru ${COPROC[0]} answer; echo "got $answer"; kill $COPROC_PID; wait $COPROC_PID; echo "coproc $?"
yes | head -3; echo "${PIPESTATUS[@]}"
declare -A map=([one]=1 [two]=2); for k in one two; do echo "$k=${map[$k]}"; done
list=(c a b); printf '%s\n' "${list[@]}" | sort | paste -sd,
[[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[2]} ${BASH_REMATCH[1]}"
shopt -s extglob nullglob globstar; mkdir -p x/y/z; touch x/a.c x/y/b.c x/y/z/c.h; echo **/*.@(c|h)
mapfile -t lines < <(seq 5); echo "${#lines[@]} ${lines[4]}"
(set -e; false; echo unreached); echo "errexit $?"
printf -v text '%05.1f|%-4s|%q' 3.14159 ab 'a b'; echo "$text"
time -p true 2>/dev/null; ulimit -n >/dev/null && echo limits; echo $((RANDOM >= 0)) $BASH_SUBSHELL $(echo $BASH_SUBSHELL)
timeout 0.2 bash -c 'trap "" TERM; sleep 5 & wait'; echo "timeout $?"
select x in one two; do echo "chose $x"; break; done <<< 2
