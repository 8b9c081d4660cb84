// Futex wait queues (kernel/futex/).

export class FutexTable {}
