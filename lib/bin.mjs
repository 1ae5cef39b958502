#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("./dist/cli/main.js", import.meta.url);
if (existsSync(main)) await import(main);
else {
  console.error("error: the library is not compiled yet. Run `npm start` once.");
  process.exitCode = 1;
}
