# Parameters, quoting, globbing, arithmetic, functions, loops, case.
exec 2>&1
set -- a 'b c' d; echo $# "$2"; for w in "$@"; do echo "<$w>"; done; echo "$*"; IFS=-; echo "$*"; unset IFS
shift 2; echo "$1 $#"
u=; echo "${u:-default} ${u-unset} ${nope:=assigned} $nope ${nope:+alt} ${#nope}"
p=/usr/local/lib/libx.so.1; echo "${p##*/} ${p%/*} ${p%%.*} ${p#/usr}"
s=hello; echo "${s:1:3} ${s/l/L} ${s//l/L}"
echo $((7 / 2)) $((-7 / 2)) $((-7 % 3)) $((1 << 40)) $((0x1f)) $((017)) $((2 ** 10)) $((5 > 3 ? 1 : 2)) $((~0)) $((1 && 0)) $((9223372036854775807 + 1))
i=5; echo $((i++)) $((++i)) $((i -= 3)) $i $((i = 8, i * 2))
echo $((1 / 0)) 2>&1 | sed 's/.*: //'
touch a1 a2 b1 'sp ace' .hidden; mkdir dir; touch dir/x
echo *; echo a?; echo [!a]*; echo .h*; echo nomatch*; echo */; echo 'a*' "a*" a\*
for f in *' '*; do echo "<$f>"; done
case foobar in foo) echo exact;; foo*|bar) echo prefix;; *) echo other;; esac
case 'x y' in x\ y) echo quoted;; esac
fact() { if [ "$1" -le 1 ]; then echo 1; else echo $(($1 * $(fact $(($1 - 1))))); fi; }
fact 12
fib() { local a=0 b=1 n=$1 t; while [ $n -gt 0 ]; do t=$((a + b)); a=$b; b=$t; n=$((n - 1)); done; echo $a; }
fib 80
outer() { local v=1; inner; echo "v $v"; }; inner() { v=2; }; outer; echo "global ${v-none}"
until [ ${c:-0} -ge 3 ]; do c=$((c + 1)); [ $c -eq 2 ] && continue; echo "c $c"; done
for i in 1 2 3; do for j in 1 2 3; do [ $j = 2 ] && continue 2; [ $i = 3 ] && break 2; echo $i$j; done; done
n=0; while [ $n -lt 20000 ]; do n=$((n + 1)); done; echo $n
eval 'echo "evaluated $((1 + 1))"'; x='echo split words'; $x
printf '%s\n' "$(printf 'trailing\n\n\n')" `echo back\`echo nested\``
(cd dir && pwd | sed 's,.*/,,'; x=inner); echo "${x}"
{ echo braces; false; } && echo no || echo "or $?"
echo "$(< a1)$?" "${0##*/}"
readonly RO=1; (RO=2) 2>/dev/null; echo "readonly $?"
set -e; (false; echo unreached) || echo "caught"; set +e
set -u; (echo "$undefined") 2>/dev/null; echo "unset $?"
