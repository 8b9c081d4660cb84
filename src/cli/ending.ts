// Signals that end a command, for those that must not leave behind what they have begun.

import { exitNow, signals } from "../host/process.ts";

const ENDING = [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const;

/** Until it is undone, a signal calls `end` and ends carrick with the status that it returns. One that was ignored at carrick's start stays ignored. */
export function onEnding(end: (signal: number) => number): () => void {
  const ignored = signals.ignored();
  const handlers = ENDING.filter(([, number]) => (ignored & (1 << (number - 1))) === 0).map(
    ([name, number]) => [name, (): void => exitNow(end(number))] as const,
  );
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}
