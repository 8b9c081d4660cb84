# chown, chgrp and what they do to mode bits; set-id programs; needs root.
exec 2>&1
touch f; chown 1000:1001 f; stat -c '%u %g' f; chown 5 f; stat -c '%u %g' f; chgrp 7 f; stat -c '%u %g' f; chown :9 f; stat -c '%u %g' f
chmod 6755 f; chown 1:1 f; stat -c '%a' f; ln -s f l; chown -h 3:3 l; stat -c '%u %g %F' l; chown 4:4 l; stat -c '%u %g' f
mkdir -p d/e; touch d/e/x; chown -R 12:34 d; find d -exec stat -c '%u %g %n' {} \; | sort; chmod 2775 d; touch d/inherits; stat -c '%g' d/inherits; mkdir d/sub; stat -c '%a %g' d/sub
tar cf t.tar --numeric-owner d 2>/dev/null || tar cf t.tar d; rm -r d; tar xf t.tar; find d -exec stat -c '%u %g %a %n' {} \; | sort
cp -a d d2; find d2 -exec stat -c '%u %g %a %n' {} \; | sort; cp -r d d3; stat -c '%u %g' d3/e/x; cp -p d/e/x px; stat -c '%u %g' px; mv px py; stat -c '%u %g' py; ls -ln f | awk '{ print $3, $4 }'
id -u; id -g; whoami; chmod 000 f; cat f && echo 'root reads'; chmod 1777 d; touch d/sticky; rm d/sticky; echo $?
