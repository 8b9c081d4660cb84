// What programs under Node do all day, without sockets (nor pipes to children, which Node makes of sockets).

import { spawn, spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import * as zlib from "node:zlib";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "node-"));
const at = (name) => path.join(dir, name);

fs.writeFileSync(at("a"), "hello");
fs.appendFileSync(at("a"), " world");
console.log(fs.readFileSync(at("a"), "utf8"), fs.statSync(at("a")).size);
fs.symlinkSync("a", at("link"));
console.log(fs.readlinkSync(at("link")), fs.realpathSync(at("link")) === at("a"), fs.readdirSync(dir));
await fs.promises.rename(at("a"), at("b"));
const entries = await fs.promises.readdir(dir, { withFileTypes: true });
console.log(entries.map((entry) => [entry.name, entry.isSymbolicLink()]));
try {
  fs.readFileSync(at("a"));
} catch (error) {
  console.log(error.code, error.syscall);
}
const watcher = fs.watch(dir);
const changed = new Promise((resolve) => watcher.on("change", (...event) => resolve(event)));
fs.writeFileSync(at("watched"), "");
console.log(await changed);
watcher.close();

fs.writeFileSync(at("big"), Buffer.alloc(3_000_000, "x"));
const hash = crypto.createHash("sha256");
await pipeline(fs.createReadStream(at("big")), zlib.createGzip(), zlib.createGunzip(), hash);
console.log(hash.digest("hex"));
await fs.promises.cp(dir, `${dir}-copy`, { recursive: true });
console.log(fs.readdirSync(`${dir}-copy`).sort(), fs.statSync(`${dir}-copy/big`).size);
fs.rmSync(dir, { recursive: true });
fs.rmSync(`${dir}-copy`, { recursive: true });
console.log(fs.existsSync(dir));

console.log(spawnSync("sh", ["-c", "echo inherited; exit 7"], { stdio: "inherit" }).status);
console.log(spawnSync("sh", ["-c", "kill -9 $$"], { stdio: "ignore" }).signal);
console.log(spawnSync("no-such-program", { stdio: "ignore" }).error.code);
const child = spawn("sh", ["-c", "echo asynchronous; exit 4"], { stdio: ["ignore", "inherit", "inherit"] });
console.log(await new Promise((resolve) => child.on("exit", (...end) => resolve(end))));
const sleeper = spawn("sh", ["-c", "sleep 100"], { stdio: "ignore" });
sleeper.kill("SIGTERM");
console.log(await new Promise((resolve) => sleeper.on("exit", (...end) => resolve(end))));

const source = `const { parentPort, workerData } = require("node:worker_threads");
let sum = 0;
for (let i = 0; i < 100000; i += 1) sum += i;
parentPort.postMessage(sum + workerData);`;
const work = (n) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, workerData: n });
    worker.on("message", resolve);
    worker.on("error", reject);
  });
console.log(await Promise.all([0, 1, 2, 3].map(work)));
const shared = new Int32Array(new SharedArrayBuffer(8));
const notifier = new Worker(
  `const { workerData } = require("node:worker_threads");
Atomics.store(workerData, 0, 42);
Atomics.notify(workerData, 0);`,
  { eval: true, workerData: shared },
);
console.log(Atomics.wait(shared, 0, 0, 20_000) === "timed-out", Atomics.load(shared, 0));
await notifier.terminate();

const began = Date.now();
await sleep(30);
console.log(Date.now() - began >= 29);
let ticks = 0;
await new Promise((resolve) => {
  const interval = setInterval(() => {
    ticks += 1;
    if (ticks < 3) return;
    clearInterval(interval);
    resolve();
  }, 5);
});
console.log(ticks, await new Promise((resolve) => setImmediate(() => resolve("immediate"))));

console.log(
  zlib.gunzipSync(zlib.gzipSync("zip")).toString(),
  zlib.brotliDecompressSync(zlib.brotliCompressSync("br")).toString(),
);
console.log(crypto.randomBytes(8).length, crypto.scryptSync("a", "b", 16).toString("hex"));
console.log(
  await new Promise((resolve) => crypto.pbkdf2("a", "b", 1000, 16, "sha512", (_, key) => resolve(key.toString("hex")))),
);
const keys = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
const signature = crypto.sign("sha256", Buffer.from("x"), keys.privateKey);
console.log(crypto.verify("sha256", Buffer.from("x"), keys.publicKey, signature));
const cipher = crypto.createCipheriv("aes-256-gcm", Buffer.alloc(32), Buffer.alloc(12));
console.log(cipher.update("hello", "utf8", "hex") + cipher.final("hex"), cipher.getAuthTag().toString("hex"));

const got = new Promise((resolve) => process.once("SIGUSR2", resolve));
process.kill(process.pid, "SIGUSR2");
const alive = setTimeout(() => {}, 60_000);
console.log(await got);
clearTimeout(alive);
console.log(os.cpus().length > 0, os.totalmem() > os.freemem(), os.type(), os.arch(), os.uptime() > 0);
console.log(process.memoryUsage().rss > 0, process.cwd(), process.title.length > 0, process.pid > 0);
const add = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1,
  7,
];
const module = await WebAssembly.instantiate(Uint8Array.from([...add, 0, 32, 0, 32, 1, 106, 11]));
console.log(module.instance.exports.add(2, 3));

for await (const line of createInterface({ input: process.stdin })) console.log("line", line);
process.exit(5);
