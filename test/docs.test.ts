import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (page: string) => readFileSync(join(root, page), "utf8");

const docs = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
const pages = [
  "README.md",
  ...docs,
  ...readdirSync(join(root, "data"), { recursive: true })
    .map((name) => `data/${String(name).replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith("/README.md")),
];

/** A page without its blocks of code. */
const prose = (text: string) => text.replaceAll(/^```[\s\S]*?^```$/gm, "");

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of prose(text).matchAll(/^#+ (.+)$/gm)) {
    const shown = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/\\(?=[^\w\s])|[`*]/g, "");
    const slug = shown
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let [anchor, count] = [slug, 0];
    while (anchors.has(anchor)) anchor = `${slug}-${++count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** What the links and pictures of a page lead to, those of the web aside. */
const linksOf = (text: string) =>
  [
    ...prose(text)
      .replaceAll(/`[^`\n]*`/g, "")
      .matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g),
  ]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target));

/** The links of a page that lead nowhere. */
function brokenLinks(page: string, text: string): string[] {
  return linksOf(text).filter((target) => {
    const [path, anchor] = target.split("#");
    const file = path === "" ? page : relative(root, join(root, dirname(page), decodeURIComponent(path!)));
    if (!existsSync(join(root, file))) return true;
    if (anchor === undefined) return false;
    return !anchorsOf(path === "" ? text : read(file)).has(anchor);
  });
}

/** Paths of the repository that a page names anywhere, in commands too; not those with a placeholder. */
const pathsIn = (text: string) =>
  [...text.matchAll(/(?<![\w./@-])(?:lib|data|docs|test|bench|figures|notebooks)\/[\w./-]*/g)].map(([path]) =>
    path.replace(/[.-]+$/, ""),
  );

/** The lines of a table by their cells, without its head. */
const tableBelow = (text: string, heading: string) =>
  text
    .split(`\n## ${heading}\n`)[1]!
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

describe("the pages", () => {
  it("are linked as the test reads them", () => {
    const text =
      "# What *is* `A*`?\n## B\\*-C, d\n## B\\*-C, d\n[a](#what-is-a) [b](docs/none.md)\n```\n[c](d)\n```\n`[e](f)`\n";
    expect([...anchorsOf(text)]).toEqual(["what-is-a", "b-c-d", "b-c-d-1"]);
    expect(brokenLinks("README.md", text)).toEqual(["docs/none.md"]);
    expect(brokenLinks("docs/engine.md", "[a](../README.md#licence) [b](../README.md#none) [c](README.md)")).toEqual([
      "../README.md#none",
      "README.md",
    ]);
    expect(pathsIn("in `lib/data/x.ts`, thoughtbook/data/y and data/z.")).toEqual(["lib/data/x.ts", "data/z"]);
  });

  it.each(pages)("%s links to what is there", (page) => {
    expect(brokenLinks(page, read(page))).toEqual([]);
  });

  it.each(pages)("%s names paths that are there", (page) => {
    expect(pathsIn(read(page)).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(docs)("%s begins with the question that it answers, and is found from the README", (page) => {
    const [, title] = /^# (.+\?)\n/.exec(read(page)) ?? [];
    expect(title).toBeDefined();
    const listed = tableBelow(read("README.md"), "Where to read more").find(([link]) => link!.includes(`](${page})`));
    expect(listed?.[1]).toBe(title);
  });
});

describe("the README", () => {
  const readme = read("README.md");

  it("is short", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(250);
  });

  it("tells where to look for ten things that one may want to change", () => {
    const rows = tableBelow(readme, "I want to change …");
    expect(rows.length).toBe(10);
    for (const [what, where] of rows) {
      const paths = [...where!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!);
      expect(paths.length, what).toBeGreaterThan(0);
      for (const path of paths) {
        expect(existsSync(join(root, path)), `${what}: ${path}`).toBe(true);
        expect(statSync(join(root, path)).isDirectory(), `${what}: ${path}`).toBe(path.endsWith("/"));
      }
    }
  });

  it("maps all folders of lib/, each above those that it imports", () => {
    const mapped = tableBelow(readme, "The map of the house").flatMap(
      ([folder]) => /^`lib\/([a-z]+)\/`$/.exec(folder!)?.[1] ?? [],
    );
    const folders = readdirSync(join(root, "lib"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(root, "lib", entry.name, "index.ts")))
      .map(({ name }) => name);
    expect(mapped.toSorted()).toEqual([...folders, "cli"].toSorted());
    // Each imports only from those below it, as the table says; what a folder imports is what its files name.
    const upward = mapped.flatMap((folder, at) =>
      readdirSync(join(root, "lib", folder), { recursive: true })
        .map(String)
        .filter((name) => name.endsWith(".ts"))
        .flatMap((name) => [
          ...read(join("lib", folder, name)).matchAll(/(?:from|import\() ?"(?:\.\.\/)+(\w+)\/index\.js"/g),
        ])
        .map(([, other]) => other!)
        .filter((other) => mapped.indexOf(other) < at)
        .map((other) => `${folder} imports ${other}`),
    );
    expect([...new Set(upward)]).toEqual([]);
  });
});
