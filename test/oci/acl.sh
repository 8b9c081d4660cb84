# setfacl, getfacl and tar --acls in an empty directory: what they print, and who may do what. Runs as root.
exec 2>&1
as() { chroot --userspec="$1" / sh -c "cd '$PWD' && $2" && echo "$1 may" || echo "$1 may not"; }
show() { find "$1" | sort | xargs getfacl -n; }
umask 022
mkdir d && echo text >d/f && chmod 640 d/f
getfacl -n d/f
setfacl -m u:61234:rw,g:600:r d/f
getfacl -n d/f; ls -l d/f | cut -c1-11
as 61234:61234 'echo more >>d/f'; as 1001:600 'cat d/f >/dev/null'; as 1001:600 'echo x >>d/f'; as 1001:1001 'cat d/f >/dev/null'
chmod g-w d/f; getfacl -n d/f; as 61234:61234 'echo more >>d/f'; as 61234:61234 'cat d/f >/dev/null'
setfacl -m m::rw d/f; as 61234:61234 'echo more >>d/f'
setfacl -d -m u:61234:rwx,g:600:rx d; getfacl -n d
echo new >d/new; mkdir d/sub; echo deep >d/sub/deep
show d
cp -a d copy; show copy
cp d/f plain; getfacl -n plain
mv d/new moved; getfacl -n moved
tar --acls --numeric-owner -cf a.tar d; mkdir out; tar --acls --numeric-owner -C out -xpf a.tar; (cd out; show d)
tar --xattrs --xattrs-include='*' -cf x.tar d/f; mkdir outx; tar --xattrs --xattrs-include='*' -C outx -xpf x.tar; (cd outx; getfacl -n d/f)
setfacl -x u:61234 d/f; getfacl -n d/f
setfacl -b d/f; getfacl -n d/f; ls -l d/f | cut -c1-11
setfacl -k d; getfacl -n d
getfacl -n --absolute-names "$PWD/d/sub" | setfacl --set-file=- d/f; getfacl -n d/f
setfacl -m u:nobody-here:r d/f; echo $?; setfacl -m u::rwx,u:5:r,u:5:w d/f; echo $?
ln -s d/f link; getfacl -n link | head -1; setfacl -P -m u:7:r link; setfacl -h -m u:7:r link; echo $?
as 1001:1001 'setfacl -m u:1001:rw d/f'
