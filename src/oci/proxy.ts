// Proxies by environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY in either case, as curl and Docker read them. The
// machine itself is never reached through a proxy.

import { BlockList, isIP } from "node:net";
import type { Environment } from "./credentials.ts";
import { OciError } from "./oci-error.ts";

/** The proxy for a URL, or null. */
export function proxyFor(url: URL, env: Environment): string | null {
  if (isLoopback(url.hostname)) return null;
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = env[name.toLowerCase()] || env[name] || env["all_proxy"] || env["ALL_PROXY"] || "";
  if (proxy === "" || isExcluded(url, env["no_proxy"] || env["NO_PROXY"] || "")) return null;
  return checked(proxy.includes("://") ? proxy : `http://${proxy}`);
}

/** What is told of a proxy leaves out its password. */
function checked(proxy: string): string {
  const url = URL.canParse(proxy) ? new URL(proxy) : null;
  if (url === null || url.hostname === "") throw new OciError("the environment names a proxy that is not an address");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new OciError(`the proxy ${url.protocol}//${url.host} is not supported: only HTTP proxies are`);
  return proxy;
}

export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

/** NO_PROXY: "*", hosts (and all below them), ".domain", addresses, address/bits, any but the last with a port. */
function isExcluded(url: URL, list: string): boolean {
  const host = unbracketed(url.hostname.toLowerCase());
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => entry === "*" || matches(host, port, entry));
}

function matches(host: string, port: string, entry: string): boolean {
  if (entry.includes("/")) return inNetwork(host, entry);
  // An IPv6 address has colons of its own.
  const withPort = isIP(entry) === 6 ? null : /^(.+):(\d+)$/.exec(entry);
  if (withPort !== null && withPort[2] !== port) return false;
  const name = unbracketed(withPort?.[1] ?? entry);
  const version = isIP(name);
  if (version !== 0) return inNetwork(host, `${name}/${version === 4 ? 32 : 128}`);
  const domain = name.replace(/^\*?\./, "");
  return host === domain || (host.endsWith(`.${domain}`) && isIP(host) === 0);
}

function unbracketed(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

function inNetwork(host: string, entry: string): boolean {
  const [, network = "", bits = ""] = /^(.*)\/(\d{1,3})$/.exec(entry) ?? [];
  const base = unbracketed(network);
  const version = isIP(base);
  if (version === 0 || isIP(host) === 0 || Number(bits) > (version === 4 ? 32 : 128)) return false;
  const excluded = new BlockList();
  excluded.addSubnet(base, Number(bits), version === 4 ? "ipv4" : "ipv6");
  return excluded.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
}
