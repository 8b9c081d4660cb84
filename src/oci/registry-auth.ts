// Logging in to a registry (distribution-spec and Docker's token protocol): Basic, or Bearer with a token from the server
// that the registry names. Tokens are kept per scope until they run out; credentials are looked for only when asked.

import { type Challenge, parseChallenges } from "./challenge.ts";
import { type Credentials, findCredentials } from "./credentials.ts";
import type { Answer, Http } from "./http.ts";
import { parseJson } from "./json.ts";
import { OciError } from "./oci-error.ts";
import type { Reference } from "./reference.ts";

interface Token {
  readonly authorization: string;
  readonly expiresMs: number;
}

const CLIENT_ID = "carrick";
/** What the token protocol says of answers without expires_in. */
const DEFAULT_LIFE_SEC = 60;
const MAX_TOKEN_BYTES = 1024 * 1024;
/** A token is not used in its last seconds. */
const MARGIN_MS = 5000;

export class RegistryAuth {
  private readonly http: Http;
  private readonly ref: Reference;
  private readonly tokens = new Map<string, Token>();
  private credentials: Promise<Credentials | null> | null = null;
  /** Whether the last header came from a token server. */
  private byToken = false;
  /** The header that worked last, for the next request. */
  private current: { key: string; fixed: string | null } | null = null;

  constructor(http: Http, ref: Reference) {
    this.http = http;
    this.ref = ref;
  }

  /** The header for a request, as far as one is known without asking. */
  authorization(): string | undefined {
    if (this.current === null) return undefined;
    if (this.current.fixed !== null) return this.current.fixed;
    const token = this.tokens.get(this.current.key);
    return token !== undefined && token.expiresMs - MARGIN_MS > Date.now() ? token.authorization : undefined;
  }

  /** Answers a 401: the header to try now. `refused` is the one that was sent, if any. Throws when there is none. */
  async answer(denied: Answer, refused: string | undefined): Promise<string> {
    const challenges = parseChallenges(denied.headers.get("www-authenticate") ?? "");
    const bearer = challenges.find((c) => c.scheme === "bearer");
    const known = await this.known();
    let next: string;
    if (known?.kind === "bearer") next = `Bearer ${known.token}`;
    else if (bearer !== undefined) next = await this.bearer(bearer, known, refused, denied.url);
    else if (challenges.some((c) => c.scheme === "basic")) next = this.basic(known);
    else throw new OciError(`${this.ref.registry} wants a login of a kind that carrick does not know`, 401);
    if (next === refused) throw this.denied(known !== null);
    this.byToken = bearer !== undefined && known?.kind !== "bearer";
    if (bearer === undefined || known?.kind === "bearer") this.current = { key: "", fixed: next };
    return next;
  }

  /** The sentence for a login that did not help. `accepted`: the token server took the credentials, the registry did not. */
  denied(hadCredentials: boolean, accepted = false): OciError {
    const { registry, repository } = this.ref;
    if (!hadCredentials)
      return new OciError(
        `${registry} wants a login for ${repository}, or it does not exist; the Docker configuration has no credentials for it`,
        401,
      );
    if (accepted)
      return new OciError(`${registry} denies this login access to ${repository}, or it does not exist`, 401);
    return new OciError(`${registry} refuses the credentials of the Docker configuration for ${repository}`, 401);
  }

  /** The sentence for a registry that still refuses. */
  async refusedAgain(): Promise<OciError> {
    return this.denied((await this.known()) !== null, this.byToken);
  }

  private known(): Promise<Credentials | null> {
    this.credentials ??= findCredentials(this.ref.registry, this.ref.repository, this.http.settings.env);
    return this.credentials;
  }

  private basic(known: Credentials | null): string {
    if (known?.kind !== "password") throw this.denied(known !== null);
    return basicHeader(known.user, known.password);
  }

  private async bearer(
    challenge: Challenge,
    known: Credentials | null,
    refused: string | undefined,
    registry: URL,
  ): Promise<string> {
    const text = challenge.parameters.get("realm") ?? "";
    const realm = URL.canParse(text) ? new URL(text) : null;
    // A registry behind TLS must not have the login sent without it, not even to this machine.
    const isSafe = realm?.protocol === "https:" || (registry.protocol === "http:" && realm?.protocol === "http:");
    if (realm === null || !isSafe || !this.http.mayAsk(realm) || realm.username !== "")
      throw new OciError(`${this.ref.registry} names a token server that is not safe to ask`, 401);
    const service = challenge.parameters.get("service") ?? "";
    const scope = challenge.parameters.get("scope") ?? `repository:${this.ref.repository}:pull`;
    const key = `${realm.href}\n${service}\n${scope}`;
    this.current = { key, fixed: null };
    const kept = this.tokens.get(key);
    if (kept !== undefined && kept.authorization !== refused && kept.expiresMs - MARGIN_MS > Date.now())
      return kept.authorization;
    const token = await this.fetchToken(realm, service, scope, known);
    this.tokens.set(key, token);
    return token.authorization;
  }

  private async fetchToken(realm: URL, service: string, scope: string, known: Credentials | null): Promise<Token> {
    const query = new URLSearchParams({ ...(service === "" ? {} : { service }), scope });
    let answer: Answer;
    if (known?.kind === "identity") {
      const form = new URLSearchParams(query);
      form.set("grant_type", "refresh_token");
      form.set("client_id", CLIENT_ID);
      form.set("refresh_token", known.token);
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      answer = await this.http.send(realm, { method: "POST", headers, body: form.toString() });
    } else {
      const url = new URL(realm);
      for (const [name, value] of query) url.searchParams.append(name, value);
      const authorization = known?.kind === "password" ? basicHeader(known.user, known.password) : undefined;
      answer = await this.http.send(url, {
        method: "GET",
        headers: {},
        ...(authorization === undefined ? {} : { authorization }),
      });
    }
    return this.readToken(answer, known !== null);
  }

  private async readToken(answer: Answer, hadCredentials: boolean): Promise<Token> {
    if (answer.status === 401 || answer.status === 403) {
      answer.abandon();
      throw this.denied(hadCredentials);
    }
    const what = `the answer of the token server of ${this.ref.registry}`;
    if (answer.status !== 200) {
      answer.abandon();
      throw new OciError(`the token server of ${this.ref.registry} answers with error ${answer.status}`, answer.status);
    }
    const body = parseJson(await answer.bytes(MAX_TOKEN_BYTES, what), what);
    const token = body.optionalString("token") || body.optionalString("access_token") || "";
    if (!/^[\x21-\x7e]+$/.test(token)) throw new OciError(`${what} has no token`);
    const lifeSec = body.has("expires_in") ? body.size("expires_in") : DEFAULT_LIFE_SEC;
    return { authorization: `Bearer ${token}`, expiresMs: Date.now() + lifeSec * 1000 };
  }
}

function basicHeader(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;
}
