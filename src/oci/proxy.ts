// Proxies by environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY in either case, as curl and Docker read them. The
// machine itself is never reached through a proxy.

import type { Environment } from "./credentials.ts";

/** The proxy for a URL, or null. */
export function proxyFor(url: URL, env: Environment): string | null {
  if (isLoopback(url.hostname)) return null;
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = env[name.toLowerCase()] || env[name] || "";
  if (proxy === "" || isExcluded(url, env["no_proxy"] || env["NO_PROXY"] || "")) return null;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

/** NO_PROXY: "*", hosts (and all below them), ".domain", host:port, addresses and address/bits. */
function isExcluded(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      if (entry === "*") return true;
      if (entry.includes("/")) return inNetwork(host, entry);
      const withPort = /^(.*[^:]):(\d+)$/.exec(entry);
      if (withPort !== null && withPort[2] !== port) return false;
      const name = (withPort?.[1] ?? entry).replace(/^\*?\./, "");
      return host === name || host === `[${name}]` || (host.endsWith(`.${name}`) && !/^[\d.]+$/.test(name));
    });
}

function inNetwork(host: string, entry: string): boolean {
  const [network = "", bits = ""] = entry.split("/");
  const address = ipv4(host);
  const base = ipv4(network);
  if (address === null || base === null || !/^\d+$/.test(bits) || Number(bits) > 32) return false;
  const shift = 2 ** (32 - Number(bits));
  return Math.floor(address / shift) === Math.floor(base / shift);
}

function ipv4(text: string): number | null {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(text)) return null;
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
