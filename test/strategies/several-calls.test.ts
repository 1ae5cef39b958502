import type { TextRequest } from "thoughtbook/llm";
import { type Attempt, runAttempts, type Strategy } from "thoughtbook/rollouts";
import {
  analogical,
  forestOfThoughts,
  leastToMost,
  selfConsistency,
  selfRefine,
  subQuestionText,
  treeOfThoughts,
} from "thoughtbook/strategies";
import type { Problem } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure } from "../core/helpers.js";
import { type Said, type ScriptedModel, scriptedModel } from "../operations/helpers.js";

const problem: Problem = {
  id: "p",
  question: "Ana has 3 pens. Ben has 4 pens. How many pens do both have?",
  kind: "gsm8k",
  references: ["7"],
};

type Chat = { messages: readonly { content: string }[]; answer?: string };
const chat = ({ prompt }: TextRequest) => prompt as Chat;
const textOf = (request: TextRequest): string =>
  chat(request)
    .messages.map(({ content }) => content)
    .join("\n");

/** The requests of all calls, by what they begin with. */
const asked = ({ calls }: ScriptedModel) => calls.flatMap(({ requests }) => requests);

async function attempted(strategy: Strategy, model: ScriptedModel): Promise<Attempt> {
  return (await runAttempts(strategy, [{ problem, sample: 0 }], { model }))[0]!;
}

const scripted = (say: (text: string, request: TextRequest, sample: number) => Said) =>
  scriptedModel((request, sample) => say(textOf(request), request, sample));

describe("self-consistency", () => {
  it("gives the answer that most samples have, each with random numbers of its own", async () => {
    const answers = ["#### 6", "#### 7", "no answer", "#### 7.0", "#### 6", "3 + 4 = 7\n#### 7"];
    let at = 0;
    const model = scripted(() => answers[at++]!);
    const attempt = await attempted(selfConsistency({ samples: 6 }), model);
    expect(attempt.trace).toMatchObject({ votes: 3 });
    expect(attempt.solution).toMatch(/#### 7/);
    expect(new Set(asked(model).map(({ seed }) => seed)).size).toBe(6);
    expect(asked(model).every(({ temperature }) => temperature === 0.7)).toBe(true);
    expect(attempt.calls).toHaveLength(6);
  });

  it("has no answer where no sample has one", async () => {
    const attempt = await attempted(
      selfConsistency({ samples: 2 }),
      scripted(() => "Well."),
    );
    expect(attempt).not.toHaveProperty("solution");
  });
});

describe("Self-Refine", () => {
  const wrong = '{"verdict": "wrong", "step": 1, "reason": "3 + 4 = 7"}';

  it("revises by what the model finds in its own solution, until it finds nothing", async () => {
    let checks = 0;
    const model = scripted((text) => {
      if (text.startsWith("Check")) return checks++ === 0 ? wrong : '{"verdict": "right"}';
      return text.startsWith("Below") ? "3 + 4 = 7\n#### 7" : "3 + 4 = 8\n#### 8";
    });
    const attempt = await attempted(selfRefine(), model);
    expect(attempt.solution).toBe("3 + 4 = 7\n#### 7");
    expect(attempt.trace).toEqual({ feedback: ["Step 1 is wrong: 3 + 4 = 7."], answers: ["8", "7"] });
    expect(asked(model).map(textOf)[2]).toMatch(/Feedback: Step 1 is wrong: 3 \+ 4 = 7\.$/);
    expect(attempt.calls.map(({ operation }) => operation)).toEqual(["cot", "verify", "revise", "verify"]);
  });

  it("keeps a solution that is called right, and one whose revision cannot be read", async () => {
    const right = await attempted(
      selfRefine(),
      scripted((text) => (text.startsWith("Check") ? '{"verdict": "right"}' : "#### 8")),
    );
    expect(right.calls).toHaveLength(2);
    const unread = await attempted(
      selfRefine({ rounds: 1 }),
      scripted((text) => (text.startsWith("Check") ? wrong : text.startsWith("Below") ? "Hm." : "3 + 4 = 8\n#### 8")),
    );
    expect(unread.solution).toBe("3 + 4 = 8\n#### 8");
    expect(unread.trace).toMatchObject({ answers: ["8", null] });
  });
});

describe("least-to-most", () => {
  it("answers the sub-questions one after the other, each with all answers before it", async () => {
    const graph = "1. How many pens does Ana have? []\n2. How many does Ben have? []\n3. How many do both have? [1, 2]";
    const model = scripted((text) => {
      if (text.startsWith("Split")) return graph;
      return text.endsWith("both have?") ? "#### 7" : text.endsWith("Ben have?") ? "#### 4" : "#### 3";
    });
    const attempt = await attempted(leastToMost(), model);
    expect(attempt.solution).toBe("#### 7");
    expect(textOf(asked(model).at(-1)!)).toMatch(
      /Ben has 4 pens\. How many pens does Ana have\? 3\. How many does Ben have\? 4\. How many do both have\?$/,
    );
    expect(model.calls).toHaveLength(4);
  });

  it("asks the question as it is without a decomposition", async () => {
    const model = scripted((text) => (text.startsWith("Split") ? "I cannot." : "#### 7"));
    const attempt = await attempted(leastToMost(), model);
    expect(attempt.trace).toEqual({ known: [], decomposed: false });
    expect(textOf(asked(model).at(-1)!)).toMatch(/Ben has 4 pens\. How many pens do both have\?$/);
  });
});

describe("analogical prompting", () => {
  it("asks for problems that are like it in the same call", async () => {
    const model = scripted(() => "A like one: 1 + 1 = 2.\n3 + 4 = 7\n#### 7");
    const attempt = await attempted(analogical(), model);
    expect(textOf(asked(model)[0]!)).toMatch(/^Recall three problems/);
    expect(attempt.solution).toMatch(/#### 7$/);
  });
});

describe("a tree of thoughts", () => {
  /** Steps by what is written: a good and a bad first step, then the answer that follows. */
  const say = (text: string, request: TextRequest, sample: number): Said => {
    if (text.startsWith("Below are a problem and the beginning"))
      return text.includes("3 + 4 = 7") ? "sure" : "impossible";
    const written = chat(request).answer ?? "";
    if (written === "") return sample === 0 ? "3 * 4 = 12" : "3 + 4 = 7";
    return written.includes("= 7") ? "#### 7" : "#### 12";
  };

  it("samples steps, values the beginnings, and goes on from the best", async () => {
    const model = scripted(say);
    const attempt = await attempted(treeOfThoughts({ width: 1, branches: 2 }), model);
    expect(attempt.text).toBe("3 + 4 = 7\n#### 7");
    expect(attempt.solution).toBe("3 + 4 = 7\n#### 7");
    const steps = asked(model).filter(({ stopStrings }) => stopStrings?.includes("\n"));
    expect(steps.map((request) => chat(request).answer ?? "")).toEqual(["", "3 + 4 = 7\n"]);
    expect(steps.map(({ samples }) => samples)).toEqual([2, 2]);
    const { nodes } = (attempt.trace as { tree: { nodes: { value: number }[] } }).tree;
    expect(nodes.map(({ value }) => value)).toEqual([0.5, 0, 1, 1]);
  });

  it("ends at empty lines, texts that were cut off, and the maximum of steps", async () => {
    for (const text of ["", { text: "3 + 4", finishReason: "length" } as const, "and on"]) {
      const attempt = await attempted(
        treeOfThoughts({ width: 1, branches: 1, steps: 3 }),
        scripted((asked) => (asked.startsWith("Below") ? "likely" : text)),
      );
      expect(attempt).not.toHaveProperty("solution");
      expect(attempt.calls.length).toBeLessThanOrEqual(6);
    }
  });

  it("votes as a forest, whose trees differ", async () => {
    const model = scripted(say);
    const attempt = await attempted(forestOfThoughts({ trees: 2, width: 1, branches: 2 }), model);
    expect(attempt.solution).toMatch(/#### 7$/);
    const first = asked(model).filter((request) => request.stopStrings && chat(request).answer === undefined);
    expect(new Set(first.map(({ seed }) => seed)).size).toBe(2);
    expect(await failure(() => forestOfThoughts({ trees: 0 }))).toMatchObject({ code: "bad-input" });
  });
});

describe("a sub-question as a question of its own", () => {
  it.each([
    ["Ana has 3. How many has she?", "How many has Ben?", "Ana has 3. How many has Ben?"],
    ["If Ana has 3 pens, how many has Ben?", "What has Ana?", "If Ana has 3 pens. What has Ana?"],
    ["How many pens are there?", "How many are red?", "How many are red?"],
    ["Ana has 3. Find the sum.", "How many?", "Ana has 3. Find the sum. How many?"],
    ["A is B.\n\nWho is C?", "Who is A?", "A is B.\n\nWho is A?"],
  ])("%j and %j", (question, sub, expected) => {
    expect(subQuestionText(question, sub, [], "gsm8k")).toBe(expected);
  });

  it("states what is known before it, and leaves options out", () => {
    const known = [{ question: "How many has Ana?", answer: "3" }];
    expect(subQuestionText("Pens cost 2. What do all cost?\n(A) 6\n(B) 8", "What cost Ana's?", known, "choice")).toBe(
      "Pens cost 2.\nHow many has Ana? 3. What cost Ana's?",
    );
  });
});
