# test(1) operators on files, strings and numbers; expr(1).
exec 2>&1
touch empty; echo x > full; chmod 644 full; mkdir d; ln -s full link; ln -s missing dangling; mkfifo fifo; ln full hard
chmod 000 empty; chmod +x full
t() { if test "$@"; then echo "yes: $*"; else echo "no: $*"; fi; }
t -e full; t -e missing; t -e dangling; t -L dangling; t -h link; t -f link; t -d d; t -p fifo; t -S full
t -s full; t -s empty; t -x full; t -x d; t -c /dev/null; t -b /dev/null; t -u full; t -g full; t -k d
t full -ef hard; t full -ef link; t full -nt missing
touch -d '2001-01-01 00:00:00' old; t old -ot full; t full -nt old; t old -nt full
t -z ''; t -n ''; t -n x; t a = a; t a != b; t ab = 'a*'; t 1 -eq 01; t 1 -lt 2; t -1 -gt -2; t 10 -ge 9
t ! -e full; t -e full -a -d d; t -e missing -o -d d; t \( a = b \) -o \( a = a \); t ''; t x; t -t 0
[ 1 -eq x ] 2>/dev/null; echo $?
[ -e full; echo $?
[[ abc == a* ]] && echo pattern
expr 1 + 2 \* 3; expr \( 1 + 2 \) \* 3; expr 7 / 2; expr 7 % 4; expr 3 \< 4; expr 4 = 4; expr a \< b
expr abcdef : 'abc\(.*\)'; expr abcdef : 'b'; expr length hello; expr substr hello 2 3; expr index hello l
expr 0; echo $?; expr 1 - 1; echo $?; expr x + 1 2>/dev/null; echo $?; expr '' \| b; expr a \& b
