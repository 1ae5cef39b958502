import { cpuUsage } from "node:process";
import { equalStrict, extractAnswer, grade, POLICIES, type Policy } from "thoughtbook/answer";
import { createRandom } from "thoughtbook/core";
import { beforeAll, describe, expect, it } from "vitest";
import { equalAot } from "../../lib/dist/answer/released/aot.js";
import { equalAstar } from "../../lib/dist/answer/released/astar-equality.js";
import { equalDots } from "../../lib/dist/answer/released/dots.js";
import { parseAnswer } from "../../lib/dist/answer/strict/parse.js";

const EQUALITY = { strict: equalStrict, astar: equalAstar, dots: equalDots, aot: equalAot };

/** What grading does to a completion: read the answer and compare it, with a reference and, where short, with itself. */
function extractAndCompare(text: string, policy: Policy): void {
  const answer = extractAnswer(text, policy);
  if (answer.ok) EQUALITY[policy](answer.value, "\\frac{x+1}{2}");
  if (answer.ok && answer.value.length < 5000) EQUALITY[policy](answer.value, answer.value);
}

/** Processor time of the slowest policy, in ms; of each the quickest of some runs, as the machine may be busy. */
function milliseconds(text: string): number {
  const quickest = POLICIES.map((policy) => {
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 5 && best > 10; run++) {
      const started = cpuUsage();
      extractAndCompare(text, policy);
      const { user, system } = cpuUsage(started);
      best = Math.min(best, (user + system) / 1000);
    }
    return best;
  });
  return Math.max(...quickest);
}

const PIECES = (
  "\\frac \\sqrt \\boxed \\boxed{ { } ( ) [ ] | \\{ \\} , ; = < > + - * / ^ _ ! % ° $ \\$ \\pi \\infty \\pm \\cup \\in \\text{ \\text{cm} " +
  "\\begin{pmatrix} \\end{pmatrix} & \\\\ \\left \\right \\sin \\log \\lfloor \\rfloor \\binom \\le \\cdot 0 1 2 3 12 1,000 0.5 .5 1e9 99999 x y e i " +
  "ab abc apples and or \\ \n é 𝟙 # #### answer_is: The_answer_is <answer> </answer> x^2 (x+1) \\frac12 2^{10} 9^9 100! \\alpha"
).split(" ");

beforeAll(() => {
  equalStrict("\\sqrt{8}-2\\sqrt2", "0"); // Loads the algebra package.
});

describe("untrusted text", () => {
  it("of 10,000 random strings throws nowhere, takes at most 50 ms, and equals nothing where unparseable", () => {
    const random = createRandom("fuzz");
    let slowest = 0;
    for (let round = 0; round < 10_000; round++) {
      const length = 1 + random.integer(round % 100 === 0 ? 300 : 25);
      const pieces = Array.from({ length }, () => random.choice(PIECES).replace("_", " "));
      const body = pieces.join(random.integer(2) === 0 ? "" : " ");
      const text = random.integer(3) === 0 ? `so \\boxed{${body}}` : body;
      const time = milliseconds(text);
      if (time > slowest) slowest = time;
      if (time > 50) expect.fail(`${time.toFixed(0)} ms for ${JSON.stringify(text)}`);
      for (const each of [text, body]) {
        const { status, correct } = grade({ completion: each, reference: each, policy: "strict" });
        if (correct !== (status === "correct")) expect.fail(`${status} but ${correct}: ${JSON.stringify(text)}`);
        if (!parseAnswer(each).ok && equalStrict(each, each))
          expect.fail(`unparseable, equals itself: ${JSON.stringify(each)}`);
      }
    }
    console.log(`10,000 random strings under all policies: slowest ${slowest.toFixed(1)} ms`);
  }, 240_000);

  const deep = 10_000;
  const long = 1_000_000;
  it.each([
    ["(", "(".repeat(deep)],
    ["nested parentheses", `\\boxed{${"(".repeat(deep)}1${")".repeat(deep)}}`],
    ["nested braces", `\\boxed{${"{".repeat(deep)}1${"}".repeat(deep)}}`],
    ["nested fractions", `\\boxed{${"\\frac{1}{".repeat(deep)}1${"}".repeat(deep)}}`],
    ["nested roots", `\\boxed{${"\\sqrt{".repeat(deep)}2${"}".repeat(deep)}}`],
    ["short nested parentheses", `\\boxed{${"(".repeat(200)}1${")".repeat(200)}}`],
    ["minus signs", `\\boxed{${"-".repeat(1500)}1}`],
    ["powers", `\\boxed{2${"^2".repeat(500)}}`],
    ["power tower", "\\boxed{9^{9^{9^{9}}}}"],
    ["a product of large powers", `\\boxed{${"9^{300}\\cdot".repeat(70)}1}`],
    ["a sum of fractions", `\\boxed{${Array.from({ length: 90 }, (_, k) => `\\frac{1}{${k + 1009}}`).join("+")}}`],
    ["factorials", `\\boxed{${"150!+".repeat(60)}1}`],
    ["an expanding power", "\\boxed{(a+b+c+d+i)^{40}}"],
    ["bars", `\\boxed{${"|".repeat(290)}}`],
    ["list", `\\boxed{${"1;".repeat(900)}}`],
    ["plus or minus", `\\boxed{${"\\pm1,".repeat(300)}}`],
    ["1 MB of boxes", "\\boxed{".repeat(long / 7)],
    ["1 MB of braces", "{}".repeat(long / 2)],
    ["1 MB of digits", "7".repeat(long)],
    ["1 MB of spaces", `answer ${" ".repeat(long)}`],
    ["1 MB of answers", "the answer is ".repeat(long / 14)],
    ["1 MB of tags", "<answer>".repeat(long / 8)],
    ["1 MB of hashes", "#".repeat(long)],
    ["1 MB of newlines", "\n".repeat(long)],
    ["1 MB of stars", `answer${"*".repeat(long)}`],
    ["1 MB in a box", `\\boxed{${"\\text{a".repeat(long / 8)}}`],
    ["1 MB of backslashes", "\\".repeat(long)],
  ])("takes %s", (_, text) => {
    expect(milliseconds(text)).toBeLessThan(50);
    for (const policy of POLICIES) expect(grade({ completion: text, reference: "5", policy }).correct).toBe(false);
  });

  it("is graded 20,000 times a second where the answers are plain numbers", () => {
    const tasks = Array.from({ length: 20_000 }, (_, k) => ({
      completion: `We add ${k} and 1. So the result is \\boxed{${k + 1}}.`,
      reference: String(k + 1),
      policy: "strict" as const,
    }));
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 5; run++) {
      const started = performance.now();
      expect(tasks.filter((task) => !grade(task).correct)).toEqual([]);
      best = Math.min(best, performance.now() - started);
    }
    const rate = (1000 * tasks.length) / best;
    console.log(`plain numbers: ${Math.round(rate).toLocaleString("en-US")} gradings/s`);
    expect(rate).toBeGreaterThan(20_000);
  });
});
