import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkNotebook, installKernel, runNotebook } from "thoughtbook/notebook";
import { describe, expect, it } from "vitest";
import { readNotebook } from "../../lib/dist/notebook/notebook-file.js";
import { codeOutputs, findJupyter, root, temporaryFolder } from "./helpers.js";

const notebooks = readdirSync(join(root, "notebooks")).filter((name) => name.endsWith(".ipynb"));
const hasData = Boolean(process.env.THOUGHTBOOK_DATA);
if (!hasData) console.log("skipped: running the committed notebooks again needs THOUGHTBOOK_DATA");
const jupyter = findJupyter();
if (!jupyter) console.log("skipped: comparing with nbconvert needs Debian's jupyter-nbconvert");

/** These take minutes, and what a model computes depends on the processor's instructions: they are run twice here, at smoke scale. */
const usesModels = (file: string) => /thoughtbook\/llm|run(Astar)?Study/.test(readFileSync(file, "utf8"));

describe.each(notebooks)("%s", (name) => {
  const file = join(root, "notebooks", name);
  const isExact = hasData && !usesModels(file);

  it("is fit to be committed", async () => {
    expect(await checkNotebook(file, { modules: join(root, "node_modules") })).toEqual([]);
  });

  it("lets its figures say at which scale they were drawn, and from what", async () => {
    const source = readFileSync(file, "utf8");
    if (/show(Figure|Drawing)\(/.test(source)) expect(source).toMatch(/noteFigures\(\{/);
  });

  it.skipIf(!isExact)(
    "gives its committed bytes and figures when it is run again",
    async () => {
      const out = temporaryFolder();
      const { written, failure } = await runNotebook(file, { scale: "standard", out });
      expect(failure).toBeUndefined();
      expect(readFileSync(written, "utf8")).toBe(readFileSync(file, "utf8"));
      const figures = readdirSync(join(out, "figures"));
      expect(figures.length).toBeGreaterThan(0);
      const differing = figures.filter(
        (figure) => !readFileSync(join(out, "figures", figure)).equals(readFileSync(join(root, "figures", figure))),
      );
      expect(differing).toEqual([]);
    },
    120_000,
  );

  it.skipIf(!hasData || isExact)(
    "gives the same bytes and figures when it is run twice",
    async () => {
      const outs = [temporaryFolder(), temporaryFolder()];
      const written = [];
      for (const out of outs) written.push(await runNotebook(file, { scale: "smoke", out }));
      expect(written.map(({ failure }) => failure)).toEqual([undefined, undefined]);
      const [first, second] = written.map(({ written }) => readFileSync(written, "utf8"));
      expect(first).toBe(second);
      const [figures, again] = outs.map((out) => readdirSync(join(out, "figures")).sort());
      expect(figures!.length).toBeGreaterThan(0);
      expect(figures).toEqual(again);
      for (const figure of figures!.filter((figure) => figure.endsWith(".svg"))) {
        expect(readFileSync(join(outs[0]!, "figures", figure), "utf8"), figure).toContain("smoke scale");
      }
      const differing = figures!.filter((figure) => {
        const [one, other] = outs.map((out) => readFileSync(join(out, "figures", figure)));
        return !one!.equals(other!);
      });
      expect(differing).toEqual([]);
    },
    600_000,
  );

  it.skipIf(!isExact || !jupyter)(
    "gives the same outputs through Jupyter's nbconvert",
    async () => {
      const out = temporaryFolder();
      await installKernel(out);
      const command = ["nbconvert", "--to", "notebook", "--execute", file, "--output-dir", out];
      const env = { ...process.env, JUPYTER_DATA_DIR: out, JUPYTER_PATH: out };
      const { status, stderr } = spawnSync(jupyter!, command, { env, encoding: "utf8" });
      expect(status, stderr).toBe(0);
      expect(codeOutputs(await readNotebook(join(out, name)))).toEqual(codeOutputs(await readNotebook(file)));
    },
    120_000,
  );
});
