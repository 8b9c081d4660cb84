// Four real registries (Debian's docker-registry) on loopback: plain, with a password, with TLS and a password, with bearer
// tokens of a token server in this process. User alice, password s3cret; the authority's certificate is `caFile`.

import { createPrivateKey, sign, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const USER = "alice";
export const PASSWORD = "s3cret";
export const TOOLS = ["skopeo", "docker-registry", "openssl"] as const;

/** A host that only the proxy knows: the registry with TLS. */
export const PROXIED = "registry.test";

/** The programs that these tests need and this machine lacks. */
export function missingTools(): string[] {
  return TOOLS.filter((tool) => Bun.which(tool) === null);
}

export interface RealRegistries {
  readonly plain: string;
  readonly basic: string;
  readonly tls: string;
  readonly token: string;
  readonly caFile: string;
  stop(): void;
}

const SERVICE = "carrick-reg";
const ISSUER = "carrick-iss";

export async function startRegistries(folder: string): Promise<RealRegistries> {
  makeCertificates(folder);
  const hash = await Bun.password.hash(PASSWORD, { algorithm: "bcrypt", cost: 4 });
  writeFileSync(join(folder, "htpasswd"), `${USER}:${hash}\n`);
  const tokens = startTokenServer(folder);
  const cert = join(folder, "srv.pem");
  const basic = `auth: {htpasswd: {realm: carrick, path: ${join(folder, "htpasswd")}}}\n`;
  const tls = `  tls: {certificate: ${cert}, key: ${join(folder, "srv.key")}}\n`;
  const token = `auth: {token: {realm: "http://127.0.0.1:${tokens.port}/token", service: ${SERVICE}, issuer: ${ISSUER}, rootcertbundle: ${cert}}}\n`;
  const ports = freePorts(4);
  const children = ["", basic, tls + basic, token].map((config, i) => {
    const name = join(folder, `r${i}`);
    mkdirSync(name);
    writeFileSync(
      `${name}.yml`,
      `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${name}}}\nhttp:\n  addr: 127.0.0.1:${ports[i]}\n${config}`,
    );
    return Bun.spawn(["docker-registry", "serve", `${name}.yml`], { stdio: ["ignore", "ignore", "ignore"] });
  });
  const stop = (): void => {
    for (const child of children) child.kill("SIGKILL");
    tokens.stop(true);
  };
  try {
    for (const port of ports) await untilListening(port);
  } catch (error) {
    stop();
    throw error;
  }
  return {
    plain: `127.0.0.1:${ports[0]}`,
    basic: `127.0.0.1:${ports[1]}`,
    tls: `localhost:${ports[2]}`,
    token: `127.0.0.1:${ports[3]}`,
    caFile: join(folder, "ca.pem"),
    stop,
  };
}

function openssl(folder: string, ...args: string[]): void {
  const result = Bun.spawnSync(["openssl", ...args], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  if (result.exitCode !== 0) throw new Error(`openssl ${args[0]}: ${result.stderr}`);
}

function makeCertificates(folder: string): void {
  const key = (file: string): string[] => ["-newkey", "rsa:2048", "-nodes", "-keyout", file];
  openssl(folder, "req", "-x509", ...key("ca.key"), "-days", "30", "-subj", "/CN=carrick-test-ca", "-out", "ca.pem");
  openssl(folder, "req", ...key("srv.key"), "-subj", "/CN=localhost", "-out", "srv.csr");
  writeFileSync(join(folder, "ext"), `subjectAltName=DNS:localhost,DNS:${PROXIED}\n`);
  const ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
  openssl(folder, "x509", "-req", "-in", "srv.csr", ...ca, "-days", "30", "-extfile", "ext", "-out", "srv.pem");
}

/** Anonymous callers may pull what lies below public/, alice may do all. */
function startTokenServer(folder: string): Bun.Server<undefined> {
  const key = createPrivateKey(readFileSync(join(folder, "srv.key")));
  const x5c = [new X509Certificate(readFileSync(join(folder, "srv.pem"))).raw.toString("base64")];
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const basic = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}`;
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const header = request.headers.get("authorization");
      if (header !== null && header !== basic)
        return Response.json({ errors: [{ code: "UNAUTHORIZED" }] }, { status: 401 });
      const scopes = new URL(request.url).searchParams.getAll("scope").flatMap((s) => s.split(" "));
      const access = scopes.map((scope) => {
        const [type = "", ...rest] = scope.split(":");
        const actions = (rest.pop() ?? "").split(",");
        const name = rest.join(":");
        const allowed = header === null ? actions.filter((a) => a === "pull" && name.startsWith("public/")) : actions;
        return { type, name, actions: allowed };
      });
      const now = Math.floor(Date.now() / 1000);
      const sub = header === null ? "" : USER;
      const times = { exp: now + 300, nbf: now - 5, iat: now };
      const claims = { iss: ISSUER, sub, aud: SERVICE, ...times, jti: crypto.randomUUID(), access };
      const message = `${part({ typ: "JWT", alg: "RS256", x5c })}.${part(claims)}`;
      const token = `${message}.${sign("sha256", Buffer.from(message), key).toString("base64url")}`;
      return Response.json({ token, access_token: token, expires_in: 300 });
    },
  });
}

function freePorts(count: number): number[] {
  const socket = { data() {} };
  const listeners = Array.from({ length: count }, () => Bun.listen({ hostname: "127.0.0.1", port: 0, socket }));
  const ports = listeners.map((listener) => listener.port);
  for (const listener of listeners) listener.stop(true);
  return ports;
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    try {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
      socket.end();
      return;
    } catch {
      await Bun.sleep(25);
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

export interface ConnectProxy {
  readonly url: string;
  /** Hosts and ports that were asked for. */
  readonly asked: string[];
  stop(): void;
}

interface Tunnel {
  other: Bun.Socket<undefined> | null;
  early: Uint8Array[];
}

/** A proxy for TLS that takes every host for this machine. */
export function startConnectProxy(): ConnectProxy {
  const asked: string[] = [];
  const server = Bun.listen<Tunnel>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { other: null, early: [] };
      },
      data(socket, bytes) {
        const { other, early } = socket.data;
        if (other !== null) {
          other.write(bytes);
          return;
        }
        const target = /^CONNECT (\S+):(\d+) /.exec(bytes.toString("latin1"));
        if (target === null) {
          early.push(new Uint8Array(bytes));
          return;
        }
        asked.push(`${target[1]}:${target[2]}`);
        void tunnel(socket, Number(target[2]));
      },
      close(socket) {
        socket.data.other?.end();
      },
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, asked, stop: () => server.stop(true) };
}

async function tunnel(socket: Bun.Socket<Tunnel>, port: number): Promise<void> {
  const other = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, bytes) {
        socket.write(bytes);
      },
      close() {
        socket.end();
      },
    },
  });
  socket.data.other = other;
  socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
  for (const bytes of socket.data.early) other.write(bytes);
}
