// What a run without a network may bind and reach.

import { describe, expect, test } from "bun:test";
import { EADDRNOTAVAIL, ECONNREFUSED, ENETUNREACH } from "../../../src/abi/errno.ts";
import { SOCK_DGRAM, SOCK_STREAM } from "../../../src/abi/socket.ts";
import type { HostPoller } from "../../../src/host/poller.ts";
import { Network } from "../../../src/net/inet/network.ts";

const poller = {} as HostPoller;
const v4 = (ip: readonly number[], port: number): Uint8Array =>
  Uint8Array.of(2, 0, port >> 8, port & 255, ...ip, 0, 0, 0, 0, 0, 0, 0, 0);
const v6 = (ip: readonly number[], port: number): Uint8Array =>
  Uint8Array.of(10, 0, port >> 8, port & 255, 0, 0, 0, 0, ...ip, 0, 0, 0, 0);
const any6 = Array<number>(16).fill(0);
const mapped = (ip: readonly number[]): readonly number[] => [...Array<number>(10).fill(0), 255, 255, ...ip];
const loop6 = [...Array<number>(15).fill(0), 1];

describe("without a network", () => {
  const network = new Network(poller, true);
  test("all interfaces become the loopback, others are not there", () => {
    expect(network.bindable(v4([0, 0, 0, 0], 80), false)).toEqual(v4([127, 0, 0, 1], 80));
    expect(network.bindable(v6(any6, 80), false)).toEqual(v6(mapped([127, 0, 0, 1]), 80));
    expect(network.bindable(v6(any6, 80), true)).toEqual(v6(loop6, 80));
    expect(network.bindable(v4([127, 0, 0, 5], 80), false)).toEqual(v4([127, 0, 0, 5], 80));
    expect(network.bindable(v4([10, 0, 0, 1], 80), false)).toBe(-EADDRNOTAVAIL);
  });
  test("only ports of guests are reached", () => {
    expect(network.route(v4([127, 0, 0, 1], 8080), SOCK_STREAM)).toBe(-ECONNREFUSED);
    network.owned(v4([127, 0, 0, 1], 8080));
    expect(network.route(v4([127, 0, 0, 1], 8080), SOCK_STREAM)).toEqual(v4([127, 0, 0, 1], 8080));
    expect(network.route(v4([192, 0, 2, 1], 8080), SOCK_STREAM)).toBe(-ENETUNREACH);
    expect(network.route(v4([127, 0, 0, 1], 53), SOCK_DGRAM)).toBe(-ENETUNREACH);
    expect(network.route(v6(mapped([192, 0, 2, 1]), 8080), SOCK_STREAM)).toBe(-ENETUNREACH);
  });
  test("either protocol finds a server", () => {
    network.owned(v6(mapped([127, 0, 0, 1]), 8081));
    expect(network.route(v6(loop6, 8081), SOCK_STREAM)).toEqual(v6(mapped([127, 0, 0, 1]), 8081));
    expect(network.route(v4([127, 0, 0, 1], 8081), SOCK_STREAM)).toEqual(v4([127, 0, 0, 1], 8081));
    network.owned(v6(loop6, 8082));
    expect(network.route(v6(loop6, 8082), SOCK_STREAM)).toEqual(v6(loop6, 8082));
  });
});

test("the host's network is left alone", () => {
  const network = new Network(poller, false);
  expect(network.bindable(v4([0, 0, 0, 0], 80), false)).toEqual(v4([0, 0, 0, 0], 80));
  expect(network.route(v4([192, 0, 2, 1], 80), SOCK_STREAM)).toEqual(v4([192, 0, 2, 1], 80));
});
