// Servers and clients of Node on the loopback and on UNIX sockets, and children with pipes.
import { execFileSync, fork, spawn, spawnSync } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

if (process.argv[2] === "child") {
  process.on("message", (message) => {
    process.send({ twice: message.number * 2 });
    process.disconnect();
  });
} else {
  const server = http.createServer((request, response) => response.end(`${request.method} ${request.url}`));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
  const texts = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => (await fetch(`http://127.0.0.1:${port}/${i}`)).text()),
  );
  console.log(texts.join(","));
  const big = "x".repeat(3_000_000);
  const echo = net.createServer((socket) => socket.pipe(socket));
  // Beside the script, in a folder of this run: in /tmp, what a killed run left would be in the way.
  const path = new URL("network.sock", import.meta.url).pathname;
  await once(echo.listen(path), "listening");
  const client = net.connect(path);
  client.end(big);
  let received = 0;
  for await (const chunk of client) received += chunk.length;
  console.log("unix", received);
  const udp = dgram.createSocket("udp4");
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  udp.send("datagram", udp.address().port, "127.0.0.1");
  const [message, from] = await once(udp, "message");
  console.log(message.toString(), from.address);
  udp.close();
  const refused = net.connect(1, "127.0.0.1");
  const [error] = await once(refused, "error");
  console.log(error.code);
  console.log(execFileSync("/bin/cat", { input: "through a child" }).toString());
  const run = spawnSync("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"]);
  console.log(run.status, run.stdout.toString().trim(), run.stderr.toString().trim());
  const sleeper = spawn("/bin/sh", ["-c", "read line; echo got $line"]);
  sleeper.stdin.write("a line\n");
  console.log((await once(sleeper.stdout, "data")).toString().trim());
  const forked = fork(process.argv[1], ["child"]);
  forked.send({ number: 21 });
  console.log(JSON.stringify((await once(forked, "message"))[0]), await once(forked, "exit"));
  server.closeAllConnections();
  server.close();
  echo.close();
}
