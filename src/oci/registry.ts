// A client of the distribution protocol (distribution-spec: pulling): manifests and blobs of one repository.

import { isDigest } from "./digest.ts";
import { type Answer, Http, type HttpSettings, NetworkError } from "./http.ts";
import { MAX_JSON_BYTES } from "./json.ts";
import { checkContent, type Descriptor, MANIFEST_TYPES } from "./manifest.ts";
import { OciError } from "./oci-error.ts";
import { isLoopback } from "./proxy.ts";
import { DEFAULT_REGISTRY, familiarName, type Reference } from "./reference.ts";
import { RegistryAuth } from "./registry-auth.ts";
import type { ImageSource, ManifestBytes, OpenContent } from "./source.ts";

export class OciClient implements ImageSource {
  readonly name: string;
  private readonly ref: Reference;
  private readonly http: Http;
  private readonly auth: RegistryAuth;
  /** Decided by the first request. */
  private base: Promise<URL> | null = null;

  constructor(ref: Reference, settings: HttpSettings) {
    this.name = familiarName(ref);
    this.ref = ref;
    this.http = new Http(settings);
    this.auth = new RegistryAuth(this.http, ref);
  }

  async top(): Promise<ManifestBytes> {
    return this.fetchManifest(this.ref.digest === "" ? this.ref.tag : this.ref.digest);
  }

  async topDigest(): Promise<string | null> {
    if (this.ref.digest !== "") return this.ref.digest;
    const answer = await this.request("HEAD", `manifests/${this.ref.tag}`, { accept: MANIFEST_TYPES.join(", ") });
    answer.abandon();
    if (answer.status !== 200) return null;
    const digest = answer.headers.get("docker-content-digest") ?? "";
    return isDigest(digest) ? digest : null;
  }

  manifest(descriptor: Descriptor): Promise<ManifestBytes> {
    return this.fetchManifest(descriptor.digest);
  }

  private async fetchManifest(which: string): Promise<ManifestBytes> {
    const answer = await this.request("GET", `manifests/${which}`, { accept: MANIFEST_TYPES.join(", ") });
    if (answer.status !== 200) throw await this.refusal(answer, `${this.name} does not exist on ${this.ref.registry}`);
    const bytes = await answer.bytes(MAX_JSON_BYTES, `the manifest of ${this.name}`);
    if (isDigest(which)) checkContent(bytes, { digest: which }, `the manifest of ${this.name}`);
    return { bytes, mediaType: (answer.headers.get("content-type") ?? "").split(";")[0]!.trim() };
  }

  open(descriptor: Descriptor): OpenContent {
    return (offset) => this.blob(descriptor, offset);
  }

  private async *blob(descriptor: Descriptor, offset: number): AsyncGenerator<Uint8Array> {
    const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const answer = await this.request("GET", `blobs/${descriptor.digest}`, headers);
    if (answer.status !== 200 && answer.status !== 206)
      throw await this.refusal(
        answer,
        `a part of ${this.name} (${descriptor.digest}) is missing on ${this.ref.registry}`,
      );
    const start = answer.status === 206 ? (rangeStart(answer) ?? offset) : 0;
    if (start > offset)
      throw new OciError(`${this.ref.registry} sends another part of ${descriptor.digest} than asked for`);
    // A server that knows no ranges starts anew.
    let skip = offset - start;
    for await (const chunk of answer.chunks()) {
      if (chunk.length > skip) yield skip === 0 ? chunk : chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.length);
    }
  }

  /** Sends with what is known of the login, and logs in when asked to; twice, because tokens run out. */
  private async request(method: "GET" | "HEAD", path: string, headers: Record<string, string>): Promise<Answer> {
    const url = new URL(`${this.ref.repository}/${path}`, await this.baseUrl());
    let authorization = this.auth.authorization();
    for (let tries = 0; ; tries += 1) {
      const login = authorization === undefined ? {} : { authorization };
      const answer = await this.http.send(url, { method, headers, ...login });
      if (answer.status !== 401 || answer.url.origin !== url.origin) return answer;
      answer.abandon();
      if (tries === 2) throw await this.auth.refusedAgain();
      authorization = await this.auth.answer(answer, authorization);
    }
  }

  private baseUrl(): Promise<URL> {
    this.base ??= this.findBase();
    return this.base;
  }

  /** TLS; plain HTTP where that is allowed and the other side does not speak TLS. */
  private async findBase(): Promise<URL> {
    const host = this.ref.registry === DEFAULT_REGISTRY.name ? DEFAULT_REGISTRY.api : this.ref.registry;
    const secure = new URL(`https://${host}/v2/`);
    const plain = new URL(`http://${host}/v2/`);
    if (!this.http.settings.insecure && !isLoopback(plain.hostname)) return secure;
    const once = new Http({ ...this.http.settings, attempts: 1 });
    try {
      (await once.send(secure, { method: "GET", headers: {} })).abandon();
      return secure;
    } catch (error) {
      if (!(error instanceof NetworkError) || error.failure === "certificate") throw error;
      return plain;
    }
  }

  private async refusal(answer: Answer, missing: string): Promise<OciError> {
    const { registry } = this.ref;
    const text = await answer.errorText();
    const said = text === "" ? "" : ` (${text})`;
    switch (answer.status) {
      case 401:
      case 403:
        return new OciError(`${answer.url.host} denies access to ${this.name}${said}`, answer.status);
      case 404:
        return new OciError(missing, 404);
      case 429:
        return new OciError(`${registry} limits how often it may be asked; try again later, or log in${said}`, 429);
      default:
        return new OciError(
          `${answer.url.host} answers with error ${answer.status} for ${this.name}${said}`,
          answer.status,
        );
    }
  }
}

/** The first byte of a 206, when it says. */
function rangeStart(answer: Answer): number | null {
  const match = /^bytes (\d+)-/.exec(answer.headers.get("content-range") ?? "");
  return match === null ? null : Number(match[1]);
}
