// Which proxy a URL goes through.

import { expect, test } from "bun:test";
import { proxyFor } from "../../../src/oci/proxy.ts";

const env = { HTTPS_PROXY: "http://p:1", http_proxy: "q:2", NO_PROXY: "" };
const proxy = (url: string, noProxy = ""): string | null => proxyFor(new URL(url), { ...env, NO_PROXY: noProxy });

test("by scheme, in either case, with or without a scheme of its own", () => {
  expect(proxy("https://a.example/")).toBe("http://p:1");
  expect(proxy("http://a.example/")).toBe("http://q:2");
  expect(proxyFor(new URL("https://a.example/"), {})).toBeNull();
});

test("this machine is never reached through a proxy", () => {
  for (const host of ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
    expect(proxy(`https://${host}/`)).toBeNull();
  expect(proxy("https://127.0.0.1.example/")).toBe("http://p:1");
});

test("NO_PROXY", () => {
  const cases: readonly (readonly [list: string, url: string, direct: boolean])[] = [
    ["*", "https://a.example/", true],
    ["a.example", "https://a.example/", true],
    ["a.example", "https://b.a.example/", true],
    ["a.example", "https://ba.example/", false],
    [".a.example", "https://b.a.example/", true],
    ["x, a.example", "https://A.EXAMPLE/", true],
    ["a.example:443", "https://a.example/", true],
    ["a.example:8443", "https://a.example/", false],
    ["10.0.0.0/8", "https://10.1.2.3/", true],
    ["10.0.0.0/8", "https://11.1.2.3/", false],
    ["10.0.0.1", "https://10.0.0.1/", true],
    ["0.0.1", "https://10.0.0.1/", false],
    ["10.0.0.0/33", "https://10.0.0.1/", false],
    ["10.0.0.0/", "https://10.0.0.1/", false],
    ["10.0.0.1:5000", "https://10.0.0.1:5000/", true],
    ["10.0.0.1:5000", "https://10.0.0.1/", false],
    ["10.0.0.0/8", "https://a.example/", false],
    ["*.a.example", "https://b.a.example/", true],
    ["a.example.", "https://b.a.example/", false],
    ["fd00::/8", "https://[fd12::1]/", true],
    ["fd00::/8", "https://[fe80::1]/", false],
    ["[fd00::]/8", "https://[fd12::1]:5000/", true],
    ["2001:db8::/33", "https://[2001:db8:7fff::1]/", true],
    ["2001:db8::/33", "https://[2001:db8:8000::1]/", false],
    ["fd00::/129", "https://[fd00::1]/", false],
    ["fd00::1", "https://[fd00:0::0:1]/", true],
    ["fd00::1", "https://[fd00::2]/", false],
    ["[fd00::1]", "https://[fd00::1]:5000/", true],
    ["[fd00::1]:5000", "https://[fd00::1]:5000/", true],
    ["[fd00::1]:5000", "https://[fd00::1]/", false],
    ["::/0", "https://a.example/", false],
  ];
  for (const [list, url, direct] of cases) expect([list, url, proxy(url, list) === null]).toEqual([list, url, direct]);
});

test("ALL_PROXY stands in where there is none for the scheme", () => {
  const all = { ALL_PROXY: "http://all:3", http_proxy: "q:2" };
  expect(proxyFor(new URL("https://a.example/"), all)).toBe("http://all:3");
  expect(proxyFor(new URL("http://a.example/"), all)).toBe("http://q:2");
  expect(proxyFor(new URL("https://a.example/"), { ...all, no_proxy: "example" })).toBeNull();
});

test("what is no HTTP proxy is refused without its password", () => {
  const refused = (proxy: string): string => {
    try {
      return String(proxyFor(new URL("https://a.example/"), { HTTPS_PROXY: proxy }));
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refused("socks5://me:secret@p:1")).toBe("the proxy socks5://p:1 is not supported: only HTTP proxies are");
  expect(refused("http://me:secret@p:port")).toBe("the environment names a proxy that is not an address");
  expect(refused("me:secret@p:1")).toBe("http://me:secret@p:1");
});
