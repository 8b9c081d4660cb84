// The two spellings of entitlements in a signature: a property list for older tools, DER for the kernel (since macOS 12). All that
// carrick asks for are switches that are on.

/** Without the first there is no Hypervisor.framework; the others matter only to who signs anew with the hardened runtime. */
export const ENTITLEMENTS: readonly string[] = [
  "com.apple.security.hypervisor",
  "com.apple.security.cs.allow-jit",
  "com.apple.security.cs.allow-unsigned-executable-memory",
  "com.apple.security.cs.disable-library-validation",
];

export function entitlementsPlist(names: readonly string[]): Buffer {
  const entries = names.map((name) => `\t<key>${name}</key>\n\t<true/>\n`).join("");
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
${entries}</dict>
</plist>
`,
  );
}

const APPLICATION_16 = 0x70;
const CONTEXT_16 = 0xb0;
const SEQUENCE = 0x30;
const UTF8_STRING = 0x0c;
const VERSION_1 = Buffer.from([0x02, 0x01, 0x01]);
const TRUE = Buffer.from([0x01, 0x01, 0xff]);

/** APPLICATION 16 { version 1, CONTEXT 16 { SEQUENCE { name, true } ... } }, by name. */
export function entitlementsDer(names: readonly string[]): Buffer {
  const entries = [...names]
    .sort()
    .map((name) => tagged(SEQUENCE, Buffer.concat([tagged(UTF8_STRING, Buffer.from(name)), TRUE])));
  return tagged(APPLICATION_16, Buffer.concat([VERSION_1, tagged(CONTEXT_16, Buffer.concat(entries))]));
}

function tagged(tag: number, content: Buffer): Buffer {
  const size = content.length;
  if (size > 0xffff) throw new Error("the entitlements are too long");
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
