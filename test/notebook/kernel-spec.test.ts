import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installKernel, readNotebook, runNotebook } from "thoughtbook/notebook";
import { describe, expect, it } from "vitest";
import { codeOutputs, findJupyter, temporaryFolder, writeCells } from "./helpers.js";

const jupyter = findJupyter();

describe("installKernel", () => {
  it("writes a kernel of which every file exists", async () => {
    const folder = temporaryFolder();
    const file = await installKernel(folder);
    expect(file).toBe(join(folder, "kernels", "tslab", "kernel.json"));
    const { argv, language } = JSON.parse(readFileSync(file, "utf8"));
    expect(language).toBe("typescript");
    expect(argv.at(-1)).toBe("{connection_file}");
    expect(existsSync(argv[0]) && existsSync(argv[1])).toBe(true);
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
});
