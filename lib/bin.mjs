#!/usr/bin/env node
// The command. In a checkout it compiles the library first where a source is newer than what is compiled; in an
// installed package there is nothing to compile.
import { existsSync } from "node:fs";

const setup = new URL("./setup.mjs", import.meta.url);
const isReady = !existsSync(setup) || (await import(setup)).compileIfChanged();
if (isReady) await import(new URL("./dist/cli/main.js", import.meta.url));
else process.exitCode = 1;
