import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeLoaded, loadGsm8k, loadGsm8kOrSample, loadSample, locateSplit } from "thoughtbook/data";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

const ROW = JSON.stringify({ question: "q", answer: "<<1+1=2>>2\n#### 2" });

describe("locateSplit", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-data-"));
    for (const place of ["data", "cache/datasets"]) {
      mkdirSync(join(folder, place, "gsm8k"), { recursive: true });
      writeFileSync(join(folder, place, "gsm8k", "test.jsonl"), `${ROW}\n`);
    }
    writeFileSync(join(folder, "own.jsonl"), `${ROW}\n${ROW}\n`);
    vi.stubEnv("THOUGHTBOOK_CACHE", join(folder, "cache"));
    vi.stubEnv("THOUGHTBOOK_DATA", join(folder, "data"));
    // A proxy that refuses every connection: no network.
    vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:9");
    vi.stubEnv("https_proxy", "http://127.0.0.1:9");
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it("takes an explicit path, then the folder, then the cache", async () => {
    const locate = async (options = {}) => (await locateSplit("gsm8k", "test", options)).origin;
    expect(await locate({ path: join(folder, "own.jsonl") })).toBe("path");
    expect(await locate()).toBe("folder");
    vi.stubEnv("THOUGHTBOOK_DATA", "");
    expect(await locate()).toBe("cache");
    const own = await loadGsm8k("test", { path: join(folder, "own.jsonl") });
    expect(own).toMatchObject({ origin: "path", problems: [{ id: "test/0" }, { id: "test/1" }] });
  });

  it("names the command that downloads where there is no network", async () => {
    const missing = loadGsm8k("train");
    await expect(missing).rejects.toThrow(/gsm8k train is not at hand and could not be downloaded/);
    await missing.catch((error) =>
      expect(error.hint).toMatch(/npx thoughtbook data download gsm8k --split train.*THOUGHTBOOK_DATA/),
    );
  }, 60_000);

  it("falls back to the sample and says so, unless the real data are asked for", async () => {
    const loaded = await loadGsm8kOrSample("train");
    expect(loaded.origin).toBe("sample");
    expect(describeLoaded(loaded)).toMatch(/^\d+ problems of the project's own sample; GSM8K is not at hand/);
    vi.stubEnv("THOUGHTBOOK_SAMPLE", "never");
    await expect(loadGsm8kOrSample("train")).rejects.toThrow(/not at hand/);
  }, 60_000);

  it.each([
    ["gsm9k", "test", 'there is no data set "gsm9k"; known are gsm8k'],
    ["gsm8k", "dev", 'gsm8k has no split "dev"; it has train, test, train_socratic, test_socratic'],
  ])("knows no %s %s", async (name, split, message) => {
    await expect(locateSplit(name, split)).rejects.toThrow(message);
  });

  it("names a path that does not exist", async () => {
    await expect(locateSplit("gsm8k", "test", { path: join(folder, "none.jsonl") })).rejects.toThrow(
      /there is no file .*none/,
    );
  });

  it("counts malformed rows and names their lines", async () => {
    const path = join(folder, "bad.jsonl");
    writeFileSync(path, `${ROW}\n{"question": 1}\n${ROW}\nno JSON\n`);
    const loaded = await loadGsm8k("test", { path });
    expect(loaded.problems.map(({ id }) => id)).toEqual(["test/0", "test/2"]);
    expect(loaded.malformed.map(({ line }) => line)).toEqual([2, 4]);
    expect(describeLoaded(loaded)).toBe("2 problems of GSM8K test; 2 malformed lines left out (2, 4)");
  });
});

describe("a truncated file", () => {
  it("is an error that names the line and the next step", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thoughtbook-data-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "cut.jsonl");
    writeFileSync(path, `${ROW}\n${ROW.slice(0, 20)}`);
    const loading = loadGsm8k("test", { path });
    await expect(loading).rejects.toThrow(`${path} ends in the middle of a record at line 2`);
    await loading.catch(({ hint }) => expect(hint).toMatch(/^Download or produce the file again/));
  });

  it("that lacks whole rows is one too, where the data set says how many there are", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thoughtbook-data-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, "gsm8k"));
    writeFileSync(join(folder, "gsm8k", "test.jsonl"), `${ROW}\n`);
    await expect(loadGsm8k("test", { folder })).rejects.toThrow(/gsm8k.test\.jsonl holds 1 row; GSM8K test has 1,319/);
  });
});

describe("the sample", () => {
  it("has at least 60 problems, whose steps produce their answers exactly", async () => {
    const { problems, malformed } = await loadSample();
    expect(problems.length).toBeGreaterThanOrEqual(60);
    expect(malformed).toEqual([]);
    expect(new Set(problems.map(({ question }) => question)).size).toBe(problems.length);
  });
});
