// HTTP towards registries on Bun's fetch: time limits, retries with backoff and Retry-After, proxies, an extra
// authority, and redirects that never carry credentials to another origin nor leave TLS.

import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import type { Environment } from "./credentials.ts";
import { decompress } from "./decompress.ts";
import { OciError, reason } from "./oci-error.ts";
import { isLoopback, proxyFor } from "./proxy.ts";

export interface HttpSettings {
  /** Plain HTTP and unknown certificates are accepted from every host. */
  readonly insecure: boolean;
  /** For proxies, SSL_CERT_FILE, and the credentials' places. */
  readonly env: Environment;
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Pause before the second try; doubles from try to try. */
  readonly backoffMs: number;
  /** A registry that asks for a longer pause than this is not waited for. */
  readonly maxPauseMs: number;
  /** How long an answer, and each piece of its body, may take. */
  readonly patienceMs: number;
}

export const DEFAULT_HTTP: Omit<HttpSettings, "env" | "insecure"> = {
  attempts: 5,
  backoffMs: 500,
  maxPauseMs: 60_000,
  patienceMs: 30_000,
};

/** What a failure on the way tells: how often trying makes sense. */
export type NetworkFailure = "certificate" | "unreachable" | "interrupted";

/** The other side was not trusted, not reached, or broke off. */
export class NetworkError extends OciError {
  readonly failure: NetworkFailure;

  constructor(message: string, failure: NetworkFailure = "interrupted") {
    super(message);
    this.failure = failure;
  }
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sent to the first origin only. */
  readonly authorization?: string;
}

const MAX_REDIRECTS = 5;
const RETRIED = [408, 429, 500, 502, 503, 504];
const MAX_ERROR_BYTES = 65536;

export class Http {
  readonly settings: HttpSettings;
  private readonly tls: BunFetchRequestInit["tls"];

  constructor(settings: HttpSettings) {
    this.settings = settings;
    const file = settings.env["SSL_CERT_FILE"];
    this.tls = {
      ...(file ? { ca: [...rootCertificates, readAuthority(file)] } : {}),
      ...(settings.insecure ? { rejectUnauthorized: false } : {}),
    };
  }

  /** Whether a URL may be asked at all: TLS, or this machine, or the user said so. */
  mayAsk(url: URL): boolean {
    if (url.protocol === "https:") return true;
    return url.protocol === "http:" && (this.settings.insecure || isLoopback(url.hostname));
  }

  /** Sends, and again after what may pass. The last answer, whatever its status; throws NetworkError. */
  async send(url: URL, request: HttpRequest): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      let pauseMs = this.settings.backoffMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
      try {
        const answer = await this.follow(url, request);
        if (!RETRIED.includes(answer.status) || attempt >= this.settings.attempts) return answer;
        const asked = retryAfterMs(answer.headers.get("retry-after"));
        if (asked !== null && asked > this.settings.maxPauseMs) return answer;
        pauseMs = Math.max(pauseMs, asked ?? 0);
        answer.abandon();
      } catch (error) {
        if (!(error instanceof NetworkError) || attempt >= this.triesAfter(error)) throw error;
      }
      await Bun.sleep(pauseMs);
    }
  }

  /** Nobody there, or no such name, rarely changes while a user waits. */
  private triesAfter(error: NetworkError): number {
    if (error.failure === "certificate") return 1;
    return error.failure === "unreachable" ? Math.min(2, this.settings.attempts) : this.settings.attempts;
  }

  private async follow(first: URL, request: HttpRequest): Promise<Answer> {
    let url = first;
    for (let hops = 0; ; hops += 1) {
      const sameOrigin = url.origin === first.origin;
      const answer = await this.once(url, request, sameOrigin ? request.authorization : undefined);
      const location = answer.headers.get("location");
      if (answer.status < 300 || answer.status >= 400 || answer.status === 304 || location === null) return answer;
      answer.abandon();
      if (request.method === "POST") throw new OciError(`${url.host} redirects a login, which is not followed`);
      if (hops >= MAX_REDIRECTS) throw new OciError(`${first.host} redirects in circles`);
      const next = URL.canParse(location, url.href) ? new URL(location, url) : null;
      if (next === null || !this.mayAsk(next) || (url.protocol === "https:" && next.protocol !== "https:"))
        throw new OciError(`${url.host} redirects to an address that is not safe to follow`);
      url = next;
    }
  }

  /** One request and its answer's head. */
  private async once(url: URL, request: HttpRequest, authorization: string | undefined): Promise<Answer> {
    const limit = new TimeLimit(this.settings.patienceMs);
    try {
      const init: BunFetchRequestInit = {
        method: request.method,
        headers: {
          "user-agent": "carrick",
          "accept-encoding": "identity",
          ...request.headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        redirect: "manual",
        decompress: false,
        signal: limit.signal,
        // False keeps fetch from reading the environment in its own way.
        proxy: (proxyFor(url, this.settings.env) ?? false) as string,
        ...(this.tls === undefined ? {} : { tls: this.tls }),
        ...(request.body === undefined ? {} : { body: request.body }),
      };
      return new Answer(url, await limit.watch(fetch(url, init)), limit);
    } catch (error) {
      throw networkError(url, error);
    }
  }
}

/** An answer whose body is read under a time limit for each piece. */
export class Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  private readonly response: Response;
  private readonly limit: TimeLimit;

  constructor(url: URL, response: Response, limit: TimeLimit) {
    this.url = url;
    this.status = response.status;
    this.headers = response.headers;
    this.response = response;
    this.limit = limit;
  }

  /** The body in pieces. Throws NetworkError when it breaks off or stalls. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const reader = this.response.body?.getReader();
    if (reader === undefined) return;
    try {
      for (;;) {
        const { done, value } = await this.limit.watch(reader.read());
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw networkError(this.url, error);
    } finally {
      this.abandon();
    }
  }

  /** The whole body, unless it has more than `max` bytes. Some servers compress documents whatever they are asked for. */
  async bytes(max: number, what: string): Promise<Uint8Array> {
    const tooLong = (): OciError => new OciError(`${what} has more than ${max} bytes, which is not accepted`);
    if (Number(this.headers.get("content-length") ?? 0) > max) {
      this.abandon();
      throw tooLong();
    }
    const parts: Uint8Array[] = [];
    let length = 0;
    const encoded = /^(x-)?gzip$/i.test(this.headers.get("content-encoding")?.trim() ?? "");
    for await (const chunk of encoded ? decompress(this.chunks(), what) : this.chunks()) {
      length += chunk.length;
      if (length > max) throw tooLong();
      parts.push(chunk);
    }
    return Buffer.concat(parts);
  }

  /** What the registry says about its refusal, or "". */
  async errorText(): Promise<string> {
    try {
      const bytes = await this.bytes(MAX_ERROR_BYTES, "the error");
      const value = JSON.parse(new TextDecoder().decode(bytes)) as { errors?: { message?: unknown; code?: unknown }[] };
      const first = value.errors?.[0];
      const text = first?.message ?? first?.code ?? "";
      return typeof text === "string" ? text.slice(0, 200) : "";
    } catch {
      return "";
    }
  }

  /** Gives the connection up. */
  abandon(): void {
    this.limit.abort();
  }
}

/** Aborts what is being waited for when it takes too long. */
class TimeLimit {
  private readonly controller = new AbortController();
  private readonly patienceMs: number;

  constructor(patienceMs: number) {
    this.patienceMs = patienceMs;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  async watch<T>(waited: Promise<T>): Promise<T> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("it did not answer in time")), this.patienceMs);
    });
    try {
      return await Promise.race([waited, late]);
    } catch (error) {
      waited.catch(() => {});
      this.abort();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  abort(): void {
    this.controller.abort();
  }
}

const UNTRUSTED = /CERT|VERIFY|SELF_SIGNED|ALTNAME|ISSUER|HOSTNAME_MISMATCH/;

function networkError(url: URL, error: unknown): OciError {
  if (error instanceof OciError) return error;
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string" && UNTRUSTED.test(code)) {
    const hint = "SSL_CERT_FILE can name a file with its authority";
    return new NetworkError(`the certificate of ${url.host} is not trusted (${reason(error)}); ${hint}`, "certificate");
  }
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: "the connection is refused",
    ENOTFOUND: "its name is not known",
    EAI_AGAIN: "its name cannot be looked up",
    ECONNRESET: "the connection broke off",
    ConnectionClosed: "the connection broke off",
    EPROTO: "it does not speak TLS",
  };
  const failure = code === "ECONNREFUSED" || code === "ENOTFOUND" ? "unreachable" : "interrupted";
  return new NetworkError(`cannot reach ${url.host}: ${words[String(code)] ?? reason(error)}`, failure);
}

function readAuthority(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    throw new OciError(`SSL_CERT_FILE names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new OciError(`SSL_CERT_FILE names ${path}, which holds no certificates`);
  return text;
}

/** Seconds or an HTTP date; null when there is none that makes sense. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
