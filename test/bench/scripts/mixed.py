def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
class P:
    def __init__(self, x): self.x = x
    def step(self, k): self.x = (self.x * k + 7) % 1000003; return self.x
words = {}
text = ("the quick brown fox jumps over the lazy dog " * 300).split()
p = P(1)
total = 0
for r in range(24):
    for w in text:
        words[w] = words.get(w, 0) + 1
    total += sum(p.step(k) for k in range(5000))
    total += len(sorted(str(i * 7919 % 10007) for i in range(4000)))
print(fib(24), sum(words.values()), total)
