# Traps in subshells, during wait, nested, reset and ignored.
exec 2>&1
trap 'echo EXIT $?' EXIT
trap 'echo "int in $(basename sh)"' INT
(trap - INT; sh -c 'kill -INT $$'; echo "child $?")
sh -c 'trap "echo inner; exit 3" HUP; kill -HUP $$; echo no'; echo "inner $?"
sh -c 'trap "" HUP; kill -HUP $$; echo "ignored"'; echo "outer $?"
sh -c 'trap "" TERM; sh -c "kill -TERM \$\$; echo still here"'; echo "inherit $?"
sh -c 'trap "echo got" USR1; (sleep 0.2; kill -USR1 $$) & wait $!; echo "wait $?"'
sh -c 'trap "echo alarm" ALRM; (sleep 0.1; kill -ALRM $$) & sleep 0.3; echo after'
sh -c 'trap "echo bye" EXIT; exit 4'; echo "exit trap $?"
sh -c 'trap "echo bye" EXIT; kill -TERM $$'; echo "killed $?"
sh -c 'trap "echo on err" ERR 2>/dev/null; false; true'; echo "$?"
trap
trap - INT; trap | grep -c INT
for s in HUP INT QUIT ILL ABRT FPE KILL SEGV PIPE ALRM TERM USR1 USR2; do
  sh -c "kill -$s \$\$" 2>/dev/null; echo "$s $?"
done
kill -l | head -c 60 | wc -c
kill -l 9; kill -l TERM; kill -0 $$; echo "alive $?"
kill -0 999999 2>/dev/null; echo "dead $?"
f() { trap 'echo in function' USR1; kill -USR1 $$; return 5; }
f; echo "f $?"
(exit 300); echo $?
(exit -1); echo $?
exit 77
