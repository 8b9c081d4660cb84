# perl and python3 with processes, pipes, signals and threads.
exec 2>&1; mkdir /tmp/w; cd /tmp/w
perl -e '$| = 1; print "$]\n"; if (!($p = fork)) { exit 3 } waitpid $p, 0; print $? >> 8, "\n"; open(P, "-|", "echo from child; exit 5"); print <P>; close P; print $? >> 8, "\n"; $SIG{ALRM} = sub { print "alarm\n"; exit 2 }; alarm 1; select undef, undef, undef, 9'; echo $?
perl -ne 'chomp; $n{(split /:/)[6]}++; END { print "$_ $n{$_}\n" for sort keys %n }' /etc/passwd; perl -e 'print join(",", map { (getpwuid $_)[0] } 0 .. 3), " ", (stat "/etc/passwd")[2] & 07777, "\n"; print sprintf("%.15g", exp 1), "\n"; kill 9, $$' | cat
python3 -c '
import concurrent.futures as c, os, pwd, queue, signal, subprocess, sys, threading, hashlib, json, time
print(sys.version_info[:2], os.uname().machine, pwd.getpwuid(0).pw_dir, os.getuid())
q = queue.Queue(); ts = [threading.Thread(target=lambda i=i: [q.put(i * j) for j in range(200)]) for i in range(16)]
[t.start() for t in ts]; [t.join() for t in ts]; print(q.qsize())
print(subprocess.run(["sh", "-c", "echo sub; echo err >&2; exit 3"], capture_output=True))
p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(len(p.communicate(b"x" * 200000)[0]))
with c.ThreadPoolExecutor(4) as e: print(list(e.map(lambda n: subprocess.check_output(["echo", str(n * 2)], text=True).strip(), range(6))))
p = subprocess.Popen(["sleep", "10"]); p.terminate(); print(p.wait(), json.dumps({"a": [1, 2.5]}), hashlib.sha256(b"x").hexdigest()[:8])
try: subprocess.run(["no-such-program"])
except FileNotFoundError as e: print(e)
print(subprocess.getoutput("ls /etc | grep -c passwd"), sorted(os.listdir("/"))[:3])
'; echo $?; python3 -c '1/0' 2>&1 | tail -1; echo 'print(6*7)' | python3 -; python3 -c 'raise SystemExit(9)'; echo $?
