# tar, xz and gzip over files of the image, with owners and links.
exec 2>&1; mkdir /tmp/w; cd /tmp/w
tar --xz -cf a.tar.xz -C / etc/passwd etc/group usr/bin/awk usr/bin/chage usr/bin/su var/local; xz -t a.tar.xz; echo $?; tar -tvf a.tar.xz | awk '{print $1, $2, $6, $7, $8}'; mkdir u; tar -xpf a.tar.xz -C u; cmp /etc/passwd u/etc/passwd; find u -printf '%M %u %g %P %l\n' | sort -k4
tar -cf b.tar -C / usr/lib/python3 etc/default usr/share/doc/bash; tar -df b.tar -C /; echo $?; gzip b.tar; gzip -t b.tar.gz; echo $?; seq 20000 | xz -T2 -6 | xz -dc | md5sum; seq 20000 > s; xz -k s; gzip -k s; ls s.xz s.gz; xz -l s.xz | tail -1 | awk '{print $1, $2, $NF}'; gzip -dc s.gz | cmp - s; xzcat s.xz | tail -1
tar -cf - -C / usr/share/doc/bash usr/share/doc/dpkg | xz -0 | tar -xJf - ; diff -r usr/share/doc/dpkg /usr/share/doc/dpkg; echo $?; echo junk > j.xz; xz -d j.xz; echo $?
