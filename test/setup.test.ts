import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, temporaryFolder } from "./notebook/helpers.js";

/** A project with one source file, set up with the packages of this one. */
function smallProject(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "lib", "core"), { recursive: true });
  for (const file of [
    "lib/setup.mjs",
    "lib/declarations.mjs",
    "lib/bin.mjs",
    "tsconfig.json",
    "package.json",
    "package-lock.json",
    "lib/package.json",
  ]) {
    copyFileSync(join(root, file), join(folder, file));
    utimesSync(join(folder, file), 0, 0);
  }
  writeFileSync(join(folder, "lib", "core", "index.ts"), "export const one = 1;\n");
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  return folder;
}

function setUp(folder: string) {
  const { npm_execpath: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [join(folder, "lib", "setup.mjs")], { env, encoding: "utf8" });
  return { status, stderr };
}

describe("set-up", () => {
  it("compiles the library when its sources changed, and only then", () => {
    const folder = smallProject();
    expect(setUp(folder)).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^Compiling the library …\n.*done/),
    });
    expect(existsSync(join(folder, "lib", "dist", "core", "index.js"))).toBe(true);
    expect(setUp(folder)).toEqual({ status: 0, stderr: "" });
    writeFileSync(join(folder, "lib", "core", "index.ts"), "export const one = 2;\n");
    expect(setUp(folder).stderr).toMatch(/^Compiling the library/);
  });

  it("stops at an error of the compiler, and tries again the next time", () => {
    const folder = smallProject();
    writeFileSync(join(folder, "lib", "core", "index.ts"), 'export const one: number = "1";\n');
    for (let run = 0; run < 2; run++) {
      expect(setUp(folder)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/TS2322[\s\S]*Compiling the library: failed/),
      });
    }
  });

  it("installs packages when a manifest is newer than the last installation", () => {
    const folder = smallProject();
    const later = Date.now() / 1000 + 60;
    utimesSync(join(folder, "package-lock.json"), later, later);
    expect(setUp(folder)).toEqual({
      status: 1,
      stderr: "Run this through npm: npm run setup, npm start, npm test or npm run book.\n",
    });
  });

  it("is done by the command where it was not, and where a source changed, was added or removed", () => {
    const folder = smallProject();
    const cli = join(folder, "lib", "cli");
    mkdirSync(cli);
    writeFileSync(join(cli, "main.ts"), 'import { one } from "../core/index.js";\nconsole.log(one);\n');
    const command = () => {
      const { stdout, stderr } = spawnSync(process.execPath, [join(folder, "lib", "bin.mjs")], { encoding: "utf8" });
      return { stdout, compiles: /^Compiling the library/.test(stderr) };
    };
    expect(command()).toEqual({ stdout: "1\n", compiles: true });
    expect(command()).toEqual({ stdout: "1\n", compiles: false });
    writeFileSync(join(folder, "lib", "core", "index.ts"), "export const one = 2;\n");
    expect(command()).toEqual({ stdout: "2\n", compiles: true });
    writeFileSync(join(cli, "more.ts"), "export const more = 1;\n");
    expect(command().compiles).toBe(true);
    rmSync(join(cli, "more.ts"));
    expect(command().compiles).toBe(true);
    expect(existsSync(join(folder, "lib", "dist", "cli", "more.js"))).toBe(false);
    // Touched, but the same: looked at once, and compiled no more.
    const later = Date.now() / 1000 + 1;
    utimesSync(join(cli, "main.ts"), later - 1, later - 1);
    expect(command()).toEqual({ stdout: "2\n", compiles: false });
  });

  it("is named by the command where packages are not installed", () => {
    const folder = smallProject();
    rmSync(join(folder, "node_modules"));
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "lib", "bin.mjs")], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "error: the library is not compiled and its packages are not installed. Run `npm run setup`.\n",
    });
  });
});
