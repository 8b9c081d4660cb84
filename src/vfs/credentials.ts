// What a task may do (struct cred). Immutable: the set*id calls replace the object.

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly suid: number;
  readonly sgid: number;
  readonly fsuid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Capability sets as [low 32 bits, high 32 bits]. */
  readonly capEffective: readonly [number, number];
  readonly capPermitted: readonly [number, number];
  readonly capInheritable: readonly [number, number];
  readonly capBounding: readonly [number, number];
  readonly capAmbient: readonly [number, number];
  readonly securebits: number;
}
