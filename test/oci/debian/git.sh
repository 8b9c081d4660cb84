# git, as root in a directory of the image.
exec 2>&1; mkdir /tmp/w; cd /tmp/w
for who in AUTHOR COMMITTER; do export GIT_${who}_NAME=a GIT_${who}_EMAIL=a@b GIT_${who}_DATE='1700000000 +0000'; done
git --version | cut -d. -f1; git init -b main r; cd r; seq 100 > f; git add f; git commit -m one; sed -i s/50/x/ f; git commit -am two; git log --format='%H %s %ad'; git diff HEAD~1; git show HEAD:f | sed -n 50p
cp -r /etc/pam.d .; git add -A; git status -s | grep -c passwd; git commit -qm three; git checkout -qb b HEAD~1; echo y >> f; git commit -qam four; git merge -m merged main | tail -1; git log --graph --format=%s; git clone -q . ../c; git -C ../c gc -q; git -C ../c fsck; git archive HEAD f | tar t; git blame -s f | cut -c1-8 | sort | uniq -c; git reset -q --hard main; git status
