local t = {}
for i = 1, 200000 do t[i] = (i * 7919) % 10007 end
local s = 0
for r = 1, 25 do for i = 1, #t do s = (s + t[i] * r) % 1000003 end end
local f = 0.5
for i = 1, 2500000 do f = f + 1 / i * 0.25 end
local p = {}
for i = 1, 100000 do p[#p + 1] = ("k" .. i % 100):rep(2) end
local c = {}
for _, k in ipairs(p) do c[k] = (c[k] or 0) + 1 end
print(s, string.format("%.6f", f), c.k1k1)
