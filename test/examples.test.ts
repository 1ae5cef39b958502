import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const lib = join(root, "lib");

/** The code of an `@example`. */
interface Example {
  /** "lib/answer/grade.ts:41", the first line of its code. */
  place: string;
  line: number;
  code: string;
  /** Titled "Only compiled: REASON", for code that needs a network. */
  onlyCompiled: boolean;
}

/** What an example printed, a line per call of console.log, or its error. */
interface Outcome {
  printed: { line: number; text: string }[];
  error?: string;
}

/** The examples of a source file; one without fenced code is an error. */
function examplesOf(file: string, source: string): Example[] {
  const lines = source.split("\n");
  return lines.flatMap((text, at) => {
    const title = /^\s*\* @example\b ?(.*)$/.exec(text)?.[1];
    if (title === undefined) return [];
    const code: string[] = [];
    if (!/^\s*\* ```ts$/.test(lines[at + 1]!)) throw new Error(`${file}:${at + 1}: expected \`\`\`ts below @example`);
    for (let i = at + 2; !/^\s*\* ```$/.test(lines[i]!); i++) {
      if (!/^\s*\*( |$)/.test(lines[i]!)) throw new Error(`${file}:${i + 1}: the example does not end`);
      code.push(lines[i]!.replace(/^\s*\* ?/, ""));
    }
    const line = at + 3;
    return [
      { place: `${file}:${line}`, line, code: code.join("\n"), onlyCompiled: title.startsWith("Only compiled: ") },
    ];
  });
}

const examples = readdirSync(lib, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".ts") && !/^(dist|node_modules)\b/.test(name))
  .sort()
  .flatMap((name) => examplesOf(`lib/${name.replaceAll("\\", "/")}`, readFileSync(join(lib, name), "utf8")));

/** Runs each compiled example in its own working folder, all in one process, and writes down what it prints. */
const RUNNER = `
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";
const [folder, ...numbers] = process.argv.slice(2);
const outcomes = {};
for (const number of numbers) {
  const printed = [];
  console.log = (...values) => {
    const line = Number(new RegExp("/" + number + "\\\\.ts:(\\\\d+)").exec(new Error().stack.replaceAll("\\\\", "/"))?.[1]);
    printed.push({ line, text: format(...values) });
  };
  const work = join(folder, "work", number);
  mkdirSync(work, { recursive: true });
  process.chdir(work);
  outcomes[number] = { printed };
  try {
    await import("./" + number + ".js");
  } catch (error) {
    outcomes[number].error = error.stack;
  }
}
writeFileSync(join(folder, "outcomes.json"), JSON.stringify(outcomes));
process.exit();
`;

describe("examples in docstrings", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "thoughtbook-examples-")));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("are found, with what is only compiled", () => {
    const source = "/**\n * Add.\n *\n * @example Only compiled: a server\n * ```ts\n * 1;\n *\n * 2;\n * ```\n */\n";
    expect(examplesOf("a.ts", source)).toEqual([{ place: "a.ts:6", line: 6, code: "1;\n\n2;", onlyCompiled: true }]);
    expect(() => examplesOf("a.ts", "/**\n * @example\n * 1;\n */\n")).toThrow("a.ts:2");
    expect(() => examplesOf("a.ts", "/**\n * @example\n * ```ts\n * 1;\n */\n")).toThrow("a.ts:5");
    expect(examples.length).toBeGreaterThan(25);
    expect(examples.filter(({ onlyCompiled }) => onlyCompiled).length).toBeLessThan(5);
  });

  it("compile strictly", () => {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const files = examples.map(({ line, code }, at) => {
      // At the line of its source, so that errors name it.
      writeFileSync(join(folder, `${at}.ts`), `${"\n".repeat(line - 1)}${code}\nexport {};\n`);
      return `${at}.ts`;
    });
    const compilerOptions = {
      ...{ target: "ES2023", lib: ["ES2023"], module: "NodeNext", moduleResolution: "NodeNext", types: ["node"] },
      ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noUnusedLocals: true },
      ...{ skipLibCheck: true, sourceMap: true },
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
    const errors = stdout.replaceAll(/^\S*?(\d+)\.ts\((\d+)/gm, (_, at, line) => `${fileOf(examples[at]!)}(${line}`);
    expect(errors).toBe("");
  }, 120_000);

  it("run, and print what their comments say", () => {
    const numbers = [...examples.keys()].filter((at) => !examples[at]!.onlyCompiled);
    mkdirSync(join(folder, "work"));
    writeFileSync(join(folder, "runner.js"), RUNNER);
    const args = ["--enable-source-maps", join(folder, "runner.js"), folder, ...numbers.map(String)];
    const env = { ...process.env, NO_COLOR: "1", HF_HUB_OFFLINE: "1" };
    const { stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
    const outcomes: Record<string, Outcome> = JSON.parse(readFileSync(join(folder, "outcomes.json"), "utf8"));
    for (const at of numbers) {
      const { place, line, code } = examples[at]!;
      const { printed, error } = outcomes[at]!;
      expect(error, `${place}\n${stderr}`).toBeUndefined();
      // An example without a result teaches nothing.
      expect(printed, place).not.toEqual([]);
      for (const { text } of printed) expect(text, place).not.toMatch(/\b(NaN|undefined)\b/);
      for (const [index, text] of code.split("\n").entries()) {
        const expected = /^\s*console\.log\(.*\); \/\/ (.*)$/.exec(text)?.[1];
        if (expected === undefined) continue;
        const here = printed.filter((one) => one.line === line + index).map((one) => one.text);
        expect(here, `${fileOf(examples[at]!)}:${line + index}`).toEqual([expected]);
      }
    }
  }, 240_000);
});

const fileOf = ({ place }: Example): string => place.replace(/:\d+$/, "");
