import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { installKernel, runNotebook } from "thoughtbook/notebook";
import { describe, expect, it } from "vitest";
import { readNotebook } from "../../lib/dist/notebook/notebook-file.js";
import { codeCell, codeOutputs, findJupyter, temporaryFolder, writeCells } from "./helpers.js";

const jupyter = findJupyter();

describe("installKernel", () => {
  it("writes a kernel of which every file exists", async () => {
    const folder = temporaryFolder();
    const file = await installKernel(folder);
    expect(file).toBe(join(folder, "kernels", "thoughtbook", "kernel.json"));
    const { argv, language } = JSON.parse(readFileSync(file, "utf8"));
    expect(language).toBe("typescript");
    expect(argv.at(-1)).toBe("{connection_file}");
    expect(argv.filter((part: string) => part.startsWith("/")).map(existsSync)).toEqual([true, true]);
    // The same again, as after an update.
    expect(await installKernel(folder)).toBe(file);
  });

  it("leaves a kernel of another one alone", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "kernels", "tslab", "kernel.json");
    mkdirSync(dirname(file), { recursive: true });
    for (const text of ['{ "argv": ["tslab"] }', "not JSON"]) {
      writeFileSync(file, text);
      await installKernel(folder);
      await expect(installKernel(folder, { id: "tslab" })).rejects.toThrow(/tslab.kernel\.json is of another kernel/);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
  });

  it("takes another id", async () => {
    const folder = temporaryFolder();
    const file = await installKernel(folder, { id: "mine-2" });
    expect(file).toBe(join(folder, "kernels", "mine-2", "kernel.json"));
    for (const id of ["", "..", "a/b", "a b"]) {
      await expect(installKernel(folder, { id })).rejects.toThrow(/is no id of a kernel/);
    }
  });

  it.skipIf(!existsSync("/proc/self"))("names a folder in which none can be made", async () => {
    await expect(installKernel("/proc/none")).rejects.toThrow(/cannot write the kernel \/proc\/none/);
  });

  it("names a folder that it cannot write", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "kernels"), "");
    await expect(installKernel(folder)).rejects.toThrow(/cannot write the kernel .*kernels/);
  });

  it.skipIf(!jupyter)("gives the same outputs through Jupyter's nbconvert as through our runner", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(
      folder,
      "a.ipynb",
      "for (let i = 0; i < 3000; i++) console.log(i);",
      'import { trackProgress } from "thoughtbook/core";\nlet sum = 0;\n' +
        "for await (const i of trackProgress([1, 2], 'steps')) sum += i;\nconsole.log(sum);",
      'import { showTable } from "thoughtbook/notebook";\nshowTable({ columns: ["a"], values: [[1]] });',
    );
    await installKernel(join(folder, "jupyter"));
    const env = { ...process.env, JUPYTER_DATA_DIR: join(folder, "jupyter"), JUPYTER_PATH: join(folder, "jupyter") };
    const command = ["nbconvert", "--to", "notebook", "--execute", file, "--output", "converted.ipynb"];
    execFileSync(jupyter!, command, { env, cwd: folder, stdio: "pipe" });
    const { written } = await runNotebook(file, { scale: "standard", out: join(folder, "ours") });
    const converted = await readNotebook(join(folder, "converted.ipynb"));
    expect(codeOutputs(converted)).toEqual(codeOutputs(await readNotebook(written)));
  });

  it.skipIf(!jupyter)("shows the message of a failed cell through nbconvert", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(folder, "a.ipynb", 'throw new RangeError("no such budget");');
    await installKernel(join(folder, "jupyter"));
    const env = { ...process.env, JUPYTER_DATA_DIR: join(folder, "jupyter"), JUPYTER_PATH: join(folder, "jupyter") };
    const { status, stderr } = spawnSync(jupyter!, ["nbconvert", "--to", "notebook", "--execute", file], {
      env,
      cwd: folder,
    });
    expect(status).not.toBe(0);
    expect(stderr.toString()).toContain("RangeError: no such budget");
  });

  it.skipIf(!jupyter)(
    "runs all cells with --allow-errors, and past those tagged raises-exception in both runners",
    async () => {
      const folder = temporaryFolder();
      const cells = (tags: string[]) => [
        "const a = 1;\na",
        codeCell('const kept = 2;\nthrow new Error("meant");', tags),
        "a + kept",
        codeCell('const wrong: number = "text";', tags),
        "[{ a }]",
      ];
      await installKernel(join(folder, "jupyter"));
      const env = { ...process.env, JUPYTER_DATA_DIR: join(folder, "jupyter"), JUPYTER_PATH: join(folder, "jupyter") };
      const convert = async (file: string, ...options: string[]) => {
        execFileSync(
          jupyter!,
          ["nbconvert", "--to", "notebook", "--execute", ...options, file, "--output", "converted"],
          {
            env,
            cwd: folder,
            stdio: "pipe",
          },
        );
        return codeOutputs(await readNotebook(join(folder, "converted.ipynb")));
      };
      const tagged = await writeCells(folder, "tagged.ipynb", ...cells(["raises-exception"]));
      const { written, failure } = await runNotebook(tagged, { scale: "standard", out: join(folder, "ours") });
      expect(failure).toBeUndefined();
      const ours = codeOutputs(await readNotebook(written));
      expect(ours.map(([count]) => count)).toEqual([1, 2, 3, 4, 5]);
      expect(ours.map(([, outputs]) => (outputs as { output_type: string }[])[0]!.output_type)).toEqual([
        "execute_result",
        "error",
        "execute_result",
        "error",
        "execute_result",
      ]);
      expect(await convert(tagged)).toEqual(ours);
      expect(await convert(await writeCells(folder, "plain.ipynb", ...cells([])), "--allow-errors")).toEqual(ours);
    },
    60_000,
  );
});
