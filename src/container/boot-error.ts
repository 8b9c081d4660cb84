// What stops a boot: a sentence for the user.

export class BootError extends Error {}
