# expect drives an interactive shell through a pseudo terminal: job control, window size, interrupts.
exec 2>&1
cat > j.exp <<'X'
log_user 0
set timeout 20
proc want {text} { expect -ex $text {} timeout { puts "no $text"; exit 1 } eof { puts "end before $text"; exit 2 } }
set env(PS1) "> "
spawn bash --norc --noprofile -i
want "> "
send "tty | cut -c1-9; stty size\r"
want "/dev/pts/"
want "0 0"
send "sleep 100\r"
after 300
send "\x1a"
want "Stopped"
send "bg; jobs; fg\r"
want "Running"
after 300
send "\x03"
want "> "
send "echo st=\$?\r"
want "st=130"
send "stty rows 33 cols 99; stty size; stty -echo; cat\r"
want "33 99"
send "line\r\x04"
want "line"
send "trap 'echo caught' WINCH; exit 6\r"
expect eof
puts "status [lindex [wait] 3]"
X
expect j.exp
