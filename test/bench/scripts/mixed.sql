with recursive c(n, x) as (select 1, 1 union all select n + 1, (x * 31 + n) % 1000003 from c where n < 500000) select count(*), sum(x), max(x) from c;
create table t(k integer primary key, v text); with recursive c(n) as (select 1 union all select n+1 from c where n < 60000) insert into t select n, 'v' || (n * 7919 % 10007) from c;
select v, count(*) from t where v like '%99%' group by v order by 2 desc, 1 limit 3;
