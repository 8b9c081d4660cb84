# perl, python, lua, tcl: processes, signals, threads, files, numbers.
exec 2>&1
perl -MPOSIX -MList::Util=sum -e '$| = 1; print sum(map { $_ ** 2 } 1 .. 1000), "\n"; if (!($p = fork)) { exit 3 } waitpid $p, 0; print $? >> 8, "\n"; print scalar(gmtime 0), "\n"; $SIG{ALRM} = sub { print "alarm\n"; exit 2 }; alarm 1; pause'; echo $?
perl -e 'open(P, "-|", "echo from child; exit 5"); print <P>; close P; print $? >> 8, "\n"; %h = map { $_ => 1 } 1 .. 9; print join(",", sort keys %h), "\n"; $_ = "aXbX"; s/x/-/gi; print "$_\n"; printf "%.10g %s\n", 1 / 3, 2 ** 70; ' | cat; perl -e 'kill 9, $$' 2>/dev/null | cat; echo "${PIPESTATUS[0]}"
lua5.4 -e 'local t = {} for i = 1, 100000 do t[i] = i end print(#t, string.format("%5.2f", math.pi), os.getenv("MARK")) print(io.popen("echo p"):read(), 7 // 2, 2 ^ 53 | 0)'
tclsh <<'T'
puts [expr {2 ** 70}]; puts [exec echo hi | tr a-z A-Z]; after 20 {set x 1}; vwait x; puts [clock format 0 -gmt 1]
T
cat > t.py <<'P'
import decimal, hashlib, mmap, os, pty, queue, resource, select, signal, sqlite3, subprocess, sys, threading, time, zlib
print(sys.version_info[:2], os.uname().machine == os.uname()[4])
q = queue.Queue()
threads = [threading.Thread(target=lambda i=i: [q.put(i * j) for j in range(200)]) for i in range(16)]
[t.start() for t in threads]; [t.join() for t in threads]; print(q.qsize())
print(subprocess.run(["sh", "-c", "echo sub; echo err >&2; exit 3"], capture_output=True))
p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(p.communicate(b"x" * 200000)[0].count(b"x"))
p = subprocess.Popen(["sleep", "10"]); p.terminate(); print(p.wait())
try: subprocess.run(["no-such-program"])
except FileNotFoundError as e: print(e)
f = open("m", "w+b"); f.truncate(8192); m = mmap.mmap(f.fileno(), 8192)
if os.fork() == 0: m[0:2] = b"ok"; os._exit(0)
os.wait(); print(m[:2], open("m", "rb").read(2))
c = sqlite3.connect("db"); c.execute("create table t(a)"); c.executemany("insert into t values(?)", [(i,) for i in range(100)]); c.commit(); print(c.execute("select sum(a) from t").fetchone())
def child(): print(os.isatty(0), os.ttyname(1).startswith("/dev/pts/"))
pid, fd = pty.fork()
if pid == 0: child(); sys.stdout.flush(); os._exit(4)
out = b""
try:
    while True: out += os.read(fd, 1000)
except OSError as e: print(e.errno)
print(out, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
e = select.epoll(); r, w = os.pipe(); e.register(r, select.EPOLLIN); os.write(w, b"x"); print(len(e.poll(1)))
signal.signal(signal.SIGALRM, lambda *a: print("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.2)
print(hashlib.blake2b(b"x").hexdigest()[:16], zlib.crc32(b"x"), decimal.Decimal(1) / 7, 2 ** 0.5, hash(1.5))
print(sorted(os.listdir("/proc/self/task")) == [str(os.getpid())], resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0)
lock = threading.Lock(); total = 0
def add():
    global total
    for _ in range(2000):
        with lock: total += 1
ts = [threading.Thread(target=add) for _ in range(4)]; [t.start() for t in ts]; [t.join() for t in ts]; print(total)
os.kill(os.getpid(), signal.SIGTERM)
P
python3 t.py; echo $?
python3 -c 'raise SystemExit(9)'; echo $?; python3 -c '1/0' | tail -1; echo 'print(6*7)' | python3; python3 -X importtime -c 'import json, asyncio' 2>&1 | grep -c asyncio | grep -c .
