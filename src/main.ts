// The program: one command line, one exit status. The only place that ends the process.

import { main } from "./cli/main.ts";
import { exitNow } from "./host/process.ts";

main(process.argv.slice(2)).then(exitNow);
