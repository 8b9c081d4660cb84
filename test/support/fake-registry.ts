// A registry in this process: serves the manifests and blobs that it was given, keeps a log, and lets a test answer any
// request in another way.

import type { TestImage } from "./images.ts";

export interface Logged {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly range: string | null;
}

/** Answers a request instead of the registry; undefined for its usual answer. */
export type Hook = (request: Request, url: URL) => Response | Promise<Response> | undefined;

export class FakeRegistry {
  readonly log: Logged[] = [];
  hook: Hook = () => undefined;
  private readonly server: Bun.Server<undefined>;
  private readonly manifests = new Map<string, { bytes: Uint8Array; type: string }>();
  readonly blobs = new Map<string, Uint8Array>();

  constructor(tls?: { key: string; cert: string }) {
    this.server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      ...(tls === undefined ? {} : { tls }),
      fetch: (request) => this.answer(request),
    });
  }

  /** Host and port, as a reference has them. */
  get host(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  get origin(): string {
    return `http://${this.host}`;
  }

  add(name: string, image: TestImage): void {
    this.addManifest(name, image.manifest, image.manifestType);
    this.addManifest(image.manifestDigest, image.manifest, image.manifestType);
    for (const [digest, bytes] of image.blobs) this.blobs.set(digest, bytes);
  }

  addManifest(name: string, bytes: Uint8Array, type: string): void {
    this.manifests.set(name, { bytes, type });
  }

  stop(): void {
    this.server.stop(true);
  }

  /** Requests for a kind of path, e.g. "/blobs/". */
  requests(part: string): Logged[] {
    return this.log.filter(({ path }) => path.includes(part));
  }

  private async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.log.push({
      method: request.method,
      path: url.pathname + url.search,
      authorization: request.headers.get("authorization"),
      range: request.headers.get("range"),
    });
    return (await this.hook(request, url)) ?? this.usual(request, url);
  }

  usual(request: Request, url: URL): Response {
    const [, kind, name] = /^\/v2\/.+\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (kind === undefined) return new Response("{}", { status: url.pathname === "/v2/" ? 200 : 404 });
    if (kind === "manifests") {
      const found = this.manifests.get(name!);
      if (found === undefined) return error(404, "manifest unknown");
      const digest = `sha256:${new Bun.CryptoHasher("sha256").update(found.bytes).digest("hex")}`;
      return new Response(found.bytes as Uint8Array<ArrayBuffer>, {
        headers: { "content-type": found.type, "docker-content-digest": digest },
      });
    }
    const bytes = this.blobs.get(name!);
    return bytes === undefined ? error(404, "blob unknown") : ranged(request, bytes);
  }
}

export function error(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ errors: [{ code: "X", message }] }, { status, headers });
}

/** The bytes, or the part of them that is asked for. */
export function ranged(request: Request, all: Uint8Array): Response {
  const bytes = all as Uint8Array<ArrayBuffer>;
  const match = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "");
  if (match === null) return new Response(bytes);
  const from = Number(match[1]);
  return new Response(bytes.subarray(from), {
    status: 206,
    headers: { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` },
  });
}

/** Sends `count` of the bytes from `from` on, then ends too early (or stalls). */
export function brokenOff(bytes: Uint8Array, from: number, count: number, stall = false): Response {
  let sent = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!sent && count > 0) controller.enqueue(bytes.slice(from, from + count));
      else if (stall) await new Promise(() => {});
      else controller.close();
      sent = true;
    },
  });
  return new Response(body, {
    status: from === 0 ? 200 : 206,
    headers: from === 0 ? {} : { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` },
  });
}

/** The bytes in ten pieces with pauses between them. */
export function slowly(bytes: Uint8Array, pauseMs = 20): Response {
  const step = Math.ceil(bytes.length / 10);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await Bun.sleep(pauseMs);
      controller.enqueue(bytes.slice(at, at + step));
      at += step;
      if (at >= bytes.length) controller.close();
    },
  });
  return new Response(body);
}
