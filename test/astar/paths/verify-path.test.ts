import { bestFirstSearch, createPathVerifier, type PathVerifierOptions } from "thoughtbook/astar";
import { describe, expect, it } from "vitest";
import { type Said, scriptedModel } from "../../operations/helpers.js";

const STEPS = ["a", "b", "c", "d"];
const prompt = (kept: readonly string[]) => `q ${kept.join("")}`;

const verifier = (
  say: (kept: string, sample: number) => Said,
  options: Partial<PathVerifierOptions> = {},
  parts: Parameters<typeof scriptedModel>[1] = {},
) => {
  const model = scriptedModel((request, sample) => say((request.prompt as string).slice(2), sample), parts);
  return { model, ...{ paths: createPathVerifier(model, { steps: STEPS, prompt, reference: "#### 7", ...options }) } };
};

describe("createPathVerifier", () => {
  it("has the model solve from the kept steps, in their order, and grades strictly", async () => {
    const says: Record<string, Said> = {
      ac: "so it is\n#### 7",
      b: "#### 8",
      cd: "The answer is 7.0.",
      d: "7 apples, I think",
      "": { text: "#### 7", finishReason: "length" },
    };
    const { paths, model } = verifier((kept) => says[kept]!);
    expect(await paths.verify([[0, 2], [1], [2, 3], [3], []])).toEqual([true, false, true, false, false]);
    expect(model.calls).toHaveLength(1);
    expect(model.calls[0]!.requests.every(({ temperature, samples }) => temperature === 0 && samples === 1)).toBe(true);
  });

  it("reads the reference from a solution", async () => {
    const options = { reference: "Half of it: \\boxed{\\frac{1}{2}}" };
    const { paths } = verifier((kept) => (kept === "a" ? "\\boxed{0.5}" : "\\boxed{\\frac{1}{3}}"), options);
    expect(await paths.verify([[0], [1]])).toEqual([true, false]);
  });

  it("asks for each path once", async () => {
    const { paths, model } = verifier((kept) => (kept.length > 1 ? "#### 7" : "#### 0"));
    expect(await paths.verify([[0], [0, 1], [0]])).toEqual([false, true, false]);
    expect(await paths.verify([[0, 1], [1]])).toEqual([true, false]);
    expect(await paths.verify([[0], [1]])).toEqual([false, false]);
    expect(model.calls.map(({ requests }) => requests.map((request) => request.prompt))).toEqual([
      ["q a", "q ab"],
      ["q b"],
    ]);
    expect(paths.asked).toBe(3);
  });

  it.each([
    { needed: 1, accepted: [false, true, true, true, true] },
    { needed: 2, accepted: [false, false, true, true, true] },
    { needed: undefined, accepted: [false, false, false, true, true] },
    { needed: 4, accepted: [false, false, false, false, true] },
  ])("accepts k of 4 samples (k = $needed)", async ({ needed, accepted }) => {
    // As many samples are right as steps are kept.
    const { paths, model } = verifier((kept, sample) => (sample < kept.length ? "#### 7" : "#### 6"), {
      samples: 4,
      needed,
      maxNewTokens: 50,
    });
    expect(await paths.verify([[], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3]])).toEqual(accepted);
    const { requests } = model.calls[0]!;
    expect(requests[0]).toMatchObject({ samples: 4, temperature: 0.6, maxNewTokens: 50 });
  });

  it("gives each path random numbers of its own, whatever stands beside it", async () => {
    const seeds = async (sets: number[][], seed?: number) => {
      const { paths, model } = verifier(() => "#### 7", { samples: 2, ...(seed === undefined ? {} : { seed }) });
      await paths.verify(sets);
      return Object.fromEntries(model.calls[0]!.requests.map((request) => [request.prompt, request.seed]));
    };
    const [first, second, third] = [await seeds([[0], [1]]), await seeds([[1], [2], [0]]), await seeds([[0]], 1)];
    expect(first["q a"]).toBe(second["q a"]);
    expect(first["q b"]).toBe(second["q b"]);
    expect(new Set([first["q a"], first["q b"], third["q a"]]).size).toBe(3);
  });

  it("rejects a path that leaves no room in the context, without asking", async () => {
    const { paths, model } = verifier(
      () => "#### 7",
      {},
      {
        contextLength: 4,
        capabilities: new Set(["text", "countTokens"]),
        countTokens: async (said) => (said as string).length,
      },
    );
    expect(await paths.verify([[0], [0, 1]])).toEqual([true, false]);
    expect(model.calls[0]!.requests).toHaveLength(1);
    expect(paths).toMatchObject({ asked: 1, tooLong: 1 });
    expect(
      await paths.verify([
        [0, 1],
        [0, 1, 2],
      ]),
    ).toEqual([false, false]);
    expect(model.calls).toHaveLength(1);
  });

  it("forgets nothing wrong when it is interrupted", async () => {
    const { paths } = verifier(() => "#### 7");
    await expect(paths.verify([[0]], { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await paths.verify([[0]])).toEqual([true]);
  });

  it("drives a search", async () => {
    const { paths } = verifier((kept) => (kept.includes("b") && kept.includes("d") ? "#### 7" : "#### 1"));
    const { kept, status } = await bestFirstSearch({
      ...{ n: 4, queue: [0, 1, 2, 3], costs: [1, 1, 1, 1], boxedSolution: true, monotone: true },
      valid: (sets) => paths.verify(sets),
    });
    expect({ kept, status }).toEqual({ kept: [1, 3], status: "accepted" });
  });

  it.each<[string, Partial<PathVerifierOptions>, string]>([
    ["no samples", { samples: 0 }, "samples is 0"],
    ["more than all", { samples: 2, needed: 3 }, "needed is 3 of 2"],
    ["several that are the same", { samples: 3, temperature: 0 }, "3 samples at temperature 0"],
  ])("refuses %s", (_, options, message) => {
    expect(() => verifier(() => "", options)).toThrow(
      expect.objectContaining({ code: "bad-input", message: expect.stringContaining(message) }),
    );
  });

  it("refuses what is no set", async () => {
    await expect(verifier(() => "").paths.verify([[4]])).rejects.toMatchObject({ code: "bad-input" });
  });
});
