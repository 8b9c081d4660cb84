# native: Background jobs, wait and $!, in order and out of order.
exec 2>&1
for i in 3 1 2; do (sleep 0.$i; echo "job $i") & done
wait
echo "wait $?"
(exit 7) & wait $!; echo "status $?"
(sleep 0.2; exit 5) & a=$!
(sleep 0.1; exit 6) & b=$!
wait $a; echo "a $?"
wait $b; echo "b $?"
wait 99999 2>/dev/null; echo "no child $?"
sleep 5 & kill $!; wait $! 2>/dev/null; echo "killed $?"
sleep 5 & kill -9 $!; wait $! 2>/dev/null; echo "killed $?"
sh -c 'kill -USR1 $$' ; echo "usr1 $?"
sh -c 'kill -SEGV $$' ; echo "segv $?"
{ echo grouped; sleep 0.1; } > out & wait; cat out
i=0; while [ $i -lt 40 ]; do true & i=$((i + 1)); done; wait; echo "all $i"
cat < /dev/null & wait $!; echo "cat $?"
(trap '' INT; sleep 0.3; echo survived) & p=$!; sleep 0.1; kill -INT $p; wait $p; echo "ignored $?"
sleep 0.3 & p=$!; kill -STOP $p; kill -CONT $p; wait $p; echo "continued $?"
jobs | wc -l
# A job inherits the pipe: the reader sees its end only with the last writer.
{ (sleep 0.2; echo late) & echo early; } | cat
