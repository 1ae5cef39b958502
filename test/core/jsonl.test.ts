import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type JsonlIssue, openJsonlWriter, readJsonl } from "thoughtbook/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { collect, failure, temporaryFolder } from "./helpers.js";

async function fileWith(content: string | Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(), "data.jsonl");
  await writeFile(file, content);
  return file;
}

describe("readJsonl", () => {
  it("gives values with their line numbers; skips blank lines, a byte order mark and carriage returns", async () => {
    const file = await fileWith('\uFEFF{"a":1}\r\n\r\n  \n[2]\n"x\u2028y"');
    expect(await collect(readJsonl(file))).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 4, value: [2] },
      { line: 5, value: "x\u2028y" },
    ]);
  });

  it("gives nothing for an empty file", async () => {
    expect(await collect(readJsonl(await fileWith("")))).toEqual([]);
  });

  it("reads lines of many megabytes and characters that cross chunks", async () => {
    const long = "aé漢😀".repeat(700_000);
    const file = await fileWith(`${JSON.stringify(long)}\n${JSON.stringify(`b${long}`)}\n1\n`);
    const values = (await collect(readJsonl(file))).map(({ value }) => value);
    expect(values[0] === long && values[1] === `b${long}`).toBe(true);
    expect(values[2]).toBe(1);
  });

  it("keeps memory constant and is fast", async () => {
    const line = `${JSON.stringify({ id: 1, text: "x".repeat(200) })}\n`;
    const file = await fileWith(line.repeat(100_000));
    let count = 0;
    let most = 0;
    const before = process.memoryUsage().arrayBuffers;
    for await (const _ of readJsonl(file)) {
      if (++count % 1000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(count).toBe(100_000);
    expect(most).toBeLessThan(12e6); // The file has 22 MB.
  });

  it("checks values with a schema and gives its output", async () => {
    const file = await fileWith('{"id":"a","n":"3"}\n{"id":7}\n');
    const schema = z.object({ id: z.string(), n: z.coerce.number() });
    const entries = readJsonl(file, { schema });
    expect((await entries.next()).value).toEqual({ line: 1, value: { id: "a", n: 3 } });
    const error = await failure(entries.next());
    expect(error.code).toBe("corrupt-data");
    expect(error.message).toMatch(/data\.jsonl:2: id: .*string/);
  });

  it("names the file and line of malformed JSON", async () => {
    const error = await failure(collect(readJsonl(await fileWith('1\n{"a":}\n2\n'))));
    expect(error.code).toBe("corrupt-data");
    expect(error.message).toMatch(/data\.jsonl:2: invalid JSON: /);
    expect(error.hint).toBe("Correct or delete that line.");
  });

  it("names bytes that are not UTF-8", async () => {
    const error = await failure(collect(readJsonl(await fileWith(new Uint8Array([0x22, 0xff, 0x22, 0x0a])))));
    expect(error.message).toMatch(/data\.jsonl:1: not UTF-8 text$/);
  });

  it.each([
    ["a record", Buffer.from('{"a":1}\n{"a":')],
    ["a character", Buffer.from('{"a":1}\n"é').subarray(0, -1)],
  ])("recognises a file that ends in the middle of %s", async (_, content) => {
    const file = await fileWith(content);
    for (const options of [{}, { onMalformed: () => {} }]) {
      const error = await failure(collect(readJsonl(file, options)));
      expect(error.code).toBe("corrupt-data");
      expect(error.message).toMatch(/data\.jsonl ends in the middle of a record at line 2$/);
      expect(error.hint).toMatch(/Download or produce the file again, or delete that line/);
    }
  });

  it("reports malformed lines and goes on if asked to", async () => {
    const file = await fileWith('1\n{"a":}\n2\n');
    const issues: JsonlIssue[] = [];
    const entries = await collect(readJsonl(file, { onMalformed: (issue) => issues.push(issue) }));
    expect(entries.map(({ line }) => line)).toEqual([1, 3]);
    expect(issues).toEqual([{ file, line: 2, reason: expect.stringMatching(/^invalid JSON: /) }]);
  });

  it("names a missing file and a folder", async () => {
    expect(await failure(collect(readJsonl("/nowhere.jsonl")))).toMatchObject({ code: "not-found" });
    expect(await failure(collect(readJsonl("/tmp")))).toMatchObject({
      code: "file-system",
      message: "cannot read /tmp: is a folder, a file was expected",
    });
  });

  it("stops at a signal, also between the lines of one chunk", async () => {
    const file = await fileWith("1\n2\n3\n");
    expect(await failure(collect(readJsonl(file, { signal: AbortSignal.abort() })))).toMatchObject({
      code: "interrupted",
    });
    const controller = new AbortController();
    const entries = readJsonl(file, { signal: controller.signal });
    await entries.next();
    controller.abort();
    expect(await failure(entries.next())).toMatchObject({ code: "interrupted" });
  });
});

describe("openJsonlWriter", () => {
  it("makes folders, appends, and keeps what is there", async () => {
    const file = join(await temporaryFolder(), "a/b/records.jsonl");
    for (const value of [{ id: 1 }, "é"]) {
      const writer = await openJsonlWriter(file);
      expect(writer.repairedBytes).toBe(0);
      await writer.append(value);
      await writer.close();
    }
    expect(await readFile(file, "utf8")).toBe('{"id":1}\n"é"\n');
  });

  it("writes concurrent appends in the order of the calls", async () => {
    const file = join(await temporaryFolder(), "records.jsonl");
    const writer = await openJsonlWriter(file);
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`.repeat(index));
    await Promise.all(texts.map((text) => writer.append(text)));
    await writer.close();
    expect((await collect(readJsonl(file))).map(({ value }) => value)).toEqual(texts);
  });

  it("writes pending values before it closes; rejects later ones", async () => {
    const file = join(await temporaryFolder(), "records.jsonl");
    const writer = await openJsonlWriter(file);
    const pending = writer.append(1);
    await writer.close();
    await writer.close();
    await pending;
    expect(await readFile(file, "utf8")).toBe("1\n");
    expect(await failure(writer.append(2))).toMatchObject({ code: "bad-input" });
  });

  it.each([
    ["a short one", '{"id":1}\n', '{"id'],
    ["the only one", "", '{"id'],
    ["one longer than a block", '{"id":1}\n', `{"text":"${"x".repeat(200_000)}`],
    ["a number, which may be a part", '{"id":1}\n', "12"],
  ])("cuts off a partial last line: %s", async (_, whole, part) => {
    const file = await fileWith(whole + part);
    const writer = await openJsonlWriter(file);
    expect(writer.repairedBytes).toBe(part.length);
    await writer.append(2);
    await writer.close();
    expect(await readFile(file, "utf8")).toBe(`${whole}2\n`);
  });

  it("keeps a whole last record without a newline", async () => {
    const file = await fileWith('{"id":1}');
    const writer = await openJsonlWriter(file);
    expect(writer.repairedBytes).toBe(0);
    await writer.append(2);
    await writer.close();
    expect(await readFile(file, "utf8")).toBe('{"id":1}\n2\n');
  });

  it("rejects a value that JSON cannot hold, and goes on", async () => {
    const file = join(await temporaryFolder(), "records.jsonl");
    const writer = await openJsonlWriter(file);
    expect(await failure(writer.append({ reward: Number.NaN }))).toMatchObject({ code: "bad-input" });
    await writer.append(1);
    await writer.close();
    expect(await readFile(file, "utf8")).toBe("1\n");
  });

  it("names a path that cannot be written", async () => {
    const file = await fileWith("");
    expect(await failure(openJsonlWriter(join(file, "x/records.jsonl")))).toMatchObject({ code: "file-system" });
  });

  it("rejects all appends after a failed write", async () => {
    const writer = await openJsonlWriter("/dev/full");
    expect(await failure(writer.append(1))).toMatchObject({
      code: "file-system",
      message: "cannot write to /dev/full: no space left on the device",
    });
    expect(await failure(writer.append(2))).toMatchObject({ code: "file-system" });
    await writer.close();
  });

  it("leaves whole records when the process is interrupted", async () => {
    const file = join(await temporaryFolder(), "records.jsonl");
    const program = `
      import { openJsonlWriter } from "thoughtbook/core";
      const writer = await openJsonlWriter(${JSON.stringify(file)});
      for (let id = 0; ; id++) {
        await writer.append({ id, text: "x".repeat(100_000) });
        if (id === 20) console.log("ready");
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: import.meta.dirname });
    await once(child.stdout, "data");
    child.kill("SIGINT");
    await once(child, "exit");
    const entries = await collect(readJsonl<{ id: number }>(file));
    expect(entries.length).toBeGreaterThan(20);
    expect(entries.at(-1)!.value.id).toBe(entries.length - 1);
  });
});
