// Before and after `npm pack` and `npm publish`: what the package needs from around lib/ is put into it, and taken out.
//
// - README.md, LICENSE and docs/, to which the README links.
// - packed/data: the repository's own data (sample problems, models, recipes, tables).
// - danfojs-node, bundled: as npm has it, it cannot be installed from npm alone. Its spreadsheet dependency lies on a
//   host of its own, and @tensorflow/tfjs-node downloads a library from another. npm installs nothing for a bundled
//   package, so the copy is one file with all that it needs but @tensorflow/tfjs, which this library has anyway.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { compileIfChanged } from "./setup.mjs";

const lib = dirname(fileURLToPath(import.meta.url));
const root = dirname(lib);
const packed = join(lib, "packed");
const danfo = join(lib, "node_modules", "danfojs-node");
const TEXTS = ["README.md", "LICENSE", "docs"];
/** Results of the project's own long runs: nothing in the library reads them. */
const LEFT_OUT = join(root, "data", "results");

/** What danfojs-node's declarations name of packages that are inside of the one file now, or without declarations. */
const FOREIGN = ["table", "plotly.js-dist-min", "node-fetch", "papaparse", "xlsx", "request"];
const FOREIGN_TYPES = `interface Options {
  [name: string]: any;
}
export type BaseUserConfig = Options;
export type TableUserConfig = Options;
export type Config = Options;
export type Layout = Options;
export type HeadersInit = Options;
export interface ParseConfig<Row = any, Source = any> extends Options {}
export type ParsingOptions = Options;
export type WritingOptions = Options;
declare namespace request {
  type RequiredUriUrl = Options;
  type OptionsWithUrl = Options;
  type CoreOptions = Options;
}
export default request;
`;

function clean() {
  for (const path of [packed, danfo, ...TEXTS.map((name) => join(lib, name))]) {
    rmSync(path, { recursive: true, force: true });
  }
}

async function bundleDanfo() {
  const { build } = await import("esbuild");
  const original = dirname(createRequire(join(root, "package.json")).resolve("danfojs-node/package.json"));
  const { name, version, description, license, homepage } = JSON.parse(
    readFileSync(join(original, "package.json"), "utf8"),
  );
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(original, "dist/danfojs-node/src/index.js")],
    outfile: join(danfo, "index.js"),
    bundle: true,
    metafile: true,
    platform: "node",
    target: "node20",
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "error",
    alias: { "@tensorflow/tfjs-node": "@tensorflow/tfjs" },
    // plotly.js is asked for in browsers only.
    external: ["@tensorflow/tfjs", "plotly.js-dist-min"],
    // The names that an import from an ES module can see.
    footer: { js: namesOf(original) },
  });
  const manifest = {
    name,
    version,
    description,
    license,
    homepage,
    main: "index.js",
    types: "types/danfojs-node/src/index.d.ts",
  };
  writeFileSync(join(danfo, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(danfo, "LICENSES.txt"), licencesOf(Object.keys(metafile.inputs)));
  writeTypes(join(original, "dist"), join(danfo, "types"));
}

/** The hint by which Node knows the names that a CommonJS module exports. */
function namesOf(original) {
  const names = Object.keys(createRequire(join(root, "package.json"))(original));
  return `0 && (module.exports = { ${names.join(", ")} });`;
}

function licencesOf(inputs) {
  const folders = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : `\n\n${readFileSync(join(root, folder, file), "utf8").trim()}`;
    return `${name} ${version}: ${license}${text}`;
  });
  return `This file names all packages in index.js, with their licences.\n\n${texts.join("\n\n---\n\n")}\n`;
}

function writeTypes(from, to) {
  for (const name of readdirSync(from, { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const up = relative(dirname(name), "foreign").replaceAll("\\", "/");
    const foreign = up.startsWith(".") ? up : `./${up}`;
    const text = readFileSync(join(from, name), "utf8")
      .replaceAll("@tensorflow/tfjs-node", "@tensorflow/tfjs")
      .replace(/^import stream from/gm, "import * as stream from")
      .replace(/(?<=^import .* from )["']([^."'][^"']*)["']/gm, (quoted, module) =>
        FOREIGN.includes(module) ? JSON.stringify(foreign) : quoted,
      );
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), text);
  }
  writeFileSync(join(to, "foreign.d.ts"), FOREIGN_TYPES);
}

clean();
if (!process.argv.includes("--clean")) {
  if (!existsSync(join(root, "tsconfig.json"))) throw new Error("pack the library in a checkout of the repository");
  if (compileIfChanged()) {
    cpSync(join(root, "data"), join(packed, "data"), { recursive: true, filter: (path) => path !== LEFT_OUT });
    for (const name of TEXTS) cpSync(join(root, name), join(lib, name), { recursive: true });
    await bundleDanfo();
  } else process.exitCode = 1;
}
