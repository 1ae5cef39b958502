import { type InputOf, OPERATIONS, type Operation, type OperationName } from "thoughtbook/operations";
import { describe, expect, it } from "vitest";

const question = "Ana picks 12 apples. Ben picks 3 times as many apples as Ana. How many apples do they pick together?";
const solution = "Ben picks 12*3=36 apples.\nTogether they pick 12+36=48 apples.\n#### 48";

const INPUTS: { [Name in OperationName]: InputOf<Name> } = {
  answer: { question },
  cot: { question },
  think: { question },
  decompose: { question },
  contract: { question, solved: [{ question: "How many apples does Ben pick?", answer: "36" }] },
  judge: { question, answers: ["48", "36", "15"] },
  rewrite: { question },
  plan: { question },
  program: { question },
  verify: { question, solution },
  explain: { question },
  revise: { question, solution },
  code: { name: "double", parameters: ["n"], specification: "Return n times 2.", examples: [{ args: [2], result: 4 }] },
};

const parse = (name: OperationName, text: string, complete?: boolean) =>
  (OPERATIONS[name] as unknown as Operation<unknown, unknown>).parse(text, INPUTS[name], complete);

type Case = readonly [text: string, expected: unknown];
/** The texts are read as the values. */
function reads(name: OperationName, cases: readonly Case[]): void {
  it.each(cases.map(([text, expected]) => ({ text, expected })))("reads $text", ({ text, expected }) => {
    expect(parse(name, text)).toEqual({ ok: true, value: expected });
  });
}
/** The texts are not read, and the reason says why. */
function refuses(
  name: OperationName,
  cases: readonly (readonly [text: string, reason: RegExp])[],
  complete = true,
): void {
  it.each(cases.map(([text, reason]) => ({ text, reason })))("refuses $text", ({ text, reason }) => {
    expect(parse(name, text, complete)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });
}

describe("answer", () => {
  reads("answer", [
    ["#### 48", "48"],
    ["48", "48"],
    [" **48** ", "48"],
    ["48.", "48"],
    ["The answer is 48.", "48"],
    ["The answer is $\\boxed{48}$", "48"],
    ["(B)", "(B)"],
    ["Answer: 7/2", "7/2"],
    ["<think>12+36</think>\n#### 48", "48"],
  ]);
  refuses("answer", [
    ["", /empty/],
    ["   \n ", /empty/],
    ["There are many apples\nand it is hard to say", /no answer/],
    ["<think>12+36=", /thought/],
  ]);
  refuses(
    "answer",
    [
      ["#### 4", /./],
      ["48", /./],
    ],
    false,
  );
});

describe("cot", () => {
  reads("cot", [
    [solution, { reasoning: solution.slice(0, solution.indexOf("\n####")), answer: "48" }],
    ["#### 48", { reasoning: "", answer: "48" }],
    [
      "Step 1: 12*3=36\nStep 2: 36+12=48\nThe answer is 48.",
      { reasoning: "Step 1: 12*3=36\nStep 2: 36+12=48\nThe answer is 48.", answer: "48" },
    ],
    ["12*3=36, so $\\boxed{48}$.", { reasoning: "12*3=36, so $\\boxed{48}$.", answer: "48" }],
    ["12*3=36\n####48 apples", { reasoning: "12*3=36", answer: "48 apples" }],
    ["a\n#### 47\nWait, no.\n#### 48\n", { reasoning: "a\n#### 47\nWait, no.", answer: "48" }],
  ]);
  refuses("cot", [
    ["Ben picks 12*3=36 apples. Together they pick 48 apples.", /no/],
    ["a\n####", /./],
    ["####    \n", /./],
  ]);
  refuses("cot", [["Ben picks 36.\n#### 4", /./]], false);
  it("takes an answer line that was ended before the text was cut off", () => {
    expect(parse("cot", "a\n#### 48\nAnother question: Ana", false)).toMatchObject({
      ok: true,
      value: { answer: "48" },
    });
  });
});

describe("think", () => {
  const solved = { kind: "solved", thought: "12*3=36\n\n36+12=48", reasoning: "12+36=48", answer: "48" };
  reads("think", [
    ["<think>\n12*3=36\n\n36+12=48\n</think>\n12+36=48\n#### 48", solved],
    ["12*3=36\n\n36+12=48\n</think>\n\n12+36=48\n#### 48", solved],
    ["12+36=48\n#### 48", { ...solved, thought: "" }],
    ["<think></think>12+36=48\n#### 48", { ...solved, thought: "" }],
    ["<think>\n12*3=36", { kind: "cut-off", thought: "12*3=36", thoughtEnded: false, partial: "" }],
  ]);
  refuses("think", [
    ["<think>a</think>", /./],
    ["<think>a</think>I do not know.", /no/],
    ["There are 48 apples.", /no/],
  ]);
  it.each([
    [
      "<think>\n12*3=36\n\nThe answer is 4",
      { thought: "12*3=36\n\nThe answer is 4", thoughtEnded: false, partial: "" },
    ],
    [
      "12*3=36\n\nThe answer is 48.\n\nWait",
      { thought: "12*3=36\n\nThe answer is 48.\n\nWait", thoughtEnded: false, partial: "" },
    ],
    ["<think>\na\n</think>\n12+36=48\n#### 4", { thought: "a", thoughtEnded: true, partial: "12+36=48\n#### 4" }],
    ["<think>\na\n</think>", { thought: "a", thoughtEnded: true, partial: "" }],
  ])("gives a value of its own to %j, which the budget cut off", (text, value) => {
    expect(parse("think", text, false)).toEqual({ ok: true, value: { kind: "cut-off", ...value } });
  });
});

describe("decompose", () => {
  const [first, second, third] = [
    "How many apples does Ana pick?",
    "How many apples does Ben pick?",
    "How many apples do they pick together?",
  ];
  const graph = [
    { question: first, dependsOn: [] },
    { question: second, dependsOn: [0] },
    { question: third, dependsOn: [0, 1] },
  ];
  const json = JSON.stringify({
    questions: graph.map((node, index) => ({
      id: index + 1,
      question: node.question,
      depends_on: node.dependsOn.map((at) => at + 1),
    })),
  });
  reads("decompose", [
    [`1. ${first} []\n2. ${second} [1]\n3. ${third} [1, 2]`, graph],
    [`1) ${first} []\n2) ${second} [Q1]\n3) ${third} [Q1,Q2]`, graph],
    [`Step 1: ${first} [none]\nStep 2: ${second} [1].\nStep 3: ${third} [1 and 2]`, graph],
    [`Here are the sub-questions:\n\n- ${first} []\n- ${second} [1]\n- ${third} [1,2]\n\nI hope this helps!`, graph],
    [`**Q1:** ${first} (independent)\n**Q2:** ${second} (depends on Q1)\n**Q3:** ${third} (depends on: 1, 2)`, graph],
    [`1. ${first} — depends on: none\n2. ${second} — depends on 1\n3. ${third} — depends on 1 and 2`, graph],
    [`1. ${first}\n   []\n\n2. ${second}\n   [1]\n\n3. ${third}\n   [1, 2]`, graph],
    [`1. ${first} []\n2. ${second} [1]\n3. ${third} [1, 2, 2, 1]`, graph],
    [json, graph],
    [`\`\`\`json\n${json}\n\`\`\``, graph],
    [`Sure! Here is the JSON:\n\n${json}\n\nLet me know if {you} need more.`, graph],
    [json.replaceAll("}]", "},]").replaceAll('"', "'"), graph],
    [json.replace(/"id"/g, "id").replace('{"questions"', '// a graph\n{"questions"'), graph],
    [
      json.replaceAll('"id"', '"ID"').replaceAll("depends_on", "depend").replaceAll("[1,2]", '["1","Question 2"]'),
      graph,
    ],
    [JSON.stringify(graph), graph],
    [
      JSON.stringify({
        "sub-questions": graph.map(({ question, dependsOn }) => ({
          description: question,
          answer: "?",
          depend: dependsOn,
        })),
        answer: 48,
      }),
      graph,
    ],
    [`<think>Let me {see}: [1]</think>${json}`, graph],
    [
      JSON.stringify({
        questions: [
          { id: 10, question: first, depends_on: [] },
          { id: 20, question: second, depends_on: [10] },
        ],
      }),
      graph.slice(0, 2),
    ],
  ]);
  refuses("decompose", [
    ["Ana and Ben pick apples.", /no/i],
    [`1. ${first}\n2. ${second}`, /sub-question 1 does not say/],
    [`1. ${first} [2]\n2. ${second} []`, /sub-question 1 depends on one that does not come before/],
    [`1. ${first} [1]`, /does not come before/],
    [`1. ${first} []\n2. ${second} [7]`, /not there/],
    [`1. ${first} []\n2. ${second} [0]`, /not there/],
    ["1. []\n2. [1]", /empty/],
    ['{"questions": []}', /./],
    ['{"questions": [{"question": "How many?"}]}', /depends on/],
    ['{"questions": [{"id": 1, "question": "How many?", "depends_on": [1]}]}', /does not come before/],
    ['{"questions": "none"}', /./],
    [Array.from({ length: 60 }, (_, index) => `${index + 1}. How many? []`).join("\n"), /60 sub-questions/],
    [json.slice(0, 100), /./],
  ]);
  refuses(
    "decompose",
    [
      [`1. ${first} []\n2. ${second} [1]\n`, /cut off/],
      [json.slice(0, -3), /./],
    ],
    false,
  );
  it("takes JSON that was complete before the text was cut off", () => {
    expect(parse("decompose", `${json}\n\nNow`, false)).toEqual({ ok: true, value: graph });
  });
});

describe.each(["contract", "rewrite"] as const)("%s", (name) => {
  const wanted = "Ana picks 12 apples. Ben picks 36 apples. How many apples do they pick together?";
  reads(name, [
    [wanted, wanted],
    [`<question>${wanted}</question>`, wanted],
    [`<question>\n${wanted}\n</question>\n\nThis question is simpler.`, wanted],
    [`<question>${wanted}`, wanted],
    [`The tags are <question> and </question>.\n<question>${wanted}</question>`, wanted],
    [`Question: ${wanted}`, wanted],
    [`**Simplified question:** ${wanted}`, wanted],
    [`Here is the new question:\n\n"${wanted}"`, wanted],
    [`Sure! I can do that.\n\nRewritten Question:\n${wanted}`, wanted],
    [`\`\`\`\n${wanted}\n\`\`\``, wanted],
    [JSON.stringify({ question: wanted }), wanted],
    [`\`\`\`json\n{"question": "${wanted}",}\n\`\`\``, wanted],
  ]);
  refuses(name, [
    ["", /empty/],
    ["<question></question>", /empty/],
    ["Question:\n\n", /empty/],
    ["12 36 ???", /empty/],
  ]);
  refuses(
    name,
    [
      [wanted.slice(0, 30), /cut off/],
      [`<question>${wanted}`, /cut off/],
    ],
    false,
  );
});

describe("plan", () => {
  const steps = ["Find Ben's apples: 3 times Ana's apples.", "Find the total: Ana's apples plus Ben's apples."];
  const [one, two] = steps as [string, string];
  reads("plan", [
    [`1. ${one}\n2. ${two}`, steps],
    [`Here is a plan:\n\n**Step 1:** ${one}\n\n**Step 2:** ${two}\n\nThat is all.`, steps],
    [`1) ${one}\n2) ${two}`, steps],
    [`- ${one}\n- ${two}`, steps],
    [`* ${one}\n* ${two}`, steps],
    [`Step 1\n1. ${one}\n2. ${two}`, steps],
    [`1.\n${one}\n2.\n${two}`, steps],
    [`### 1. ${one}\n### 2. ${two}`, steps],
    [`1. ${one}\n2. ${two}\n\n1. Another\n2. plan`, steps],
    [`1. ${one.replace(": ", ":\n   ")}\n2. ${two}`, steps],
  ]);
  refuses("plan", [
    ["Just multiply and add.", /no list/],
    ["1.\n2.\n", /no list/],
  ]);
  refuses("plan", [[`1. ${one}\n2. Find`, /cut off/]], false);
});

describe("judge", () => {
  const best = (number: number, work = "") => ({ work, best: number - 1 });
  reads("judge", [
    ["12*3=36\n12+36=48\nBest: 1", best(1, "12*3=36\n12+36=48")],
    ["Best: 2", best(2)],
    ["best: answer 3", best(3, "best: answer 3")],
    ["**Best:** 2", best(2)],
    ["The best answer is Answer 1.", best(1, "The best answer is Answer 1.")],
    [
      "Answer 2 is wrong since 36 is only Ben's. The correct answer is number 1.",
      best(1, "Answer 2 is wrong since 36 is only Ben's. The correct answer is number 1."),
    ],
    ['{"best": 2, "reason": "right"}', best(2, '{"best": 2, "reason": "right"}')],
    ["```json\n{best: '3',}\n```", best(3, "```json\n{best: '3',}\n```")],
    ["#### 2", best(2, "#### 2")],
    ["2", best(2, "2")],
    ["Answer 3", best(3, "Answer 3")],
    ["Best: 3\nOh, wait.\nBest: 1", best(1)],
  ]);
  refuses("judge", [
    ["All are fine.", /no choice/],
    ["Best: 4", /answer 4 of 3/],
    ["Best: 0", /answer 0 of 3/],
    ["The best answer is 48", /48 of 3/],
    ["Best: 99999999999", /./],
    ["", /empty/],
  ]);
  refuses("judge", [["12*3=36\nBest: 1", /./]], false);
});

describe("program", () => {
  const body = "const ana = 12;\nconst ben = ana * 3;\nreturn ana + ben;";
  const wrapped = `function solve() {\n  const ana = 12;\n  return ana * 4;\n}`;
  reads("program", [
    [body, body],
    [`\`\`\`js\n${body}\n\`\`\``, body],
    [`Here is the program:\n\n\`\`\`javascript\n${wrapped}\n\`\`\`\n\nIt returns 48.`, `${wrapped}\nreturn solve();`],
    [wrapped, `${wrapped}\nreturn solve();`],
    [`\`\`\`\nexport default ${wrapped}\n\`\`\``, `${wrapped}\nreturn solve();`],
    [`Here you go:\n${wrapped}\n\nThis program adds the apples.`, `${wrapped}\nreturn solve();`],
    ["const solve = () => {\n  return 48;\n};", "const solve = () => {\n  return 48;\n};\nreturn solve();"],
    ["const a = 12;\nconsole.log(a * (3 + 1));", "const a = 12;\nreturn a * (3 + 1);"],
    [`\`\`\`js\n${body}`, body],
    ["```python\nprint(48)\n```\nor\n```js\nreturn 48;\n```", "return 48;"],
  ]);
  refuses("program", [
    ["The answer is 48.", /no program/],
    ["```python\nprint(48)\n```", /python, not JavaScript/],
    ["const a = 12;\nconst b = a * 3;", /returns nothing/],
    ["console.log(12);\nconst a = 1;", /returns nothing/],
    ["console.log((12);", /returns nothing/],
  ]);
  refuses(
    "program",
    [
      [body, /cut off/],
      [`\`\`\`js\n${body}`, /cut off/],
    ],
    false,
  );
});

describe("verify", () => {
  const wrong = (step: number | undefined, reason: string, work = "") => ({
    work,
    verdict: "wrong",
    ...(step === undefined ? {} : { step: step - 1 }),
    reason,
  });
  reads("verify", [
    ["1. 12*3=36\n2. 12+36=48\nright", { work: "1. 12*3=36\n2. 12+36=48", verdict: "right" }],
    ["1. 12*3=36\nwrong at step 1: Ben picks 12*3=36 apples.", wrong(1, "Ben picks 12*3=36 apples.", "1. 12*3=36")],
    ["wrong at step 2", wrong(2, "")],
    ["Wrong.", wrong(undefined, "")],
    ["**Verdict: correct**", { work: "", verdict: "right" }],
    ["The answer is: incorrect", wrong(undefined, "The answer is: incorrect")],
    ["I checked it.\nThe answer is: correct", { work: "I checked it.", verdict: "right" }],
    ["Step 2 is wrong because 12+36 is 48.", wrong(2, "Step 2 is wrong because 12+36 is 48.")],
    ["I redid it.\nThe solution is not incorrect.", { work: "I redid it.", verdict: "right" }],
    ["There are no errors.", { work: "", verdict: "right" }],
    ["That is not right.", wrong(undefined, "That is not right.")],
    ['12*3=36\n{"verdict": "right"}', { work: "12*3=36", verdict: "right" }],
    ['```json\n{"verdict": "wrong", "step": "2", "reason": "it is 48",}\n```', wrong(2, "it is 48")],
    ["{'verdict': 'Incorrect', 'step': null, 'reason': null}", wrong(undefined, "")],
    ['{"verdict": false, "step": 1}', wrong(1, "")],
    ['{"verdict": "right", "step": null}', { work: "", verdict: "right" }],
  ]);
  refuses("verify", [
    ["1. 12*3=36", /no verdict/],
    ["wrong at step 3: no", /step 3 of 2/],
    ["wrong at step 0", /step 0 of 2/],
    ['{"verdict": "maybe"}', /./],
    ['{"verdict": "wrong", "step": 9}', /step 9 of 2/],
  ]);
  refuses(
    "verify",
    [
      ["1. 12*3=36\nwrong at step 1: Ben", /./],
      ["1. 12*3=36\nright", /./],
    ],
    false,
  );
});

describe("explain", () => {
  const trajectory = (analysis: string, how: string, verification: string) => ({
    analysis,
    solution: how,
    verification,
  });
  const reason = "It takes 2 steps.";
  reads("explain", [
    [`${reason}\nActions: cot`, { explanation: reason, trajectory: trajectory("none", "cot", "none") }],
    [
      `${reason}\nActions: plan, program, verify`,
      { explanation: reason, trajectory: trajectory("plan", "program", "verify") },
    ],
    [
      `${reason}\n**Required Action:** query_rewriting, CoT, verifier`,
      { explanation: reason, trajectory: trajectory("rewrite", "cot", "verify") },
    ],
    [`${reason}\nActions: Planning -> PoT`, { explanation: reason, trajectory: trajectory("plan", "program", "none") }],
    [
      `${reason}\nActions:\n1. rewriting\n2. program`,
      { explanation: reason, trajectory: trajectory("rewrite", "program", "none") },
    ],
    [
      `${reason}\nActions: \`rewrite\` and then \`chain of thought\`.`,
      { explanation: reason, trajectory: trajectory("rewrite", "cot", "none") },
    ],
    ["Actions: verify", { explanation: "", trajectory: trajectory("none", "cot", "verify") }],
    ["Actions: rewrite, plan, direct_answering", { explanation: "", trajectory: trajectory("plan", "cot", "none") }],
    [
      `{"explanation": "${reason}", "actions": ["decomposition", "programming_solver",]}`,
      { explanation: reason, trajectory: trajectory("plan", "program", "none") },
    ],
  ]);
  refuses("explain", [
    [reason, /no line/],
    ["Actions:", /no action/],
    ["Actions: none", /no action/],
    ["Actions: dance, sing", /no action/],
  ]);
  refuses("explain", [["Actions: plan, c", /cut off/]], false);
});

describe("revise", () => {
  reads("revise", [["12*3=36\n12+36=48\n#### 48", { reasoning: "12*3=36\n12+36=48", answer: "48" }]]);
  refuses("revise", [["The solution was right.", /no/]]);
});

describe("code", () => {
  const source = "function double(n) {\n  return n * 2;\n}";
  reads("code", [
    [source, source],
    [`\`\`\`js\n${source}\n\`\`\``, source],
    [`Sure!\n\`\`\`javascript\nexport ${source}\n\`\`\`\nExample: \`double(2)\` gives 4.`, source],
    ["const double = (n) => n * 2;", "const double = (n) => n * 2;"],
    ["const double = n => n * 2;", "const double = n => n * 2;"],
    ["function twice(n) {\n  return n * 2;\n}", "function twice(n) {\n  return n * 2;\n}\nconst double = twice;"],
    [`// doubles\n${source}`, `// doubles\n${source}`],
  ]);
  refuses("code", [
    ["Multiply n by 2.", /no program/],
    ["return n * 2;", /no function double/],
    ["function a(n) { return n; }\nfunction b(n) { return a(n); }", /no function double/],
    ["```python\ndef double(n): return n * 2\n```", /python/],
  ]);
  refuses(
    "code",
    [
      [source.slice(0, 30), /cut off/],
      [`\`\`\`js\n${source}`, /cut off/],
    ],
    false,
  );
});
