import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The folders of lib/, from the bottom up; folders in one entry do not import each other. */
const ORDER = [
  ["core"],
  ["frames"],
  ["tensor"],
  ["model"],
  ["sandbox"],
  ["answer"],
  ["graph"],
  ["data"],
  ["llm"],
  ["serve"],
  ["operations"],
  ["train"],
  ["eval"],
  ["strategies"],
  ["reasoner", "dots", "astar", "aot", "grpo"],
  ["plot"],
  ["notebook"],
  ["cli"],
];
const level = (folder: string) => ORDER.findIndex((folders) => folders.includes(folder));

const folders = readdirSync(join(root, "lib"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "dist" && entry.name !== "node_modules")
  .map(({ name }) => name);
const sources = folders.flatMap((folder) =>
  readdirSync(join(root, "lib", folder), { recursive: true })
    .map(String)
    .filter((file) => /\.c?ts$/.test(file))
    .map((file) => ({ folder, file: join(folder, file), text: readFileSync(join(root, "lib", folder, file), "utf8") })),
);

/** The folders of lib/ that a source file imports from, its own left out. */
const importedFolders = ({ folder, text }: (typeof sources)[number]) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*"(?:\.\.\/)+([\w-]+)\//g)]
    .map((match) => match[1]!)
    .filter((name) => name !== folder);

describe("the folders of lib/", () => {
  it("all have a place in the order", () => {
    expect(folders.filter((folder) => level(folder) < 0)).toEqual([]);
    expect(sources.length).toBeGreaterThan(20);
  });

  it("import only from folders below them", () => {
    const upward = sources.flatMap((source) =>
      importedFolders(source)
        .filter((imported) => level(imported) >= level(source.folder))
        .map((imported) => `${source.file} imports from ${imported}`),
    );
    expect(upward).toEqual([]);
    expect(sources.flatMap(importedFolders).length).toBeGreaterThan(20);
  });

  it("are imported through their index", () => {
    const deep = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/from "((?:\.\.\/)+[\w-]+\/(?!index\.js")[^"]+)"/g)].map(
        (match) => `${file} imports ${match[1]}`,
      ),
    );
    expect(deep).toEqual([]);
  });

  it("have a subpath of the package each", async () => {
    for (const folder of folders.filter((name) => name !== "cli")) {
      expect(Object.keys(await import(`thoughtbook/${folder}`)), folder).not.toEqual([]);
    }
  });
});

describe("the repository", () => {
  it("needs no more of Node than the oldest version it supports", () => {
    const engines = ["package.json", "lib/package.json"].map(
      (file) => JSON.parse(readFileSync(join(root, file), "utf8")).engines.node,
    );
    expect(new Set(engines).size).toBe(1);
    expect(readFileSync(join(root, "lib", "setup.mjs"), "utf8")).toContain(
      `needs Node ${/\^(\d+\.\d+)/.exec(engines[0])![1]}`,
    );
  });

  it("holds no row of a public data set", () => {
    const folder = process.env.THOUGHTBOOK_DATA;
    if (!folder) {
      console.log("skipped: set THOUGHTBOOK_DATA to compare with the public rows");
      return;
    }
    const questions = ["gsm8k/test.jsonl", "gsm8k/train.jsonl"].flatMap((file) =>
      readFileSync(join(folder, file), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).question.trim().slice(0, 60)),
    );
    const committed = [join(root, "notebooks"), join(root, "data"), join(root, "figures")]
      .flatMap((dir) => readdirSync(dir, { recursive: true, withFileTypes: true }))
      // Weights are numbers.
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".safetensors"))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
    expect(
      questions.filter(
        (question) => committed.includes(question) || committed.includes(JSON.stringify(question).slice(1, -1)),
      ),
    ).toEqual([]);
  });
});
