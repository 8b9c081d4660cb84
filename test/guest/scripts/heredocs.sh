# Here-documents: expanded, quoted, indented, large, several at once, in loops and functions.
exec 2>&1
v=value
cat <<EOF
v is $v, sum $((1 + 2)), cmd $(echo hi), \$v escaped, back\\slash
EOF
cat <<'EOF'
v is $v $((1 + 2)) $(echo hi) \$
EOF
cat <<-EOF
	tab stripped
		twice $v
	EOF
cat <<ONE; cat <<TWO
first
ONE
second
TWO
while read a b; do echo "$b-$a"; done <<EOF
1 one
2 two words
   3   spaces  
EOF
f() { cat <<EOF
in f: $1
EOF
}
f arg; f "two args"
x=$(cat <<EOF
captured
lines
EOF
); echo "$x"
cat <<EOF | tr a-z A-Z | rev
piped document
EOF
big=$(seq 1 30000)
cat <<EOF | md5sum
$big
EOF
sh <<'EOF'
echo "from stdin: $0"
read line
this line is data
echo "line: $line"
EOF
cat 0<<EOF 3<<EOT /dev/fd/3
zero
EOF
three
EOT
