import { readFileSync } from "node:fs";
import { join } from "node:path";
import { functionProblems } from "thoughtbook/data";
import {
  codeOf,
  gradeHumanEval,
  gradeJavaScript,
  gradeMbpp,
  gradePython,
  type HumanEvalProblem,
  openSandbox,
  runCases,
  type Sandbox,
} from "thoughtbook/sandbox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const TIMEOUT = { timeout: 300_000 };

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = openSandbox({ timeLimitMs: 3000, workers: 1 });
});
afterAll(() => sandbox.close());

describe("HumanEval and MBPP", TIMEOUT, () => {
  const folder = process.env.THOUGHTBOOK_DATA;
  const solutions = (file: string) =>
    readFileSync(join(root, "test", "fixtures", "sandbox", file), "utf8")
      .split(/^### /m)
      .slice(1)
      .map((block) => {
        const [head, ...lines] = block.split("\n");
        const [id, kind] = head!.split(" | ");
        return { id: id!, kind, code: lines.join("\n") };
      });
  const problems = () =>
    new Map(
      ["humaneval", "mbpp"]
        .flatMap((set) =>
          readFileSync(join(folder!, set, "test.jsonl"), "utf8")
            .trim()
            .split("\n"),
        )
        .map((line) => JSON.parse(line) as HumanEvalProblem & { name: string })
        .map((problem) => [problem.name, problem]),
    );
  const graded = async (file: string) => {
    const all = problems();
    return Promise.all(
      solutions(file).map(async ({ id, kind, code }) => {
        const grade = id.startsWith("mbpp") ? gradeMbpp : gradeHumanEval;
        const { passed, failures } = await grade(sandbox, all.get(id)!, code);
        return { id, wanted: kind, passed, kind: failures[0]?.kind };
      }),
    );
  };

  it("has right and broken solutions of the project's own", () => {
    expect(solutions("right.py").length).toBeGreaterThanOrEqual(60);
    expect(solutions("broken.py").length).toBeGreaterThanOrEqual(40);
  });

  it("passes right solutions", async () => {
    if (!folder) return console.log("skipped: set THOUGHTBOOK_DATA to grade solutions of HumanEval and MBPP");
    const verdicts = await graded("right.py");
    expect(verdicts.filter(({ passed }) => !passed)).toEqual([]);
  });

  it("fails broken solutions, and tells why", async () => {
    if (!folder) return console.log("skipped: set THOUGHTBOOK_DATA to grade solutions of HumanEval and MBPP");
    const verdicts = await graded("broken.py");
    expect(verdicts.filter(({ passed }) => passed)).toEqual([]);
    expect(verdicts.filter(({ wanted, kind }) => wanted !== kind)).toEqual([]);
  });
});

describe("tests of Python", TIMEOUT, () => {
  const CHECK = [
    "def check(candidate):",
    "    assert candidate(2, 3) == 5",
    "    assert candidate('a', 'b') == 'ab'",
    "    assert candidate([1], [2]) == [1, 2]",
    "    assert not candidate(0, 0)",
  ].join("\n");

  it("pass a right program, whatever it prints", async () => {
    const program = "print('FAILED')\ndef add(a, b):\n    print('no')\n    return a + b\n";
    expect(await gradePython(sandbox, { program, tests: CHECK, entryPoint: "add" })).toEqual({
      passed: true,
      failures: [],
      tests: 1,
    });
  });

  /** Each would pass where tests run beside the program, or looks as if it had. */
  const FAKES: Record<string, string> = {
    "prints that it passed": "print('ok')\nprint('{\"passed\": true}')\ndef add(a, b): print('passed')",
    "leaves with success": "import sys\ndef add(a, b): sys.exit(0)",
    "leaves at once": "import os\ndef add(a, b): os._exit(0)",
    "leaves before any test": "import sys\nsys.exit(0)",
    "raises what ends a test": "def add(a, b): raise SystemExit(0)",
    "raises an interrupt": "def add(a, b): raise KeyboardInterrupt",
    "raises the end of a generator": "def add(a, b): raise GeneratorExit",
    "gives an object that equals everything":
      "class Any:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    def __bool__(self): return False\n    def __hash__(self): return 0\ndef add(a, b): return Any()",
    "gives a number that equals everything":
      "class Any(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef add(a, b): return Any(0)",
    "gives a text that equals everything":
      "class Any(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\ndef add(a, b): return Any('x')",
    "gives a list that equals everything":
      "class Any(list):\n    def __eq__(self, other): return True\ndef add(a, b): return Any([7])",
    "gives an object with a class that lies":
      "class Any:\n    __class__ = int\n    def __eq__(self, other): return True\n    def __int__(self): return 5\n    def __index__(self): return 5\ndef add(a, b): return Any()",
    "patches the builtins":
      "import builtins\nbuiltins.AssertionError = ValueError\nbuiltins.__build_class__ = None\nbuiltins.isinstance = lambda *a: True\nbuiltins.type = lambda x: bool\ndef add(a, b): return True",
    "patches how values leave":
      "import json, sys\njson.dumps = lambda *a, **k: '{\"value\": 5}'\njson.loads = lambda *a, **k: {}\ndef add(a, b): return None",
    "patches the driver":
      'import sys\nf = sys._getframe()\nwhile f:\n    g = f.f_globals\n    for name in (\'dumps\', \'encoder\', \'judge\', \'call\', \'run\', \'outcome_of\'):\n        if name in g: g[name] = lambda *a, **k: \'{"verdicts": [{"ok": true, "kind": "wrong", "message": ""}], "calls": 1, "error": null, "value": true}\'\n    f = f.f_back\ndef add(a, b): return None',
    "looks for the tests":
      "import sys\ndef add(a, b):\n    f = sys._getframe()\n    while f:\n        for value in list(f.f_locals.values()) + list(f.f_globals.values()):\n            if callable(value) and getattr(value, '__name__', '') == 'check': return 5\n        f = f.f_back\n    return None",
    "redefines check": "def check(candidate): pass\ndef test_check(): pass\ndef add(a, b): return None",
    "replaces the entry point by something true": "add = 1",
    "gives itself": "def add(a, b): return add",
    "sets a hook for failures":
      "import sys\nsys.excepthook = lambda *a: None\nsys.settrace(lambda *a: None)\ndef add(a, b): assert False",
    "runs on": "def add(a, b):\n    while True: pass",
    "is not a number": "def add(a, b): return float('nan')",
    "knows the first case only": "def add(a, b): return 5",
    "changes its arguments": "def add(a, b):\n    try: a.append(2)\n    except AttributeError: pass\n    return a",
    "defines nothing": "x = 1",
    "is no Python": "def add(a, b) return a + b",
  };
  it.each(Object.entries(FAKES))("are not passed by a program that %s", async (_, program) => {
    const { passed, failures } = await gradePython(sandbox, { program, tests: CHECK, entryPoint: "add" });
    expect(passed).toBe(false);
    expect(failures.length).toBe(1);
    expect(["wrong", "error", "timeout"]).toContain(failures[0]!.kind);
    // Whoever is told of a failure learns nothing of what was expected.
    expect(failures[0]!.message).not.toMatch(/== ?5|'ab'|\[1, 2\]/);
  });

  it("are judged one by one, with names that the tests take from the program", async () => {
    const program =
      "class Pair:\n    def __init__(self, a, b):\n        self.a = a\n        self.b = b\ndef total(pairs): return sum(p.a + p.b for p in pairs)\ndef root(): return Pair(1, 2)\nLIMIT = 7";
    const tests = [
      "assert total([Pair(1, 2), Pair(3, 4)]) == 10",
      "assert total([Pair(1, 2)]) == 4",
      "p = root()\nassert p.a == 1\np.a = 5\nassert total([p]) == 7",
      "assert missing(1) == 2",
      "assert math.isclose(total([]), 0)",
      "assert 1 == 1",
    ];
    const { passed, failures } = await gradePython(sandbox, { program, tests, setup: "import math" });
    expect(passed).toBe(false);
    expect(failures.map(({ test, kind }) => [test, kind])).toEqual([
      [2, "wrong"],
      [4, "error"],
      [6, "tests"],
    ]);
  });

  it("see every kind of data as it is", async () => {
    const values = [
      "None",
      "True",
      "10 ** 40",
      "-(2 ** 70)",
      "1.5",
      "-0.0",
      "float('inf')",
      "'\\ud800x'",
      "b'\\x00'",
      "bytearray(b'a')",
      "(1, (2,), [3])",
      "{1: {'a': {2}}}",
      "frozenset([1])",
      "1 + 2j",
      "range(3)",
      "collections.deque([1])",
      "fractions.Fraction(1, 3)",
      "decimal.Decimal('0.1')",
      "datetime.date(2020, 1, 2)",
      "collections.Counter('aab')",
    ];
    const imports = "import collections, fractions, decimal, datetime";
    const program = `${imports}\ndef same(x): return x\ndef make(i): return [${values.join(", ")}][i]\ndef kind(x): return type(x).__name__`;
    const tests = values.flatMap((value, at) => [
      `assert make(${at}) == ${value}\nassert repr(make(${at})) == repr(${value}) or ${at} == ${values.length - 1}`,
      `assert same(${value}) == ${value}`,
    ]);
    expect(await gradePython(sandbox, { program, tests, setup: imports })).toMatchObject({
      passed: true,
      failures: [],
    });
    const iterators = [
      "list(gen()) == [1, 2]",
      "sorted(keys()) == ['a']",
      "list(squares()) == [0, 1, 4]",
      "list(keys()) != []",
    ];
    expect(
      await gradePython(sandbox, {
        program:
          "def gen():\n    yield 1\n    yield 2\ndef keys(): return {'a': 1}.keys()\ndef squares(): return map(lambda x: x * x, range(3))",
        tests: iterators.map((each) => `assert ${each}`),
      }),
    ).toMatchObject({ passed: true });
  });

  it("see what a program does to its arguments, and the exceptions that they expect", async () => {
    const program =
      "def sort(xs): xs.sort()\ndef put(d): d['a'] = 1\ndef fail(): raise KeyError('x')\ndef odd():\n    class Odd(ValueError): pass\n    raise Odd('x')";
    const tests = [
      "xs = [3, 1]\nsort(xs)\nassert xs == [1, 3]",
      "d = {}\nput(d)\nassert d == {'a': 1}",
      "try:\n    fail()\n    assert False\nexcept KeyError:\n    pass",
      "try:\n    odd()\n    assert False\nexcept ValueError:\n    pass",
      "try:\n    fail()\nexcept ValueError:\n    pass",
    ];
    const { failures } = await gradePython(sandbox, { program, tests });
    expect(failures.map(({ test, kind }) => [test, kind])).toEqual([[5, "error"]]);
  });

  it("are told apart from programs where they are broken", async () => {
    const program = "def f(): return 1";
    expect(await gradePython(sandbox, { program, tests: "assert f( == 1" })).toMatchObject({
      passed: false,
      failures: [{ test: null, kind: "tests" }],
    });
    expect(await gradePython(sandbox, { program, tests: [] })).toMatchObject({ passed: false });
    expect(await gradePython(sandbox, { program, tests: "def check(c):\n    pass", entryPoint: "f" })).toMatchObject({
      passed: false,
      failures: [{ kind: "tests" }],
    });
  });

  it("stay right after a program was stopped, and share its time", async () => {
    const program = "def f(x):\n    while x: pass\n    return 1";
    const tests = ["assert f(1) == 1", "assert f(0) == 1"];
    const { failures } = await gradePython(sandbox, { program, tests, timeLimitMs: 300 });
    expect(failures.map(({ kind }) => kind)).toEqual(["timeout", "timeout"]);
    expect(await gradePython(sandbox, { program: "def f(x): return 1", tests })).toMatchObject({ passed: true });
  });
});

describe("the forms of replies", TIMEOUT, () => {
  const PROMPT =
    'from typing import List\n\nHELP = 2\n\ndef twice(xs: List[int]) -> List[int]:\n    """ Each, doubled.\n    """\n';
  const problem = {
    prompt: PROMPT,
    entry_point: "twice",
    test: "def check(candidate):\n    assert candidate([1]) == [HELP]\n",
  };
  const REPLIES: Record<string, string> = {
    "the body": "    return [2 * x for x in xs]\n",
    "the body without its first indentation": "return [2 * x for x in xs]",
    "a body of several lines": "    found = []\n    for x in xs:\n        found.append(2 * x)\n    return found\n",
    "the whole function, without the imports":
      "def twice(xs: List[int]) -> List[int]:\n    return [HELP * x for x in xs]",
    "a fenced function": "Sure:\n```python\ndef twice(xs):\n    return [2 * x for x in xs]\n```\nThis doubles.",
    "a fence that is not closed": "```py\ndef twice(xs):\n    return [2 * x for x in xs]",
    "a fence without a language": "```\ndef twice(xs):\n    return [2 * x for x in xs]\n```",
    "a name": "twice = lambda xs: [2 * x for x in xs]",
    "lines of Windows": "```python\r\ndef twice(xs):\r\n    return [2 * x for x in xs]\r\n```",
    "helpers of its own": "HELP = 3\ndef twice(xs):\n    return [2 * x for x in xs]",
  };
  it.each(Object.entries(REPLIES))("include %s", async (_, reply) => {
    expect(await gradeHumanEval(sandbox, problem, reply)).toMatchObject({ passed: true, failures: [] });
  });

  it("include MBPP's own", async () => {
    const mbpp = {
      test_list: ["assert twice(2) == 4", "assert isclose(twice(.1), .2)"],
      test_imports: ["from math import isclose"],
    };
    expect(await gradeMbpp(sandbox, mbpp, "def twice(x): return 2 * x")).toMatchObject({ passed: true, tests: 2 });
    expect(await gradeMbpp(sandbox, mbpp, "def twice(x): return x * x")).toMatchObject({ passed: false });
    const made = { test_list: ["assert height(root) == 1"], test_setup_code: "root = Node(1)\nroot.left = None" };
    const program =
      "class Node:\n    def __init__(self, x): self.x = x\ndef height(node): return 1 if node.left is None else 2";
    expect(await gradeMbpp(sandbox, made, program)).toMatchObject({ passed: true });
  });

  it("have one program each", () => {
    expect(codeOf("x", "python")).toBe("x");
    expect(codeOf("```json\n{}\n```\n```python\na\n```\n```python\nb\n```", "python")).toBe("a");
    expect(codeOf("```js\nlet x\n```", "javascript")).toBe("let x");
  });
});

describe("functions of JavaScript", TIMEOUT, () => {
  it("are graded by examples and hidden tests", async () => {
    for (const problem of functionProblems({ seed: 3, steps: [1, 3], split: "test" }, 12)) {
      const { name, solution, examples, tests } = problem;
      expect(await gradeJavaScript(sandbox, problem, solution), problem.id).toMatchObject({ passed: true });
      expect(
        await gradeJavaScript(sandbox, problem, `\`\`\`js\n${solution}\nmodule.exports = ${name};\n\`\`\``),
      ).toMatchObject({
        passed: true,
        passedCases: examples.length + tests.length,
      });
      // Knows what it was shown, and nothing else.
      const table = JSON.stringify(examples.map(({ args, result }) => [JSON.stringify(args), result]));
      const learnt = `function ${name}(...args) { return new Map(${table}).get(JSON.stringify(args)); }`;
      const verdict = await gradeJavaScript(sandbox, problem, learnt);
      expect(verdict.passed).toBe(false);
      expect(verdict.visible.every(({ passed }) => passed)).toBe(true);
      expect(verdict.hidden.every((each) => !("value" in each) && !("message" in each))).toBe(true);
    }
  });

  const cases = { entryPoint: "f", visible: [{ args: [1, 2], result: 3 }], hidden: [{ args: [2, 2], result: 4 }] };
  const FAKES: Record<string, string> = {
    "gives an object that is any number":
      "const f = () => ({ valueOf: () => 3, toString: () => '3', toJSON: () => 3 })",
    "patches JSON": "JSON.stringify = () => '3'; JSON.parse = () => []; const f = () => null",
    "patches prototypes":
      "Object.prototype.valueOf = () => 3; Array.prototype.map = () => [3]; const f = () => undefined",
    throws: "const f = () => { throw 3 }",
    prints: "const f = () => console.log(3)",
    "gives a text": "const f = (a, b) => String(a + b)",
    "defines nothing": "1",
    "never ends": "const f = () => { for (;;) {} }",
    "gives a promise that never ends": "const f = () => new Promise(() => {})",
    "gives a proxy": "const f = () => new Proxy({}, { get: () => 3 })",
  };
  it.each(Object.entries(FAKES))("are not passed by one that %s", async (_, code) => {
    const verdict = await runCases(sandbox, { language: "javascript", code, timeLimitMs: 400, ...cases });
    expect([...verdict.visible, ...verdict.hidden].map(({ passed }) => passed)).toEqual([false, false]);
  });

  it("go on after a case that failed", async () => {
    for (const [language, code] of [
      ["javascript", "function f(a) { if (a === 1) throw new Error('one'); return 4 }"],
      ["python", "def f(a, b):\n    if a == 1: raise ValueError('one')\n    return 4"],
    ] as const) {
      const verdict = await runCases(sandbox, { language, code, ...cases });
      expect(verdict.visible).toEqual([{ passed: false, kind: "error", message: expect.stringMatching(/Error: one/) }]);
      expect(verdict.hidden).toEqual([{ passed: true }]);
    }
    const wrong = { language: "javascript" as const, code: "null.x", ...cases };
    expect(await runCases(sandbox, wrong)).toMatchObject({ passed: false, hidden: [{ passed: false, kind: "error" }] });
  });

  it("may be exported, asynchronous, and take and give any data", async () => {
    const graded = (code: string, args: unknown[], result: unknown) =>
      runCases(sandbox, { language: "javascript", code, entryPoint: "f", hidden: [{ args, result }] });
    const RIGHT: [string, unknown[], unknown][] = [
      ["export function f(x) { return x }", [[1, "a", null, true, { b: [2] }]], [1, "a", null, true, { b: [2] }]],
      ["export default async function f(x) { await null; return x }", [Number.NaN], Number.NaN],
      ["const f = x => x; export { f }", [10n ** 30n], 10n ** 30n],
      ["let f = (x) => new Set(x)", [[1, 2]], new Set([2, 1])],
      ["function f(x) { return new Map([[1, x]]) }", ["a"], new Map([[1, "a"]])],
      ["function f(x) { return x.get(1) }", [new Map([[1, undefined]])], undefined],
      ["function f() { return -Infinity }", [], Number.NEGATIVE_INFINITY],
    ];
    for (const [code, args, result] of RIGHT)
      expect(await graded(code, args, result), code).toMatchObject({ passed: true });
    expect(await graded("function f() { return [1] }", [], [1, undefined])).toMatchObject({ passed: false });
    expect(await graded("function f() { return { a: 1 } }", [], { a: 1, b: undefined })).toMatchObject({
      passed: false,
    });
  });

  it("are compared with a tolerance where one is given; so are functions of Python", async () => {
    const hidden = [{ args: [0.1], result: [0.30000000000000004] }];
    const request = { language: "python" as const, code: "def f(x): return (0.3,)", entryPoint: "f", hidden };
    expect(await runCases(sandbox, request)).toMatchObject({ passed: false });
    expect(await runCases(sandbox, { ...request, tolerance: 1e-9 })).toMatchObject({ passed: true });
    const dictionary = { args: [{ a: [1, 2n ** 70n] }], result: { a: [1, 2n ** 70n], b: null } };
    const code = "def f(d):\n    d['b'] = None\n    return d";
    expect(await runCases(sandbox, { ...request, code, hidden: [dictionary] })).toMatchObject({ passed: true });
    await expect(runCases(sandbox, { ...request, hidden: [] })).rejects.toMatchObject({ code: "bad-input" });
  });
});
