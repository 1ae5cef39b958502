import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readNotebook } from "../lib/dist/notebook/notebook-file.js";
import { root, textOf, writeCells } from "./notebook/helpers.js";

const isWanted = process.env.THOUGHTBOOK_PACK_TEST === "1";
if (!isWanted) console.log("skipped: set THOUGHTBOOK_PACK_TEST=1 to pack the library and install it elsewhere");

/** All folders of the library but those whose declarations name tensors of TensorFlow.js. */
const SUBPATHS = "answer astar core data eval frames graph llm notebook operations plot serve".split(" ");
const TENSOR_SUBPATHS = ["model", "tensor", "train"];
const MEGABYTE = 1e6;

describe.runIf(isWanted)("the package, installed in an empty folder", () => {
  const home = mkdtempSync(join(tmpdir(), "thoughtbook-pack-"));
  const user = join(home, "user");
  const elsewhere = join(home, "elsewhere");
  afterAll(() => rmSync(home, { recursive: true, force: true }), 120_000);

  /** As in a terminal of a user: without what this project's own npm scripts set. */
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_|ONNXRUNTIME_NODE_INSTALL|THOUGHTBOOK_|NODE_PATH)/.test(name),
    ),
  );
  function run(command: string, args: string[], cwd = user) {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: environment, encoding: "utf8" });
    return { status, stdout, stderr };
  }
  const thoughtbook = (args: string[], cwd = user) =>
    run(process.execPath, [join(user, "node_modules", "thoughtbook", "bin.mjs"), ...args], cwd);

  function typeErrors(compiler: string, source: string, options: object): string[] {
    writeFileSync(join(user, "program.mts"), source);
    writeFileSync(join(user, "program.ts"), source);
    const files = [
      "moduleResolution" in options && options.moduleResolution === "Node10" ? "program.ts" : "program.mts",
    ];
    const compilerOptions = { strict: true, noEmit: true, target: "ES2022", ...options };
    writeFileSync(join(user, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const { stdout } = run(process.execPath, [compiler, "-p", user, "--pretty", "false"]);
    return stdout.split("\n").filter((line) => /error TS/.test(line));
  }

  it("installs with npm alone, scripts included", () => {
    mkdirSync(user);
    mkdirSync(elsewhere);
    const packed = run("npm", ["pack", "-w", "lib", "--pack-destination", home, "--json"], root);
    expect(packed.status, packed.stderr).toBe(0);
    const tarball = join(home, "thoughtbook-0.1.0.tgz");
    expect(statSync(tarball).size).toBeLessThan(15 * MEGABYTE);
    const installed = run("npm", ["install", "--no-audit", "--no-fund", tarball]);
    expect(installed.status, installed.stderr).toBe(0);
    const tree = run("npm", ["ls", "--all"]);
    expect(tree.status, tree.stderr).toBe(0);
    const script = readFileSync(join(user, "node_modules", "onnxruntime-node", "script", "install.js"), "utf8");
    expect(script).toContain("INSTALL_FLAG === false || INSTALL_FLAG === undefined");
  }, 300_000);

  it("leaves nothing behind in the checkout", () => {
    expect(run("git", ["status", "--short", "--ignored", "lib"], root).stdout).not.toMatch(
      /packed|README|LICENSE|docs/,
    );
  });

  it("runs every command without a project", async () => {
    const help = thoughtbook(["--help"], elsewhere);
    expect(help.status, help.stderr).toBe(0);
    const commands = [...help.stdout.matchAll(/^ {2}([a-z-]+)(?= |\|)/gm)].map((match) => match[1]!);
    expect(commands.length).toBeGreaterThan(12);
    for (const command of commands.filter((name) => name !== "help")) {
      const { status, stderr } = thoughtbook([command, "--help"], elsewhere);
      expect(status, `${command}: ${stderr}`).toBe(0);
    }
    for (const [expected, ...args] of [
      [/gsm8k/, "data", "list"],
      [/"answer"/, "word-problems", "--count", "1"],
      [/./, "generate", "--model", "mini", "--chat", "--greedy", "--max-new-tokens", "4", "--prompt", "What is 2 + 2?"],
      [/answer/, "operations", "--model", "mini", "--problems", "1"],
      [/kernel\.json/, "kernel", "install", "--data-dir", "jupyter"],
    ] as [RegExp, ...string[]][]) {
      const { status, stdout, stderr } = thoughtbook(args, elsewhere);
      expect(status, `${args.join(" ")}: ${stderr}`).toBe(0);
      expect(stdout, args.join(" ")).toMatch(expected);
    }
    expect(thoughtbook(["notebooks", "run"], elsewhere).stderr).toMatch(/no folder .*notebooks.*Name the notebooks/s);
  }, 120_000);

  it("finds its problems and models, loads the engine with the first model only, and has data frames", () => {
    writeFileSync(
      join(user, "program.mjs"),
      `import { createRequire } from "node:module";
      import { loadModel, loadSample } from "thoughtbook";
      import { DataFrame } from "thoughtbook/frames";
      const { problems } = await loadSample();
      const model = await loadModel("mini");
      const [[completion]] = await model.generate([{ prompt: "2 + 2 =" }], { maxNewTokens: 4 });
      const means = new DataFrame([{ a: 1, b: 2 }, { a: 1, b: 5 }]).groupby(["a"]).mean();
      console.log(JSON.stringify([problems.length, model.name, completion.text.length > 0, means.values]));`,
    );
    const { stdout, stderr } = run(process.execPath, ["program.mjs"]);
    expect(stdout, stderr).toBe(`${JSON.stringify([72, "mini", true, [[1, 3.5]]])}\n`);
    writeFileSync(
      join(user, "light.mjs"),
      `import { createRequire } from "node:module";
      await import("thoughtbook");
      console.log(Object.keys(createRequire(import.meta.url).cache).filter((file) => /tensorflow|onnx/.test(file)));`,
    );
    expect(run(process.execPath, ["light.mjs"]).stdout).toBe("[]\n");
  }, 60_000);

  it("has types that compile strictly, those of its packages included", () => {
    const compiler = join(user, "node_modules", "typescript", "bin", "tsc");
    const importing = (names: string[]) =>
      names.map((name) => `export * as ${name} from "thoughtbook/${name}";`).join("\n");
    const source = `import { loadModel, loadSample } from "thoughtbook";
      export const names: Promise<string[]> = loadSample().then(({ problems }) => problems.map(({ id }) => id));
      // @ts-expect-error: types are not any
      export const wrong: number = loadModel("mini");
      ${importing(SUBPATHS)}`;
    for (const module of [
      { module: "NodeNext", moduleResolution: "NodeNext" },
      { module: "ESNext", moduleResolution: "Bundler" },
    ]) {
      for (const lib of [{}, { lib: ["ES2022"] }]) {
        expect(typeErrors(compiler, source, { ...module, ...lib, skipLibCheck: false })).toEqual([]);
      }
    }
    const tensors = typeErrors(compiler, importing(TENSOR_SUBPATHS), { module: "NodeNext", skipLibCheck: false });
    expect(tensors.filter((line) => /^(program|node_modules\/thoughtbook)/.test(line))).toEqual([]);
    expect(typeErrors(compiler, importing(TENSOR_SUBPATHS), { module: "NodeNext", skipLibCheck: true })).toEqual([]);
    // An older compiler, with the resolution that newer ones have given up; tslab is built on it.
    const older = createRequire(join(user, "node_modules", "tslab", "package.json")).resolve(
      "@tslab/typescript-for-tslab",
    );
    const node10 = { module: "CommonJS", moduleResolution: "Node10", skipLibCheck: true };
    expect(typeErrors(join(older, "..", "tsc.js"), source, node10)).toEqual([]);
  }, 120_000);

  it("is found by a notebook beside it, and by one anywhere else", async () => {
    const cells = [
      `import { loadSample } from "thoughtbook";
      import { showTable } from "thoughtbook/notebook";
      import { DataFrame } from "danfojs-node";
      import * as tf from "@tensorflow/tfjs";
      import { basename } from "node:path";`,
      "const { problems } = await loadSample();",
      `showTable(new DataFrame([{ problems: problems.length, two: tf.scalar(2).dataSync()[0], file: basename("/a/b") }]));`,
    ];
    for (const folder of [user, elsewhere]) {
      const file = await writeCells(folder, "first.ipynb", ...cells);
      const { status, stderr } = thoughtbook(["notebooks", "run", file, "--out", join(folder, "out")], folder);
      expect(status, stderr).toBe(0);
      const { cells: executed } = await readNotebook(join(folder, "out", "first.ipynb"));
      expect(textOf(executed[2]!)).toMatch(/72\s+2\s+b/);
      const checked = thoughtbook(["notebooks", "check", file], folder).stderr;
      expect(checked).not.toMatch(/TS\d+/);
    }
  }, 120_000);
});
