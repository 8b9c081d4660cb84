// The kernel's timers as files use them, which know nothing of the kernel.

import type { TimerService } from "../fs/anon/timerfd.ts";
import type { Kernel } from "./kernel.ts";

const services = new WeakMap<Kernel, TimerService>();

export function timersOf(kernel: Kernel): TimerService {
  let service = services.get(kernel);
  if (service === undefined) {
    service = {
      nowNs: () => kernel.clock.monotonicNs(),
      start: (deadlineNs, fire) => {
        const timer = kernel.timers.add(deadlineNs, fire);
        return () => kernel.timers.cancel(timer);
      },
    };
    services.set(kernel, service);
  }
  return service;
}
