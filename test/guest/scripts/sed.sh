# sed scripts, in-place edits, ed, and vi with a command.
exec 2>&1
seq 1 10 > n
sed -n '2,4p;$p' n; sed '3d;5,$d' n; sed 's/1/X/' n | head -1; sed -n '/3/,/5/p' n; sed '1~3d' n | tr '\n' ' '; echo
echo 'hello world' | sed 's/\(hello\) \(world\)/\2 \1/; s/o/0/g; s/l/L/2'
echo 'aaa' | sed 's/a/b/3'; echo 'path/to/file' | sed 's,/,|,g'; echo abc | sed 'y/abc/xyz/'; echo 'A1b22' | sed -E 's/([0-9]+)/<\1>/g'
sed -n '$=' n; sed '2i\
inserted' n | head -3; sed '2a appended' n | head -3; sed '2c changed' n | head -3
sed -n 'h;n;G;p' n; sed '1!G;h;$!d' n | tr '\n' ' '; echo
sed ':a;N;$!ba;s/\n/,/g' n; sed -n '/5/{=;p;q}' n; sed 'N;P;D' n | wc -l; sed '5q' n | wc -l; sed '$!N;s/\n/ /' n
printf 'k=v\nx=y\n' | sed -n 's/^\(.\)=\(.*\)$/\1 -> \2/p'; sed -e '/^[^1]/d' -e 's/$/!/' n; echo x | sed 's/x/a\
b/'; echo 'a.b' | sed 's/\./\\./'; echo tab | sed 's/t/\t|/'
cp n m; sed -i 's/^/# /' m; head -2 m; sed -i '1d;$d' m; wc -l < m; sed -n l <<EOF
tab	end
EOF
sed --version >/dev/null 2>&1; echo $?; sed 's/x' n 2>/dev/null; echo $?; sed p missing 2>/dev/null; echo $?
sed -n 'w copy' n; cmp n copy && echo copied; sed '/5/r m' n | sed -n 5,7p; echo abc | sed 's/b*/X/g'; echo Hello | sed 's/hello/bye/I'
cat > doc <<EOF
first line
second line
third line
EOF
ed -s doc <<EOF
2s/second/2nd/
\$a
fourth line
.
1d
,p
w
q
EOF
cat doc
ed doc <<EOF 2>&1
/third/
=
1,2j
p
u
g/line/s/line/row/
,n
Q
EOF
printf ':%%s/line/LINE/g\n:wq\n' | vi doc > /dev/null 2>&1; cat doc
vi -c ':2d' -c ':wq' doc < /dev/null > /dev/null 2>&1; cat doc
vi -c ':1,$s/LINE/text/' -c ':x' doc < /dev/null > /dev/null 2>&1; cat doc
printf 'iinserted \033x:wq\n' | vi doc > /dev/null 2>&1; cat doc
printf 'Goappended\033yyp:wq\n' | vi doc > /dev/null 2>&1; cat doc
printf 'ddu:q!\n' | vi doc > /dev/null 2>&1; cat doc
