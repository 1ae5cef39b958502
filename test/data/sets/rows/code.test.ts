import { describe, expect, it } from "vitest";
import { loadRows } from "../../helpers.js";

const multiplE = {
  name: "Set_1_twice",
  language: "py",
  prompt: 'def twice(n: int) -> int:\n    """Double."""\n',
  entry_point: "twice",
  test: "def check(candidate):\n    assert candidate(2) == 4\n\ncheck(twice)\n",
};

describe("humaneval", () => {
  it("is read in MultiPL-E's layout", async () => {
    const { name, prompt, test } = multiplE;
    expect((await loadRows("humaneval", [multiplE])).records).toEqual([
      { id: `humaneval/test/${name}`, kind: "code", prompt, entryPoint: "twice", tests: test, language: "python" },
    ]);
  });

  it("is read in the original layout, whose tests wait for a call", async () => {
    const row = {
      task_id: "HumanEval/0",
      prompt: "def twice(n):\n",
      canonical_solution: "    return 2 * n\n",
      test: "def check(candidate):\n    assert candidate(2) == 4\n",
      entry_point: "twice",
    };
    expect((await loadRows("humaneval", [row], "openai")).records).toEqual([
      {
        id: "humaneval/openai/HumanEval/0",
        kind: "code",
        prompt: row.prompt,
        entryPoint: "twice",
        tests: "def check(candidate):\n    assert candidate(2) == 4\n\ncheck(twice)\n",
        language: "python",
        reference: "def twice(n):\n    return 2 * n\n",
      },
    ]);
  });
});

describe("mbpp", () => {
  const original = {
    task_id: 11,
    code: "def helper(n):\n  return n\ndef twice(n):\n  return 2 * helper(n)",
    test_list: ["assert twice(2) == 4", "assert twice(0) == 0"],
  };

  it("is read in MultiPL-E's layout", async () => {
    expect((await loadRows("mbpp", [multiplE])).records).toMatchObject([{ id: "mbpp/test/Set_1_twice" }]);
  });

  it("is read in the original layouts: the function is the one that the tests call", async () => {
    const { records } = await loadRows("mbpp", [
      { ...original, text: "Write twice.", test_setup_code: "", challenge_test_list: [] },
      { ...original, task_id: 12, prompt: "Write twice.", test_imports: ["import math"] },
    ]);
    const record = { kind: "code", prompt: "Write twice.", entryPoint: "twice", language: "python" };
    const tests = "assert twice(2) == 4\nassert twice(0) == 0\n";
    expect(records).toEqual([
      { id: "mbpp/test/11", ...record, tests, reference: original.code },
      { id: "mbpp/test/12", ...record, tests: `import math\n${tests}`, reference: original.code },
    ]);
  });

  it("refuses tests that call nothing of the code", async () => {
    const rows = [
      { ...original, text: "t", test_list: ["assert other(1)"] },
      { ...original, code: "x = 1" },
    ];
    expect((await loadRows("mbpp", rows)).malformed).toEqual([
      "line 1: test_list: the first test calls no function that the code defines",
      "line 2: text: expected the task",
    ]);
  });
});
