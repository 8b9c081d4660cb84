# Pools, shared memory and semaphores of multiprocessing.
exec 2>&1
cat > t.py <<'P'
import multiprocessing as m
from multiprocessing import shared_memory as s
def square(x): return x * x
if __name__ == "__main__":
    with m.Pool(3) as pool: print(sum(pool.map(square, range(200))))
    a = s.SharedMemory(create=True, size=100); a.buf[0] = 7
    b = s.SharedMemory(a.name); print(b.buf[0]); b.close(); a.close(); a.unlink()
    q = m.Queue(); p = m.Process(target=lambda: q.put("from child")); p.start(); print(q.get()); p.join(); print(p.exitcode)
    v = m.Value("i", 0)
    def count():
        for _ in range(200):
            with v.get_lock(): v.value += 1
    ps = [m.Process(target=count) for _ in range(3)]; [p.start() for p in ps]; [p.join() for p in ps]; print(v.value)
P
python3 t.py; echo $?
