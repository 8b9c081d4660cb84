// What root may do in a container: the capabilities that Docker leaves it (moby oci/caps/defaults.go).

import * as C from "../abi/capability.ts";
import { type CapSet, NO_CAPS, withCap } from "../kernel/credentials.ts";

export const CONTAINER_CAPS: CapSet = [
  C.CAP_CHOWN,
  C.CAP_DAC_OVERRIDE,
  C.CAP_FSETID,
  C.CAP_FOWNER,
  C.CAP_MKNOD,
  C.CAP_NET_RAW,
  C.CAP_SETGID,
  C.CAP_SETUID,
  C.CAP_SETFCAP,
  C.CAP_SETPCAP,
  C.CAP_NET_BIND_SERVICE,
  C.CAP_SYS_CHROOT,
  C.CAP_KILL,
  C.CAP_AUDIT_WRITE,
].reduce<CapSet>(withCap, NO_CAPS);
