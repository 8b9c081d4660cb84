// What `carrick doctor` finds in carrick's folders: whether each image of the store is whole, what a killed carrick left, and whether the folders
// can be used.

import { accessSync, constants, existsSync, lstatSync, readdirSync, statfsSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dataFolder } from "../host/folders.ts";
import type { ImageRecord } from "../oci/image-record.ts";
import { OciError } from "../oci/oci-error.ts";
import { ImageStore } from "../oci/store.ts";
import type { Check } from "./doctor-host.ts";
import { formatBytes } from "./format.ts";

const LITTLE_SPACE = 1e9;

export async function storeChecks(): Promise<Check[]> {
  return [storeCheck(dataFolder()), spaceCheck(dataFolder()), temporaryCheck()];
}

function storeCheck(path: string): Check {
  const name = "store";
  try {
    if (!existsSync(path)) {
      accessSync(nearest(path), constants.W_OK | constants.X_OK);
      return { name, status: "ok", text: `${path} does not exist yet`, facts: { path } };
    }
    if (!statSync(path).isDirectory()) return { name, status: "bad", text: `${path} is not a folder`, facts: { path } };
    const store = new ImageStore(path);
    const records = store.records();
    const broken = records.filter((record) => !isWhole(store, record)).map((record) => record.name);
    const unreadable = store.list("images").filter((file) => file.endsWith(".json")).length - records.length;
    const work = join(path, "work");
    const left = existsSync(work)
      ? readdirSync(work, { withFileTypes: true }).filter((e) => e.isDirectory()).length
      : 0;
    const facts = { path, images: records.length, broken, unreadable, unfinished: left };
    if (broken.length > 0) {
      return {
        name,
        status: "bad",
        text: `${path}: to be pulled again, because parts are missing or damaged: ${broken.join(", ")}`,
        facts,
      };
    }
    if (unreadable > 0)
      return { name, status: "bad", text: `${path}: ${unreadable} records of images cannot be read`, facts };
    const unfinished = left === 0 ? "" : `, ${left} unfinished (in use, or swept by the next pull)`;
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return { name, status: "ok", text: `${path}: ${records.length} images, all whole${unfinished}`, facts };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EROFS") return { name, status: "note", text: `${path} can only be read`, facts: { path } };
    return {
      name,
      status: "bad",
      text: `${path} cannot be used: ${code ?? (error as Error).message}`,
      facts: { path },
    };
  }
}

/** The part of a path that is there. */
function nearest(path: string): string {
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  return folder;
}

function isWhole(store: ImageStore, record: ImageRecord): boolean {
  try {
    return store.isComplete(record);
  } catch (error) {
    if (error instanceof OciError) return false;
    throw error;
  }
}

function spaceCheck(path: string): Check {
  const { bavail, bsize } = statfsSync(nearest(path));
  const freeBytes = bavail * bsize;
  const text = `${formatBytes(freeBytes)} free for images`;
  return { name: "disk", status: freeBytes < LITTLE_SPACE ? "note" : "ok", text, facts: { freeBytes } };
}

/** The shim becomes a file before it is loaded, and runs keep what they change in one. */
function temporaryCheck(): Check {
  const name = "temporary";
  const path = tmpdir();
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { name, status: "bad", text: `TMPDIR ${path} cannot be used: ${code}`, facts: { path } };
  }
  const cache = join(homedir(), ".cache", "carrick");
  const stat = lstatSync(cache, { throwIfNoEntry: false });
  if (stat !== undefined && (stat.mode & 0o077) !== 0) {
    return {
      name,
      status: "note",
      text: `${path}; ${cache} is open to others and therefore not used`,
      facts: { path, cache },
    };
  }
  return { name, status: "ok", text: path, facts: { path } };
}
