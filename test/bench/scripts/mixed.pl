my %h; my $n = 0; my $t = "alpha=1; beta=22; gamma=333; delta=4444; ";
for my $r (1 .. 16000) { while ($t =~ /(\w+)=(\d+);/g) { $h{$1} += $2; $n += length $1; } }
my @a = map { ($_ * 7919) % 10007 } 1 .. 120000; my @s = sort { $a <=> $b } @a;
my $x = 0; for my $i (0 .. 600000) { $x = ($x * 31 + $i) % 1000003; }
print join(",", map { "$_=$h{$_}" } sort keys %h), " $n $s[100] $x\n";
