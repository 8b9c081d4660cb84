// The files that a container finds in /etc whatever its image has there: hosts, hostname, resolv.conf. Each is a file of a tmpfs of
// its own, mounted on its place, so that the guest may change it and an image never sees it.

import { O_CREAT, O_TRUNC, O_WRONLY } from "../abi/fcntl.ts";
import type { TimeSource } from "../fs/memory/memory-file-system.ts";
import { Tmpfs } from "../fs/tmpfs/tmpfs.ts";
import { files } from "../host/files.ts";
import { lookAt, seen } from "../host/stat.ts";
import { userCredentials } from "../kernel/credentials.ts";
import { KernelBuffer } from "../mm/kernel-buffer.ts";
import type { FsContext } from "../vfs/context.ts";
import { MountTable } from "../vfs/mount-table.ts";
import { FOLLOW, walk } from "../vfs/namei.ts";
import { openPath } from "../vfs/open.ts";
import type { Path } from "../vfs/path.ts";
import type { RunRequest } from "./run-request.ts";

const AT_FDCWD = -100;
const MAX_FILE_BYTES = 1 << 20;
const FALLBACK_RESOLVER = "nameserver 1.1.1.1\nnameserver 8.8.8.8\n";

export interface ContainerFile {
  readonly target: string;
  readonly place: Path;
}

/** Byte strings in, files out; all in one tree that is mounted nowhere. */
export function containerFiles(clock: TimeSource, hostname: string, request: RunRequest): ContainerFile[] {
  const tree = new Tmpfs(clock, { mode: 0o755, sizeBytes: 16 * 1024 * 1024 });
  const mounts = new MountTable(tree, 0, "tmpfs");
  const fs: FsContext = { root: mounts.rootPath, cwd: mounts.rootPath, umask: 0, cred: userCredentials(0, 0) };
  const texts: readonly [name: string, text: string][] = [
    ["hosts", hostsText(hostname, request)],
    ["hostname", `${hostname}\n`],
    ["resolv.conf", request.network === "none" ? "" : resolverText()],
  ];
  const made: ContainerFile[] = [];
  for (const [name, text] of texts) {
    const file = openPath(fs, fs.root, name, O_WRONLY | O_CREAT | O_TRUNC, 0o644);
    if (typeof file === "number") continue;
    file.write(new KernelBuffer(Buffer.from(text, "latin1")));
    file.unref();
    const place = walk(fs, fs.root, name, FOLLOW);
    if (typeof place !== "number") made.push({ target: `/etc/${name}`, place });
  }
  return made;
}

function hostsText(hostname: string, request: RunRequest): string {
  const lines = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff00::0\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
  ];
  for (const { name, address } of request.hosts) lines.push(`${address}\t${Buffer.from(name).toString("latin1")}`);
  // The network is the host's, and so is its loopback.
  if (request.network === "host" && !request.hosts.some(({ name }) => name === "host.docker.internal"))
    lines.push("127.0.0.1\thost.docker.internal");
  lines.push(`127.0.1.1\t${hostname}`);
  return `${lines.join("\n")}\n`;
}

/** The host's, since its network is the guest's. */
function resolverText(): string {
  const fd = files.open(AT_FDCWD, "/etc/resolv.conf", 0, 0);
  if (fd < 0) return FALLBACK_RESOLVER;
  const size = lookAt(fd) < 0 ? 0 : seen.size;
  const bytes = Buffer.alloc(Math.min(size, MAX_FILE_BYTES));
  const n = files.read(fd, bytes, 0, bytes.length, 0);
  files.close(fd);
  return n <= 0 ? FALLBACK_RESOLVER : bytes.toString("latin1", 0, n);
}
