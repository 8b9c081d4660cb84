# git: history, merges, clones, garbage collection.
exec 2>&1
for who in AUTHOR COMMITTER; do export GIT_${who}_NAME=a GIT_${who}_EMAIL=a@b GIT_${who}_DATE='1700000000 +0000'; done
git init -qb main r; cd r; seq 100 > f; git add f; git commit -qm one; sed -i s/50/x/ f; git commit -qam two; git log --format='%h %s %ad'
git diff HEAD~1 --stat; git show HEAD:f | sed -n 50p; cd ..; git clone -q r c; git -C c log --format=%s; git -C c gc -q; git -C c fsck; git -C c count-objects -v | grep packs
cd r; git checkout -qb branch; echo y >> f; git commit -qam three; git checkout -q main; sed -i 1s/.*/first/ f; git commit -qam four; git merge -qm merged branch; git log --graph --format=%s; git status -s
git blame -s f | cut -c1-8 | sort | uniq -c; echo z > g; git stash -qu; git stash list; git stash pop -q; git status -s; git tag v1; git describe --always --dirty; git archive --format=tar v1 | tar t; git format-patch -q -1 --stdout branch | git apply -R --check && echo applies
git checkout -qb conflict HEAD~1; sed -i 1s/.*/other/ f; git commit -qam five; git merge -q main; echo "merge $?"; grep -c '<<<<' f; git merge --abort; git rebase -q main; echo "rebase $?"; git rebase --abort; git grep -n first main; git bundle create -q b main && git bundle verify -q b; echo $?; git worktree add -q ../w main~1; git worktree list | wc -l; git rev-parse nothing; echo $?
