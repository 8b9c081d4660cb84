// Who runs in a container: names and numbers looked up in the image's own /etc/passwd and /etc/group (passwd(5), group(5)), by
// Docker's rules. The files are the image author's: nothing in them is trusted beyond their own guest.

import { BootError } from "./boot-error.ts";

/** Largest id that a process may start with; larger ones turn negative somewhere (CVE-2024-40635). */
const MAX_ID = 2 ** 31 - 1;

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary ones, the primary one first, as Docker has it: a file's "not for this group" cannot be got round (CVE-2022-36109). */
  readonly groups: readonly number[];
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function idOf(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : -1;
}

function parsePasswd(text: string): PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of text.split("\n")) {
    const [name, , uid, gid, , home] = line.split(":");
    if (name === undefined || name === "" || name.startsWith("#") || idOf(uid) < 0 || idOf(gid) < 0) continue;
    entries.push({ name, uid: idOf(uid), gid: idOf(gid), home: home ?? "" });
  }
  return entries;
}

function parseGroup(text: string): GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const line of text.split("\n")) {
    const [name, , gid, members] = line.split(":");
    if (name === undefined || name === "" || name.startsWith("#") || idOf(gid) < 0) continue;
    entries.push({ name, gid: idOf(gid), members: (members ?? "").split(",").map((member) => member.trim()) });
  }
  return entries;
}

/** A number in the user's words: itself, or -1 when it is none. */
function wantedId(text: string, what: string): number {
  if (!/^-?[0-9]+$/.test(text)) return -1;
  const id = idOf(text);
  if (id < 0) throw new BootError(`the ${what} id ${text} is out of range: 0 to ${MAX_ID}`);
  return id;
}

/**
 * Looks up "user", "user:group", "" for root. `read` gives the text of a file of the image, "" when there is none. Throws
 * BootError for names that the image does not know.
 */
export function lookUpUser(wanted: string, read: (path: string) => string): ContainerUser {
  const colon = wanted.indexOf(":");
  const userText = colon < 0 ? wanted : wanted.slice(0, colon);
  const groupText = colon < 0 ? "" : wanted.slice(colon + 1);
  const number = userText === "" ? 0 : wantedId(userText, "user");
  const passwd = parsePasswd(read("/etc/passwd"));
  const entry = passwd.find((e) => (number >= 0 ? e.uid === number : e.name === userText));
  if (entry === undefined && number < 0) throw new BootError(`the image has no user ${userText}`);
  const uid = entry?.uid ?? number;
  const home = entry === undefined || entry.home === "" ? "/" : entry.home;
  const groups = parseGroup(read("/etc/group"));
  if (groupText !== "") {
    const gid = wantedId(groupText, "group");
    const group = groups.find((g) => (gid >= 0 ? g.gid === gid : g.name === groupText));
    if (group === undefined && gid < 0) throw new BootError(`the image has no group ${groupText}`);
    return { uid, gid: group?.gid ?? gid, groups: [group?.gid ?? gid], home };
  }
  const name = entry?.name;
  const supplementary = name === undefined ? [] : groups.filter((g) => g.members.includes(name)).map((g) => g.gid);
  const gid = entry?.gid ?? 0;
  return { uid, gid, groups: [...new Set([gid, ...supplementary])], home };
}
