# The package database, and a package made, installed and removed.
exec 2>&1; mkdir /tmp/w; cd /tmp/w; export PATH=/usr/sbin:/usr/bin
dpkg -l | tail -n +6 | awk '{print $1, $2, $4}' | sort | grep -E ' (bash|dpkg|libc6:arm64|git|perl-base) '; dpkg -s bash | grep -E '^(Package|Status|Essential)'; dpkg --print-architecture; dpkg-query -W -f '${Package} ${Status}\n' git xz-utils; dpkg --compare-versions 1.2 lt 1.10 && echo older; dpkg -s nothing; echo $?
mkdir -p k/DEBIAN k/opt/k; printf 'Package: k\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: k\n' > k/DEBIAN/control; printf '#!/bin/sh\necho POST $1\n' > k/DEBIAN/postinst; chmod 755 k/DEBIAN/postinst; echo v > k/opt/k/v
dpkg-deb -b k k.deb; dpkg-deb -c k.deb | awk '{print $1, $2, $6}'; dpkg-deb -f k.deb Package Version; dpkg-deb -x k.deb x; find x | sort
# Only what it says, not what it warns of.
exec 2>/dev/null; { dpkg --force-depends -i k.deb; dpkg -s k | grep Status; dpkg -L k; dpkg -S /opt/k/v; cat /opt/k/v; dpkg -r k; ls /opt; dpkg -P k; dpkg -s k; echo $?; } | sed 's/[0-9]* files and/N files and/'
