// What programs under Bun do all day, without sockets (nor pipes to children, which Bun makes of sockets).

import { Database } from "bun:sqlite";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const dir = mkdtempSync(join(tmpdir(), "bun-"));
await Bun.write(join(dir, "out.txt"), "bun wrote");
console.log(await Bun.file(join(dir, "out.txt")).text(), readdirSync(dir));
console.log(Array.from(new Bun.Glob("*.txt").scanSync(dir)));

const hasher = new Bun.CryptoHasher("sha256");
hasher.update("abc");
console.log(hasher.digest("hex"), Bun.hash("x"));
console.log(new TextDecoder().decode(Bun.gunzipSync(Bun.gzipSync(Buffer.from("compressed")))));
const digest = await crypto.subtle.digest("SHA-512", new TextEncoder().encode("q"));
console.log(Buffer.from(digest).toString("hex").slice(0, 16));
console.log(await Bun.password.verify("secret", await Bun.password.hash("secret", { algorithm: "bcrypt", cost: 4 })));

let ticks = 0;
await new Promise<void>((resolve) => {
  const interval = setInterval(() => {
    ticks += 1;
    if (ticks < 3) return;
    clearInterval(interval);
    resolve();
  }, 5);
});
console.log("ticks", ticks);

const sync = Bun.spawnSync(["/bin/sh", "-c", "echo child; exit 3"], { stdio: ["ignore", "inherit", "inherit"] });
console.log(sync.exitCode);
const killed = Bun.spawn(["/bin/sh", "-c", "echo again; kill -9 $$"], { stdio: ["ignore", "inherit", "inherit"] });
await killed.exited;
console.log(killed.signalCode);

const worker = new Worker(URL.createObjectURL(new Blob(["postMessage([1, 2, 3].map((x) => x * 2))"])));
console.log(await new Promise((resolve) => worker.addEventListener("message", (event) => resolve(event.data))));
worker.terminate();

const database = new Database(join(dir, "test.sqlite"));
database.run("pragma journal_mode = wal");
database.run("create table t(a)");
const insert = database.prepare("insert into t values (?)");
database.transaction(() => {
  for (let i = 0; i < 1000; i += 1) insert.run(i);
})();
console.log(database.query("select sum(a) as sum from t").get());
database.close();

rmSync(dir, { recursive: true });
console.log(process.arch, process.platform, process.argv.length, import.meta.path);
process.exit(9);
