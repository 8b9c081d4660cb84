// carrick as src/main.ts starts it, except that it ends as Bun wants a program to end: only then does Bun write down which
// functions were used (BUN_BYTECODE_ORDER_OUT).

import { main } from "../../src/cli/main.ts";

process.exit(await main(process.argv.slice(2)));
