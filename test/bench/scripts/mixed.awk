BEGIN { for (i = 0; i < 900000; i++) { x = (x * 31 + i) % 1000003; c[x % 100] += 1 }
  s = ""; for (i = 0; i < 3000; i++) s = s " word" i % 50; n = split(s, w, " ");
  for (r = 0; r < 40; r++) for (i = 1; i <= n; i++) { k = w[i]; sub(/word/, "w", k); d[k]++ }
  print x, c[7], d["w7"] }
