import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The folders of lib/, from the bottom up; folders in one entry do not import each other. */
const ORDER = [
  ["core"],
  ["search"],
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
  ["tasks"],
  ["rollouts"],
  ["train"],
  ["eval"],
  ["study"],
  ["strategies"],
  ["grpo"],
  ["reasoner", "dots", "astar", "aot"],
  ["export"],
  ["plot"],
  ["notebook"],
  ["cli"],
];
const level = (folder: string) => ORDER.findIndex((folders) => folders.includes(folder));

const folders = readdirSync(join(root, "lib"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "dist" && entry.name !== "node_modules")
  .map(({ name }) => name);

/** Files of lib/ by their path there, `model/chat/template.ts`. */
const sources = new Map(
  folders.flatMap((folder) =>
    readdirSync(join(root, "lib", folder), { recursive: true })
      .map((file) => join(folder, String(file)))
      .filter((file) => /\.c?ts$/.test(file))
      .map((file) => [file, readFileSync(join(root, "lib", file), "utf8")]),
  ),
);

/** The files of lib/ that a file imports, resolved, types and `import()` included. Throws where one is not there. */
function importsOf(file: string): string[] {
  const specifiers = sources.get(file)!.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*"(\.[^"]+)"/g);
  return [...specifiers].flatMap(([, specifier]) => {
    const path = normalize(join(dirname(file), specifier!));
    if (path.startsWith("..")) return [];
    const found = [path, path.replace(/\.(c?)js$/, ".$1ts")].find((candidate) => sources.has(candidate));
    if (found === undefined) throw new Error(`${file} imports ${specifier}, which is not there`);
    return [found];
  });
}

const folderOf = (file: string) => file.split(sep)[0]!;
const imports = new Map([...sources.keys()].map((file) => [file, importsOf(file)]));
const between = [...imports].flatMap(([file, imported]) =>
  imported.filter((other) => folderOf(other) !== folderOf(file)).map((other) => ({ file, other })),
);

/** A circle of files that import each other, or undefined; types count, since a reader follows them too. */
function circle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of graph.get(file) ?? []) {
      const found = visit(next, [...path, file]);
      if (found) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const found = visit(file, []);
    if (found) return found;
  }
  return undefined;
}

/** Values that an index exports without a use in this repository: those that users are shown, by name or by kind. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  // Before a strategy of one's own; depths for records of another strategy.
  aot: ["aotPlugin", "questionDepths"],
  // A solver that was trained to plan.
  dots: ["internalised"],
  // What notebooks show of long runs.
  astar: ["readSignalResults"],
  // Questions to a graph, beside those that are asked here.
  graph: ["computeValues", "sources"],
  // An objective of one's own.
  model: ["outputLogits"],
  // What a cell of a notebook shows.
  notebook: ["showDrawing", "showMarkdown"],
  // An operation of one's own; the worked examples at hand.
  operations: ["defineOperation", "demonstrationPool"],
  // All kinds of figures.
  plot: ["treeFigure"],
  // What methods outside of lib/ are made of: rewards, ways to answer, the path to a node, sources of batches.
  rollouts: ["combine", "formatReward", "majorityReward"],
  search: ["pathTo"],
  strategies: [
    ...["program", "solve", "selfConsistency", "selfRefine", "leastToMost", "analogical"],
    ...["treeOfThoughts", "forestOfThoughts"],
  ],
  // What notebooks show of long runs.
  study: ["readBaselineResults"],
  train: ["onPolicySource", "streamSource"],
  // Activations and schedules of one's own model, and tensors for `useEagerBackend`.
  tensor: ["silu", "toTensor", "toTensorData", "warmupStableDecay"],
};

/** The values that the index of a folder exports; types are left out. */
const valuesOf = (folder: string) =>
  [...sources.get(join(folder, "index.ts"))!.matchAll(/^export \{([^}]*)\} from/gm)]
    .flatMap(([, names]) => names!.split(",").map((name) => name.trim()))
    .filter((name) => name !== "" && !name.startsWith("type "))
    .map((name) => name.split(" as ").at(-1)!);

/** "data.loadSample" for each name that a text imports from a folder of lib/, its `@example`s included. */
function namesUsed(text: string, folderImported: (specifier: string) => string | undefined): string[] {
  const code = text.replace(/^ *\* ?/gm, "");
  const lists =
    /(?:\b(?:import|export) (?:type )?|\bconst )\{([^{}]*)\}(?: from| = await import\(| = require\()\s*"([^"]+)"/g;
  const whole = /\bimport \* as (\w+) from "([^"]+)"/g;
  const one = /\(await import\("([^"]+)"\)\)\.(\w+)/g;
  return [
    ...[...code.matchAll(lists)].map(([, names, from]) => ({
      from: from!,
      names: names!.split(",").map(
        (name) =>
          name
            .trim()
            .replace(/^type /, "")
            .split(/ as |:/)[0]!,
      ),
    })),
    ...[...code.matchAll(whole)].map(([, name, from]) => ({
      from: from!,
      names: [...code.matchAll(new RegExp(`\\b${name}\\.(\\w+)`, "g"))].map(([, member]) => member!),
    })),
    ...[...code.matchAll(one)].map(([, from, name]) => ({ from: from!, names: [name!] })),
  ].flatMap(({ from, names }) => {
    const folder = folderImported(from);
    return folder === undefined ? [] : names.map((name) => `${folder}.${name}`);
  });
}

const subpath = (specifier: string) => /^thoughtbook\/([a-z-]+)$/.exec(specifier)?.[1];

/** What files of lib/ use of folders other than their own, and what the examples in their comments show. */
const usedInLib = () =>
  [...sources, ["index.ts", readFileSync(join(root, "lib", "index.ts"), "utf8")] as const].flatMap(([file, text]) =>
    namesUsed(text, (specifier) => {
      if (!specifier.startsWith(".")) return subpath(specifier);
      const folder = folderOf(normalize(join(dirname(file), specifier)));
      return folder === folderOf(file) ? undefined : folder;
    }),
  );

/** What the notebooks, the benches and the documentation use. */
const usedAround = () =>
  ["notebooks", "bench", "docs", "data"]
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, String(file))))
    .concat("README.md")
    .filter((file) => /\.(ipynb|ts|md)$/.test(file))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), "utf8");
      return namesUsed(file.endsWith(".ipynb") ? codeOf(text) : text, subpath);
    });

const codeOf = (notebook: string) =>
  (JSON.parse(notebook).cells as { cell_type: string; source: string | string[] }[])
    .filter(({ cell_type }) => cell_type === "code")
    .map(({ source }) => [source].flat().join(""))
    .join("\n");

/** Names that the documentation tells of: `longestPath`, or `longestPath(graph)`. */
function namesInDocumentation(): Set<string> {
  const docs = existsSync(join(root, "docs")) ? readdirSync(join(root, "docs")).map((file) => join("docs", file)) : [];
  const texts = ["README.md", ...docs.filter((file) => file.endsWith(".md"))].map((file) =>
    readFileSync(join(root, file), "utf8").replace(/^```.*?^```/gms, ""),
  );
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/`([a-z]\w*[A-Z]\w*|[A-Z_]+)(?:\([^`]*\))?`/g)].map(([, name]) => name!)),
  );
}

describe("the folders of lib/", () => {
  it("all have a place in the order", () => {
    expect(folders.filter((folder) => level(folder) < 0)).toEqual([]);
    expect(sources.size).toBeGreaterThan(300);
    expect(between.length).toBeGreaterThan(300);
  });

  it("import only from folders below them", () => {
    const upward = between
      .filter(({ file, other }) => level(folderOf(other)) >= level(folderOf(file)))
      .map(({ file, other }) => `${file} imports ${other}`);
    expect(upward).toEqual([]);
  });

  it("are imported through their index", () => {
    const deep = between
      .filter(({ other }) => other !== join(folderOf(other), "index.ts"))
      .map(({ file, other }) => `${file} imports ${other}`);
    expect(deep).toEqual([]);
  });

  it("have no files that import each other in a circle", () => {
    expect(
      circle(
        new Map([
          ["a", ["b"]],
          ["b", ["c"]],
          ["c", ["b"]],
        ]),
      ),
    ).toEqual(["b", "c", "b"]);
    expect(circle(imports)).toBeUndefined();
  });

  it("have one index each, and rooms of at most 25 files", () => {
    expect([...sources.keys()].filter((file) => /[\\/].*[\\/]index\.ts$/.test(file))).toEqual([]);
    const rooms = new Map<string, number>();
    for (const room of [...sources.keys()].map(dirname)) rooms.set(room, (rooms.get(room) ?? 0) + 1);
    // Scenarios, sentences and steps of one generator, which has no parts that stand alone.
    rooms.delete(join("data", "word-problems"));
    expect([...rooms].filter(([, files]) => files > 25)).toEqual([]);
  });

  it("export no value that nothing outside of them uses, nor a user is shown", () => {
    const used = new Set([...usedInLib(), ...usedAround()]);
    const told = namesInDocumentation();
    const unused = folders
      .filter((folder) => folder !== "cli" && folder !== "frames") // Neither has names of its own to export.
      .flatMap((folder) => valuesOf(folder).map((name) => ({ folder, name })))
      .filter(({ folder, name }) => !used.has(`${folder}.${name}`) && !told.has(name))
      .filter(({ folder, name }) => !SHOWN[folder]?.includes(name))
      .map(({ folder, name }) => `${folder}: ${name}`);
    expect(unused).toEqual([]);
    const missing = Object.entries(SHOWN).flatMap(([folder, names]) =>
      names.filter((name) => !valuesOf(folder).includes(name)),
    );
    expect(missing).toEqual([]);
    // A name that is used, and one that is not.
    expect(used).toContain("data.loadSample");
    expect(used).not.toContain("astar.splitSteps");
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
    // Looked up by their first characters at each place of the text: a search for each question would take a minute.
    const START = 12;
    const byStart = new Map<string, string[]>();
    for (const text of questions.flatMap((question) => [question, JSON.stringify(question).slice(1, -1)])) {
      const start = text.slice(0, START);
      byStart.set(start, [...(byStart.get(start) ?? []), text]);
    }
    const found = (text: string) => {
      for (let place = 0; place < text.length; place++) {
        const question = byStart.get(text.slice(place, place + START))?.find((each) => text.startsWith(each, place));
        if (question !== undefined) return question;
      }
      return undefined;
    };
    expect(found(`[${JSON.stringify(questions[7])}]`)).toBeDefined();
    expect(found(committed)).toBeUndefined();
  });
});
