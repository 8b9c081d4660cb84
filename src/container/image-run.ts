// `carrick run`: an image and a request become a booted kernel, and the command runs in it.

import { O_RDONLY, O_RDWR } from "../abi/fcntl.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "../abi/mount.ts";
import { SIGINT, SIGKILL, SIGTERM, SIGWINCH } from "../abi/signal.ts";
import { S_IFMT, S_IFREG } from "../abi/stat.ts";
import type { HostFileSystem } from "../fs/host/host-file-system.ts";
import { inheritedFile } from "../fs/host/stdio.ts";
import { ImageFileSystem } from "../fs/image/image-file-system.ts";
import { openLayers } from "../fs/image/open-layers.ts";
import { parseTmpfsOptions, Tmpfs } from "../fs/tmpfs/tmpfs.ts";
import { bytes } from "../host/command-line.ts";
import { userCredentials } from "../kernel/credentials.ts";
import { startMinimalInit } from "../kernel/minimal-init.ts";
import { inMask } from "../kernel/sig-info.ts";
import { killGroup, sendGroupSignal } from "../kernel/task-signals.ts";
import type { ThreadGroup } from "../kernel/thread-group.ts";
import { KernelBuffer } from "../mm/kernel-buffer.ts";
import type { OpenImage } from "../oci/store.ts";
import type { Observer } from "../trace/observer.ts";
import type { FsContext } from "../vfs/context.ts";
import { FdTable } from "../vfs/fd-table.ts";
import { openPath } from "../vfs/open.ts";
import { isDirectory } from "../vfs/permission.ts";
import { BootError } from "./boot-error.ts";
import { findCommand } from "./command-lookup.ts";
import { CONTAINER_CAPS } from "./container-caps.ts";
import { containerFiles } from "./container-files.ts";
import { type ImageProcess, imageProcess } from "./image-process.ts";
import { type ContainerUser, lookUpUser } from "./image-users.ts";
import { createFirst, type Machine, startMachine } from "./machine.ts";
import { ensureDirectory, ensurePlace, hostTree, makeHostDirectory } from "./mounting.ts";
import { finish, startProgram } from "./run.ts";
import type { MountRequest, RunRequest } from "./run-request.ts";
import { mountSystem } from "./system-mounts.ts";
import { TerminalBridge } from "./terminal-bridge.ts";

const MAX_ACCOUNTS_BYTES = 4 << 20;
const UMASK = 0o022;
/** Signals that the host tells about in one word. */
const LAST_CLASSIC = 31;

/** Runs the image's command to its end: its exit status, or 128 plus a signal. Throws BootError and ProgramError. */
export function runImage(image: OpenImage, request: RunRequest, observer: Observer | null = null): number {
  const hostname = bytes(request.hostname ?? image.manifestDigest.replace(/^[a-z0-9]+:/, "").slice(0, 12));
  const process = asBytes(imageProcess(image.config, request, hostname));
  if (process.argv.length === 0) throw new BootError(`${image.name} names no command, and none was given`);
  const machine = startMachine({
    hostname,
    isolated: request.network === "none",
    credentials: userCredentials(0, 0, [], CONTAINER_CAPS),
    umask: UMASK,
    engine: request.engine,
    cpus: request.cpus,
    observer,
    root: (_poller, clock) => {
      const layers = openLayers(
        image.layers.map((l) => ({ tarPath: bytes(l.tarPath), indexPath: bytes(l.indexPath) })),
      );
      image.release();
      if (typeof layers === "string") throw new BootError(`the image store is damaged: ${layers} cannot be read`);
      return { fs: new ImageFileSystem(clock, layers, scratchDirectories(image)), source: "overlay" };
    },
  });
  const { fs, kernel } = machine;
  const user = lookUpUser(process.user, (path) => readGuestFile(fs, path));
  mountAll(machine, process, request, user, hostname);
  // The user's own directory is made like any other, as Docker does.
  const cwd = ensureDirectory(fs, process.cwd, true);
  if (typeof cwd === "number" || !isDirectory(cwd.dentry.inode.mode))
    throw new BootError(`the working directory ${process.cwd} cannot be made in the image`);
  fs.cwd = cwd;
  fs.cred = userCredentials(user.uid, user.gid, user.groups, CONTAINER_CAPS);
  if (request.readOnly) machine.mounts.root.flags |= MS_RDONLY;

  const files = new FdTable(1024);
  const init = createFirst(machine, files);
  const bridge = request.tty ? TerminalBridge.open(machine, files, user, request.interactive) : null;
  if (bridge === null) installStreams(machine, files, request.interactive, user);
  init.group.unkillable = true;
  const first = request.init ? startMinimalInit(init) : init;
  if (typeof first === "number") throw new BootError("the host gives no memory for the guest");
  machine.poller.onSignals = forwarder(first.group, bridge);
  const env = withHome(process.env, user.home);
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice(5) ?? "";
  try {
    const program = findCommand(first, process.argv[0]!, path);
    startProgram(first, program, process.argv, env);
    return finish(kernel);
  } finally {
    bridge?.close();
  }
}

function asBytes(process: ImageProcess): ImageProcess {
  return {
    argv: process.argv.map(bytes),
    env: process.env.map(bytes),
    user: bytes(process.user),
    cwd: bytes(process.cwd),
    volumes: process.volumes.map(bytes),
  };
}

/** How often the user has to insist before a container that does not listen is killed. */
const INSISTED = 3;

/** Passes carrick's signals on to the command, but for those that mean carrick's own terminal. */
function forwarder(group: ThreadGroup, bridge: TerminalBridge | null): (signals: number) => void {
  let asked = 0;
  return (signals) => {
    for (let signal = 1; signal <= LAST_CLASSIC; signal += 1) {
      if (!inMask(signals, 0, signal)) continue;
      if (signal === SIGWINCH && bridge !== null) {
        bridge.resize();
        continue;
      }
      if (signal === SIGINT || signal === SIGTERM) asked += 1;
      if (asked >= INSISTED) killGroup(group, SIGKILL);
      else sendGroupSignal(group, signal);
    }
  };
}

/** Where changed files go: beside the layers, or wherever temporary files do. */
function scratchDirectories(image: OpenImage): string[] {
  const first = image.layers[0]?.tarPath;
  const places = [process.env["TMPDIR"] ?? "/tmp", "/var/tmp", "/tmp"];
  if (first !== undefined) places.unshift(first.slice(0, first.lastIndexOf("/")));
  return places.map(bytes);
}

function withHome(env: readonly string[], home: string): readonly string[] {
  return env.some((entry) => entry.startsWith("HOME=")) ? env : [...env, `HOME=${home}`];
}

/** The text of a file of the guest's, "" when it cannot be read. */
function readGuestFile(fs: FsContext, path: string): string {
  const file = openPath(fs, fs.root, path, O_RDONLY, 0);
  if (typeof file === "number") return "";
  const size = (file.inode.mode & S_IFMT) === S_IFREG ? Math.min(file.sizeBytes(), MAX_ACCOUNTS_BYTES) : 0;
  const content = Buffer.alloc(size);
  const n = size === 0 ? 0 : file.readAt(new KernelBuffer(content), 0);
  file.unref();
  return content.toString("latin1", 0, Math.max(0, n));
}

/** Everything that is mounted in a container, outer places before inner ones. */
function mountAll(
  machine: Machine,
  process: ImageProcess,
  request: RunRequest,
  user: ContainerUser,
  hostname: string,
): void {
  const { mounts, fs, clock } = machine;
  for (const m of machine.systemMounts) mountSystem(mounts, ensurePlace(mounts, fs, m.target, true), m);
  const taken = new Set(request.mounts.map((m) => bytes(m.target)));
  const all: { target: string; mount: () => void }[] = [];
  for (const { target, place } of containerFiles(clock, hostname, request)) {
    if (!taken.has(target))
      all.push({ target, mount: () => mounts.bind(place, ensurePlace(mounts, fs, target, false), 0) });
  }
  for (const target of process.volumes) {
    if (!taken.has(target)) all.push({ target, mount: () => mountVolume(machine, target) });
  }
  for (const m of request.mounts) all.push({ target: bytes(m.target), mount: () => mountRequested(machine, m, user) });
  const depth = (path: string): number => path.split("/").filter((part) => part !== "").length;
  for (const { mount } of all.toSorted((a, b) => depth(a.target) - depth(b.target))) mount();
}

/** A directory that stays writable when the root is not. */
function mountVolume({ mounts, fs }: Machine, target: string): void {
  const place = ensurePlace(mounts, fs, target, true);
  if (place.mount === mounts.root && place.dentry !== mounts.root.root) mounts.bind(place, place, 0);
}

function mountRequested(machine: Machine, request: MountRequest, user: ContainerUser): void {
  const { mounts, fs, poller } = machine;
  const target = bytes(request.target);
  if (request.type === "tmpfs") {
    const options = parseTmpfsOptions(request.data);
    if (typeof options === "number") throw new BootError(`unknown option of tmpfs in ${request.data}`);
    const flags =
      (request.readOnly ? MS_RDONLY : 0) |
      (request.noExec ? MS_NOEXEC : 0) |
      (request.noSuid ? MS_NOSUID : 0) |
      (request.noDev ? MS_NODEV : 0);
    mounts.mount(new Tmpfs(machine.clock, options), ensurePlace(mounts, fs, target, true), flags, "tmpfs");
    return;
  }
  const source = bytes(request.source);
  if (request.create) makeHostDirectory(source);
  const tree = hostTree(source, poller, { readOnly: request.readOnly, owner: user });
  const place = ensurePlace(mounts, fs, target, isDirectory(tree.root.mode));
  mounts.mount(tree, place, request.readOnly ? MS_RDONLY : 0, source);
}

/** Without a terminal of its own, a container has pipes, which are its user's: standard input only when asked for. */
function installStreams(machine: Machine, files: FdTable, interactive: boolean, user: ContainerUser): void {
  const { fs, poller } = machine;
  const identity: HostFileSystem = hostTree("/", poller, { owner: user });
  for (const fd of [0, 1, 2]) {
    const file = fd === 0 && !interactive ? -1 : inheritedFile(identity, fd, { asPipes: true });
    // As runc gives them to the user, who may open them again by name; the host's files stay whose they are.
    if (typeof file !== "number") file.inode.setAttributes({ uid: user.uid, gid: user.gid });
    const installed = typeof file === "number" ? openPath(fs, fs.root, "/dev/null", O_RDWR, 0) : file;
    if (typeof installed !== "number") files.installAt(fd, installed, false);
  }
}
