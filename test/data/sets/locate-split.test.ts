import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import {
  collectDataset,
  describeLoaded,
  loadGsm8k,
  loadGsm8kOrSample,
  loadSample,
  locateSplit,
  splitAtHand,
} from "thoughtbook/data";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

const ROW = JSON.stringify({ question: "q", answer: "<<1+1=2>>2\n#### 2" });

/** A zip archive with one file, stored. */
function zipOf(name: string, content: string): Buffer {
  const [fileName, data] = [Buffer.from(name), Buffer.from(content)];
  const common = Buffer.alloc(26); // From "version needed" to "extra field length".
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(fileName.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, fileName, data]);
  const central = Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 0]), common, Buffer.alloc(14), fileName]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06"), end]);
}

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

  it("finds a downloaded copy of another format", async () => {
    vi.stubEnv("THOUGHTBOOK_DATA", "");
    expect(await splitAtHand("svamp", "test")).toBeUndefined();
    const copy = join(folder, "cache", "datasets", "svamp", "SVAMP.json");
    mkdirSync(dirname(copy));
    const row = { ID: "chal-1", Body: "b.", Question: "q?", Equation: "1", Answer: 1, Type: "Sum" };
    writeFileSync(copy, JSON.stringify([row]));
    expect(await splitAtHand("svamp", "test")).toEqual({ file: copy, origin: "cache" });
    expect((await collectDataset("svamp")).records).toMatchObject([{ id: "svamp/test/chal-1", question: "b. q?" }]);
  });

  it("takes a split out of a downloaded archive, once", async () => {
    const place = join(folder, "cache", "datasets", "longbench");
    mkdirSync(place);
    const row = { input: "q", context: "c", answers: ["a"], _id: "f0" };
    writeFileSync(join(place, "data.zip"), zipOf("data/musique.jsonl", `${JSON.stringify(row)}\n`));
    const load = () => collectDataset("longbench", { split: "musique" });
    expect(await load()).toMatchObject({ origin: "download", records: [{ id: "longbench/musique/f0" }] });
    expect(await load()).toMatchObject({ origin: "cache", records: [{ id: "longbench/musique/f0" }] });
    await expect(locateSplit("longbench", "qasper")).rejects.toThrow(/data\.zip holds no data\/qasper\.jsonl$/);
    writeFileSync(join(place, "data.zip"), "no archive");
    await expect(locateSplit("longbench", "qasper")).rejects.toThrow(/cannot read the zip archive .*data\.zip: /);
  });

  it("says that a split has no public file", async () => {
    const missing = locateSplit("dots", "train");
    await expect(missing).rejects.toThrow("dots train is not at hand and has no public file to download");
    await missing.catch((error) => expect(error.hint).toMatch(/--path.* folder that holds dots\/train\.json\.$/));
  });

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
