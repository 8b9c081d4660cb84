# awk programs.
exec 2>&1
seq 1 10 | awk 'NR % 2 { s += $1 } END { print s, NR }'
printf 'a:1\nb:2\na:3\n' | awk -F: '{ n[$1] += $2 } END { for (k in n) print k, n[k] }' | sort
awk 'BEGIN { printf "%5.2f|%-8s|%08d|%x|%o|%e|%c|%s\n", 3.14159, "left", 42, 255, 8, 12345.678, 65, "end" }'
awk 'BEGIN { print length("hello"), substr("hello", 2, 3), index("hello", "ll"), toupper("abc"), tolower("XYZ") }'
awk 'BEGIN { s = "a-b-c"; n = split(s, p, "-"); for (i = n; i > 0; i--) printf "%s ", p[i]; print n }'
awk 'BEGIN { s = "foo bar foo"; print gsub(/foo/, "[&]", s), s; sub(/b.r/, "X", s); print s; print match("xxabc", /a.c/), RSTART, RLENGTH }'
echo 'one two three' | awk '{ $2 = "2"; print; print NF; $5 = "five"; print; NF = 2; print }'
awk 'function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } BEGIN { print f(18) }'
awk 'BEGIN { while (("echo x; echo y" | getline line) > 0) print "got", line; close("echo x; echo y"); print "sorted" | "sort -r"; print "zorted" | "sort -r"; close("sort -r") }'
awk 'BEGIN { print 1 / 3, 1e6, 1e20, 0.1 + 0.2, int(-3.7), sqrt(2), exp(1), log(10), sin(1), cos(1), atan2(1, 1), 2 ^ 10, 7 % 3 }'
awk 'BEGIN { OFS = ","; ORS = ";\n"; print 1, 2; $0 = "a b c"; $1 = $1; print }'
printf 'x 1\ny 2\n' > f1; printf 'x 10\ny 20\n' > f2
awk 'NR == FNR { a[$1] = $2; next } { print $1, a[$1] + $2 }' f1 f2
awk '/start/,/stop/' <<EOF
no
start
in
stop
out
EOF
awk -v x=5 'BEGIN { print x * 2; if (x > 3) print "big"; else print "small"; do { x-- } while (x > 0); print x; exit 3 }'; echo "status $?"
awk 'BEGIN { RS = "" } { print NR ": " $1 " (" NF ")" }' <<EOF
p1 a b
c

p2 d
EOF
awk '{ c[length($0)]++ } END { for (i = 1; i <= 5; i++) print i, c[i] + 0 }' <<EOF
a
bb
bb
ccccc
EOF
awk 'BEGIN { print substr("x", 0), "|" substr("hello", -1, 3) "|", 1 == 1.0, "10" < "9", 10 < 9, "a" "b" }'
seq 1 30000 | awk '{ a[NR] = $1 * $1 } END { for (i = NR; i > NR - 3; i--) print a[i] }'
awk 'BEGIN { print ENVIRON["MARK"]; print ARGV[1], ARGC; print toupper(substr(ARGV[0], 1, 1)) }' arg
awk 'BEGIN { "date -u -d @0 +%Y" | getline y; print y; system("echo from system; exit 4"); printf "%s %s\n", "no", "newline" > "/dev/stderr" }' 2>&1
awk 'BEGIN { printf "%d %d %d\n", "12abc", "0x1A", -0; print length(), !0, !1; print 1==1 ? "t" : "f"; delete a; a[1]; print (1 in a), (2 in a) }'
awk 'BEGIN { getline; print "first " $0; getline x; print "second " x; while ((getline l < "f1") > 0) print "f1 " l }' <<EOF
l1
l2
EOF
