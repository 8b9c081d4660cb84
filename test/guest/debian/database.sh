# sqlite3 in WAL mode, with several writers at once.
exec 2>&1
sqlite3 t.db 'pragma journal_mode = wal; create table t(a); with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000) insert into t select x from c; select sum(a) from t; pragma integrity_check;'
for i in 1 2 3 4; do (for j in 1 2 3 4 5; do sqlite3 -cmd '.timeout 20000' t.db "insert into t values (-$i)"; done) & done; wait; sqlite3 t.db 'select count(*), min(a) from t; pragma wal_checkpoint(truncate);'
sqlite3 :memory: "select json_extract('{\"a\":[1,2]}', '\$.a[1]'), printf('%.3f', 2.0 / 3), upper('x'), date(0, 'unixepoch')"; echo 'a,b
1,2
3,4' > x.csv; sqlite3 :memory: -cmd '.mode csv' -cmd '.import x.csv x' 'select sum(b) from x'; sqlite3 t.db 'select nothing'; echo $?; ls t.db*
