# trap, kill and what signals make of exit statuses.
exec 2>&1
trap 'echo USR1' USR1; trap 'echo USR2' USR2
kill -USR1 $$; kill -USR2 $$; kill -USR1 $$
trap 'echo TERM; exit 9' TERM
(kill -TERM $$) ; sleep 0.1; echo "not here"
