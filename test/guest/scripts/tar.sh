# tar and cpio: create, list, extract; compressed; links, modes, long names, times; gzip, bzip2, xz, lzma round trips.
exec 2>&1
umask 022
mkdir -p src/dir/deep; echo one > src/one; seq 1 5000 > src/dir/numbers; chmod 755 src/one; chmod 600 src/dir/numbers
ln -s ../one src/dir/soft; ln src/one src/hard; mkfifo src/fifo
long=$(printf 'n%.0s' $(seq 1 120)); echo long > "src/dir/deep/$long"; echo sp > 'src/with space'
find src -exec touch -h -d '2020-02-02 02:02:02' {} + ; chmod 1777 src/dir/deep
TZ=UTC; export TZ
tar cf all.tar src; tar tf all.tar | sort; tar tvf all.tar | awk '{ print $1, $4, $5, $6 }' | sort
mkdir out; tar xf all.tar -C out; (cd out; find . | sort | while read -r f; do [ -d "$f" ] || [ -L "$f" ] || stat -c '%A %Y %h %n' "$f"; done)
diff -r src/dir/deep out/src/dir/deep; cmp src/dir/numbers out/src/dir/numbers && echo same; readlink out/src/dir/soft
for z in z j J a; do
  tar c${z}f all.t$z src 2>/dev/null || { echo "no $z"; continue; }
  rm -rf out; mkdir out; tar x${z}f all.t$z -C out && find out | wc -l; tar t${z}f all.t$z | md5sum
done
tar cf - src | (cd out && tar xf - src/one && cat src/one)
tar cf part.tar -C src one dir; tar tf part.tar | sort; tar xOf all.tar src/one; tar cf ex.tar --exclude 'dir*' src; tar tf ex.tar | sort
tar xf all.tar src/nothing 2>/dev/null; echo "missing $?"; echo garbage > bad.tar; tar tf bad.tar 2>/dev/null; echo "bad $?"
head -c 3000 all.tar > cut.tar; tar tf cut.tar >/dev/null 2>&1; echo "cut $?"
for c in gzip; do
  seq 1 50000 > data; md5sum < data; $c -c data > data.z; $c -dc data.z | cmp - data && echo "$c ok"; $c -t data.z; echo "$?"
  printf x | dd of=data.z bs=1 seek=200 conv=notrunc 2>/dev/null; $c -t data.z 2>/dev/null; echo "corrupt $?"
done
gzip -9 < data | wc -c; gzip -1 < data | gunzip | md5sum; gzip < /dev/null | zcat | wc -c
dd if=/dev/urandom bs=4096 count=50 of=rnd 2>/dev/null; gzip -c rnd | gunzip | cmp - rnd && echo random
echo QlpoOTFBWSZTWXlhRncAAATBgAAQQAhAIAAhmmgzTRoOFvLuSKcKEg8sKM7g | base64 -d | bzip2 -dc 2>&1 | head -c 100; echo
echo /Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAFaGVsbG8KAAAAAP8s3EX7lGE9AAEeBsFyHUIftvN9AQAAAAAEWVo= | base64 -d | xz -dc 2>&1 | head -c 100; echo
cd src; find . | sort | cpio -o -H newc 2>/dev/null > ../all.cpio; cd ..; cpio -t < all.cpio 2>/dev/null | sort | md5sum
rm -rf out; mkdir out; cd out; cpio -idm < ../all.cpio 2>/dev/null; find . | sort | while read -r f; do stat -c '%A %n' "$f"; done | cut -c1-60; cd ..
