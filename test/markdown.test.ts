import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runNotebook } from "thoughtbook/notebook";
import { describe, expect, it } from "vitest";
import { readNotebook } from "../lib/dist/notebook/notebook-file.js";
import { root, temporaryFolder, textOf, writeCells } from "./notebook/helpers.js";

/** A block of TypeScript in a page. */
interface Block {
  /** "README.md:74", its first line. */
  place: string;
  line: number;
  /** Blocks below one heading belong together, as cells of a notebook do. */
  section: string;
  source: string;
  /** Below the comment `<!-- compiled only: REASON -->`, for what needs a network or a large model. */
  compiledOnly: string | undefined;
}

const pages = [
  "README.md",
  ...(existsSync(join(root, "docs")) ? readdirSync(join(root, "docs"), { recursive: true }) : []),
]
  .map(String)
  .filter((name) => name.endsWith(".md"))
  .map((name) => (name === "README.md" ? name : join("docs", name)));

function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  let section = page;
  let open: { fence: string; line: number; source: string[] } | undefined;
  let compiledOnly: string | undefined;
  for (const [at, line] of text.split("\n").entries()) {
    if (open !== undefined) {
      if (line !== open.fence.slice(0, 3)) open.source.push(line);
      else {
        if (/^```(ts|typescript)\b/.test(open.fence)) {
          const { line, source } = open;
          blocks.push({ place: `${page}:${line}`, line, section, source: source.join("\n"), compiledOnly });
        }
        open = undefined;
        compiledOnly = undefined;
      }
    } else if (line.startsWith("```")) open = { fence: line, line: at + 2, source: [] };
    else if (/^#+ /.test(line)) section = `${page}: ${line}`;
    else if (line !== "") compiledOnly = /^<!-- compiled only: (.+) -->$/.exec(line)?.[1];
  }
  return blocks;
}

const blocks = pages.flatMap((page) => blocksOf(page, readFileSync(join(root, page), "utf8")));
const sections = [...new Set(blocks.map(({ section }) => section))].map((name) =>
  blocks.filter(({ section }) => section === name),
);

describe("TypeScript in the README and in docs/", () => {
  it("is found, with what is only compiled", () => {
    const text = "# A\n<!-- compiled only: a server -->\n\n```ts\n1;\n```\n## B\n```sh\nls\n```\n```ts\n2;\n```\n";
    expect(blocksOf("page.md", text)).toEqual([
      { place: "page.md:5", line: 5, section: "page.md: # A", source: "1;", compiledOnly: "a server" },
      { place: "page.md:12", line: 12, section: "page.md: ## B", source: "2;", compiledOnly: undefined },
    ]);
    expect(blocks.length).toBeGreaterThan(8);
    expect(blocks.filter(({ compiledOnly }) => compiledOnly === undefined).length).toBeGreaterThan(blocks.length / 2);
  });

  it("compiles strictly, section by section", () => {
    const folder = temporaryFolder();
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    const files = sections.map((section, at) => {
      // Each block at its own line, so that an error is told by the line of its page.
      const lines: string[] = [];
      for (const { line, source } of section) {
        while (lines.length < line - 1) lines.push("");
        lines.push(...source.split("\n"));
      }
      const name = `${at}.ts`;
      writeFileSync(join(folder, name), `${lines.join("\n")}\nexport {};\n`);
      return name;
    });
    const compilerOptions = {
      ...{ target: "ES2022", lib: ["ES2022"], module: "ESNext", moduleResolution: "Bundler", types: ["node"] },
      ...{ strict: true, noEmit: true, skipLibCheck: true },
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
    const errors = stdout.replaceAll(/^.*?(\d+)\.ts\(/gm, (_, at) => `${sections[Number(at)]![0]!.section} (`);
    expect(errors).toBe("");
  }, 120_000);

  it("runs in the kernel, and writes nothing to committed folders", async () => {
    const folder = temporaryFolder();
    const run = blocks.filter(({ compiledOnly }) => compiledOnly === undefined);
    const file = await writeCells(folder, "pages.ipynb", ...run.map(({ source }) => source));
    const { written, failure } = await runNotebook(file, { scale: "smoke", out: join(folder, "out") });
    const failed = failure && `${run[failure.index]!.place}: ${JSON.stringify(failure.outcome)}`;
    expect(failed).toBeUndefined();
    const cells = (await readNotebook(written)).cells;
    for (const [at, cell] of cells.entries()) {
      const outputs = cell.cell_type === "code" ? cell.outputs : [];
      // An example without a result teaches nothing.
      expect(outputs, run[at]!.place).not.toEqual([]);
      expect(textOf(cell), run[at]!.place).not.toMatch(/\b(NaN|undefined)\b/);
      const stderr = outputs.filter((output) => output.output_type === "stream" && output.name === "stderr");
      expect(stderr, run[at]!.place).toEqual([]);
    }
    const made = readdirSync(folder).filter((name) => !["pages.ipynb", "out", "runs"].includes(name));
    expect(made).toEqual([]);
  }, 240_000);
});
