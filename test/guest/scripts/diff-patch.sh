# diff, patch, cmp.
exec 2>&1
seq 1 20 > a; sed '3s/.*/three/; 10d; 15a new' a > b
diff a b; echo "status $?"; diff -u -L a -L b a b; diff -q a b; diff a a; echo "same $?"; diff -i a b | wc -l; diff -b a b > /dev/null; echo $?
diff -u -L a -L b a b > p; cp a c; patch c < p; cmp b c && echo patched; patch -R c < p; cmp a c && echo reversed
cp a c; patch -p0 < p >/dev/null 2>&1; cmp a b && echo 'a is b'; echo garbage | patch c >/dev/null 2>&1; echo $?
mkdir x y; echo 1 > x/1; echo 1 > y/1; echo 2 > x/2; echo 3 > y/2; echo only > x/only; diff -r x y; diff -rq x y; diff x/1 missing 2>/dev/null; echo $?; cmp x/2 y/2; cmp -l x/2 y/2; echo same | diff - x/1; printf 'no newline' > n1; printf 'no newline\n' > n2; diff n1 n2
