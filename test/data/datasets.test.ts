import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeLoaded, loadGsm8k, loadGsm8kOrSample, loadSample, locateSplit } from "thoughtbook/data";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

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
    expect(await loadGsm8k("test")).toMatchObject({ origin: "cache", problems: [{ id: "test/0" }] });
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
    writeFileSync(path, `${ROW}\n{"question": 1}\n${ROW}\n${ROW.slice(0, 20)}`);
    const loaded = await loadGsm8k("test", { path });
    expect(loaded.problems.map(({ id }) => id)).toEqual(["test/0", "test/2"]);
    expect(loaded.malformed.map(({ line }) => line)).toEqual([2, 4]);
    expect(describeLoaded(loaded)).toBe("2 problems of GSM8K test; 2 malformed lines left out (2, 4)");
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
