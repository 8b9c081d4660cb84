# native: Stopped and continued jobs and process groups in a script, which has no terminal.
exec 2>&1
sleep 0.2 & jobs | sed 's/  */ /g'; wait; jobs
(sleep 5) & kill %1; wait %1 2>/dev/null; echo "killed $?"
sh -c 'kill -STOP $$; echo resumed' & sleep 0.2; jobs | sed 's/  */ /g'; kill -CONT %1; wait; echo "done"
sh -c 'kill -STOP $$; echo resumed; exit 4' & sleep 0.2; fg %1; echo "fg $?"; kill -CONT $!; wait $!; echo "status $?"
setsid sh -c 'kill -TSTP $$; echo "an orphaned group does not stop"' & wait
sleep 0.1 | sleep 0.2 & wait; echo pipeline
setsid sh -c 'trap "echo group > leader; exit 3" TERM; (trap "echo member > other; exit 4" TERM; sleep 3) 2> /dev/null & (trap "" TERM; sleep 1; kill -TERM -$$) & wait'; echo "group $?"
sleep 0.6; cat leader other
sh -c 'trap "echo cont" CONT; kill -STOP $$; sleep 0.1; echo after' & p=$!; sleep 0.2; kill -CONT $p; wait $p; echo "status $?"
