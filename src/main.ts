// The program: one command line, one exit status. The only place that ends the process.

import { main } from "./cli/main.ts";
import { commandLine } from "./host/command-line.ts";
import { end } from "./host/process.ts";

main(commandLine()).then(end);
