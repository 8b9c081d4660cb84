# native: find(1) and xargs(1), with names that need care.
exec 2>&1
mkdir -p tree/a/b/c tree/d 'tree/with space' tree/-dash
for f in tree/one.txt tree/a/two.txt tree/a/b/three.c tree/a/b/c/four.c 'tree/with space/five six.txt' tree/-dash/-seven 'tree/d/q"uote' "tree/d/apos'trophe" 'tree/d/back\slash' 'tree/d/star*' "tree/d/new
line"; do echo "$f" > "$f"; done
printf 'umlaut' > "tree/d/$(printf '\303\244\303\266')"; printf 'latin' > "tree/d/$(printf '\344')"
dd if=/dev/zero of=tree/big bs=1024 count=100 2>/dev/null
ln -s ../one.txt tree/a/link; touch -d '2005-05-05 05:05:05' tree/one.txt
find tree -type f | sort | od -c | md5sum
find tree -type f | LC_ALL=C sort | head -20 | cat -v
find tree -name '*.c' | sort; find tree -type d | sort; find tree -type l
find tree -name '*.txt' -print0 | sort -z | xargs -0 -n1 echo
find tree -maxdepth 1 | sort; find tree -mindepth 3 | sort; find tree -size +50k
find tree -newer tree/one.txt -type d | sort | head -3
find tree ! -newer tree/one.txt -type f
find tree -type f -name '*.c' -exec wc -c {} \; | sort
find tree -type f -name '*.c' -exec echo {} + | tr ' ' '\n' | sort
find tree -path '*b/c*' -o -name 'two*' | sort; find tree -prune; find tree -name a -prune -o -type d -print | sort
find tree -empty; find tree -perm 644 -name '*.c' | sort; find tree -type f -print0 | xargs -0 cat | md5sum | cut -c1-8 | wc -c
find tree -name '*.c' -delete; find tree -name '*.c' | wc -l; find tree -depth -type d -empty -exec rmdir {} \;; find tree -type d | sort
find tree -regex '.*/[a-z]*\.txt' | sort; find tree -iname 'ONE*'; find missing 2>/dev/null; echo $?
seq 1 12 | xargs -n 5 echo row; seq 1 3 | xargs -I@ echo '<@>'; echo 'a b "c d" e\ f' | xargs -n1 echo
seq 1 5000 | xargs echo | wc; seq 1 50 | xargs -P 4 -n 1 sh -c 'echo $(($1 * 2))' x | sort -n | md5sum
seq 1 3 | xargs -n1 sh -c 'exit 1'; echo "xargs $?"; seq 1 3 | xargs -n1 sh -c 'exit 255' 2>/dev/null; echo "xargs $?"; echo x | xargs nosuchprogram 2>/dev/null; echo "xargs $?"
xargs < /dev/null echo empty; xargs -r < /dev/null echo nothing; printf 'x\ny\n' | xargs -t echo 2>&1
