// Worker threads and children in turns: fork(2) shares the memory that threads on other CPUs are writing, and each child's end gives its pages back.

import { spawn } from "node:child_process";
import { Worker } from "node:worker_threads";

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
const ended = (command) => {
  const child = spawn("sh", ["-c", command], { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => child.on("exit", (code) => resolve(code)));
};

for (let round = 0; round < 12; round += 1) {
  const codes = [await ended("exit 4"), await ended("exit 5")];
  console.log(round, codes, await Promise.all([0, 1, 2, 3].map(work)));
}
