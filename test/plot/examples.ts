import {
  barFigure,
  budgetFigure,
  comparisonFigure,
  type Figure,
  heatmapFigure,
  histogramFigure,
  importanceFigure,
  lineFigure,
  linePanelsFigure,
  scatterFigure,
  searchTreeFigure,
  tokenFigure,
  trainingFigure,
  treeFigure,
} from "thoughtbook/plot";

const METHODS = [
  { name: "QwQ-32B", values: [11.1, 21.8, 43.8, 63.2] },
  { name: "QwQ-32B w/ s1K-1.1", values: [12.3, 27.8, 51.8, 70.6] },
  { name: "+ CoD", values: [12.2, 24.3, 51.3, 69.3] },
  { name: "+ BtC Effective Shortcut", values: [13.4, 25.0, 52.3, 68.6] },
  { name: "+ BtC Skip Steps", values: [12.3, 24.0, 51.6, 68.6] },
  { name: "+ TokenSkip", values: [10.9, 22.8, 48.8, 64.9] },
  { name: "+ A*-Thought", values: [29.4, 48.1, 58.9, 69.3] },
];
const PRINTED = [
  ["base model", METHODS[0]],
  ["full chain", METHODS[1]],
  ["Chain of Draft", METHODS[2]],
  ["BtC effective shortcut", METHODS[3]],
  ["BtC skip steps", METHODS[4]],
  ["TokenSkip", METHODS[5]],
  ["A*-Thought", METHODS[6]],
] as const;
const BUDGET_ROWS = [
  ...PRINTED.flatMap(([method, row]) =>
    row!.values.map((accuracy, at) => {
      const budget = 512 * 2 ** at;
      return {
        panel: "QwQ-32B (paper)",
        method,
        budget,
        accuracy,
        length: 0.9 * budget,
        acu: accuracy / (9 * 2 ** at),
      };
    }),
  ),
  ...["full chain", "random steps", "A*-Thought", "necessary steps"].flatMap((method, index) =>
    [5, 18, 40, 52, 60].map((accuracy, at) => ({
      panel: "mini (ours)",
      method,
      budget: 32 * 2 ** at,
      accuracy: accuracy + 8 * index,
      low: accuracy + 8 * index - 4,
      high: accuracy + 8 * index + 3,
      length: 30 * 2 ** at - 4 * at * index,
      acu: 10 + 5 * index - at,
      acuLow: 9 + 5 * index - at,
      acuHigh: 12 + 5 * index - at,
    })),
  ),
];
const phase = (count: number, from: number) =>
  Array.from({ length: count }, (_, index) => ({
    step: index + 1,
    loss: 0.3 + 6 * Math.exp(-(from + index) / 60) * (1 + 0.1 * Math.sin(9 * index)),
    ...((index + 1) % 40 === 0
      ? { scores: { heldOutLoss: 0.4 + 6 * Math.exp(-(from + index) / 60), "accuracy at 2": (from + index) / 420 } }
      : {}),
  }));
const STEPS = Array.from({ length: 40 }, (_, index) => index * 5);

/** One figure of each kind and of each case that needs another layout, with small fixed data. */
export const EXAMPLES: Figure[] = [
  histogramFigure({
    name: "histogram",
    title: "Sub-questions a problem is divided into",
    subtitle: "10 and 5 problems",
    series: [
      { name: "AoT", values: [2, 2, 3, 3, 3, 4, 4, 5, 7, 7] },
      { name: "least-to-most", values: [1, 2, 2, 2, 3] },
    ],
    xTitle: "sub-questions",
  }),
  histogramFigure({
    name: "histogram-bins",
    title: "Length of the answers",
    series: [{ name: "mini", values: Array.from({ length: 200 }, (_, index) => 50 + ((index * 37) % 400)) }],
    xTitle: "tokens",
    measure: "count",
  }),
  barFigure({
    name: "bar",
    title: "Accuracy by split: is deeper harder than wider, or a <b> b & c > d, for less than $5?",
    subtitle: "Whiskers are 95 % Wilson intervals",
    categories: ["in distribution", "deeper", "wider", "with distractors"],
    series: [
      { name: "direct <br> &amp; $x$", values: [62, 31, 12.5, null], intervals: [[55, 68], null, [8, 18], null] },
      {
        name: "AoT & more",
        values: [81.5, 55, 40, 0],
        intervals: [
          [75, 86],
          [30, 78],
          [33, 47],
          [0, 1.9],
        ],
      },
    ],
    valueTitle: "accuracy (%)",
  }),
  barFigure({
    name: "bar-long-names",
    title: "What the planner chose",
    categories: [
      "Query rewriting, then chain of thought, no verification",
      "Decomposition into sub-questions, then program of thought, self-verification",
      "Chain of thought only",
      "Program of thought only",
      "No plan",
    ],
    series: [
      { name: "before", values: [12, 30, 38, 20, 0] },
      { name: "after", values: [22.5, 25, 12.5, 40, null] },
    ],
    valueTitle: "share of questions (%)",
    categoryTitle: "plan",
  }),
  barFigure({
    name: "bar-negative",
    title: "Change of accuracy",
    categories: ["MATH500", "AMC23", "GSM8K"],
    series: [
      {
        name: "A*-Thought",
        values: [-2.2, 2.5, -2.3],
        intervals: [
          [-5, 1],
          [-12, 17],
          [-4, -0.5],
        ],
      },
      { name: "TokenSkip, as its authors published it, without further training on our data", values: [-5, -10, -0.4] },
    ],
    valueTitle: "difference from the base model without any training, on the same problems (percentage points)",
    categoryTitle:
      "benchmark, with all problems that every one of the methods answered in the form it was asked for, no others",
  }),
  barFigure({
    name: "bar-seven-by-six",
    title: "Seven methods on six benchmarks",
    categories: ["MATH500", "AMC23", "OlympiadBench", "GSM8K", "LiveCodeBench", "MMLU"],
    series: METHODS.map(({ name, values }, index) => ({
      name,
      values: [...values, 5 * index, 100 - 9 * index],
    })),
    valueTitle: "accuracy (%)",
  }),
  lineFigure({
    name: "line",
    title: "Accuracy against the token budget",
    subtitle: "QwQ-32B, mean of four benchmarks (A*-Thought, Table 1)",
    series: METHODS.map(({ name, values }) => ({ name, x: [512, 1024, 2048, 4096], y: values })),
    xTitle: "token budget",
    yTitle: "accuracy (%)",
    xScale: "log",
    fromZero: true,
  }),
  lineFigure({
    name: "line-band",
    title: "Reward during training",
    series: ["AoT", "reasoner"].map((name, index) => {
      const y = STEPS.map((step) => 0.2 + (0.6 * step) / (step + 40 + 60 * index));
      return { name, x: STEPS, y, intervals: y.map((value): [number, number] => [value - 0.05, value + 0.08]) };
    }),
    xTitle: "step",
    yTitle: "mean reward",
    uncertainty: "band",
  }),
  lineFigure({
    name: "scatter",
    title: "Accuracy against cost",
    series: METHODS.slice(0, 3).map(({ name, values }, index) => ({
      name,
      x: values.map((value) => 2000 - 20 * value + 100 * index),
      y: values,
      intervals: values.map((value): [number, number] => [value - 4, value + 5]),
    })),
    xTitle: "tokens a problem",
    yTitle: "accuracy (%)",
    connect: false,
  }),
  heatmapFigure({
    name: "heatmap",
    title: "Accuracy by depth and width",
    rows: ["depth 1", "depth 2", "depth 3"],
    columns: ["width 1", "width 2", "width 3", "width 4"],
    values: [
      [98.5, 97, 95, 90],
      [80, 71, 60, 44],
      [40, 22, null, 3.5],
    ],
    valueTitle: "accuracy (%)",
    range: [0, 100],
  }),
  importanceFigure({
    name: "importance",
    title: "Which steps of a chain matter",
    subtitle: "α = 0.5; dots: kept",
    steps: [
      { text: "Kim sells 80 dolls.", question: 0.084, solution: 0.314, importance: 0.133, kept: false },
      {
        text: "For $5 & <b>more</b>:\nWalt sells 96.",
        question: 0.118,
        solution: 0.387,
        importance: 0.182,
        kept: true,
      },
      {
        text: "I think it says: the number of dolls Cora sells is one of 4 equal shares of the number Finn sells.",
        question: 0.078,
        solution: 0.313,
        importance: 0.131,
        kept: false,
      },
      { text: "", question: 0, solution: 0, importance: 0, kept: false },
      { text: "Cora sells 72/4=18 dolls.", question: 0.109, solution: 0.468, importance: 0.188, kept: true },
    ],
  }),
  heatmapFigure({
    name: "heatmap-large",
    title: "Attention between steps",
    rows: Array.from({ length: 12 }, (_, index) => `the step numbered ${index + 1}`),
    columns: Array.from({ length: 12 }, (_, index) => `the step numbered ${index + 1}`),
    values: Array.from({ length: 12 }, (_, row) =>
      Array.from({ length: 12 }, (_, column) => (column > row ? null : 1 / (1 + ((row * 7 + column * 5) % 12)))),
    ),
    valueTitle: "attention",
    rowTitle: "from",
    columnTitle: "to",
  }),
  comparisonFigure({
    name: "comparison",
    title: "A table as dots",
    benchmarks: [
      { name: "MATH500" },
      { name: "AMC23" },
      { name: "OlympiadBench" },
      { name: "GSM8K" },
      { name: "Tokens per correct answer", better: "lower" },
    ],
    methods: METHODS.slice(3).map(({ name, values }, index) => ({
      name,
      own: index === 3,
      values: [...values, 900 - 120 * index].map((value, at) => (index === 1 && at === 2 ? null : value)),
      intervals: values
        .map((value, at): [number, number] | null => (index === 1 && at === 2 ? null : [value - 3, value + 4]))
        .concat([null]),
    })),
  }),
  searchTreeFigure({
    name: "search-tree",
    title: "A walk over 12 steps",
    subtitle: "2, 5 and 9 are necessary",
    steps: 12,
    kept: [0, 1, 2, 3, 4, 5, 9, 10, 11],
    tree: {
      nodes: [
        { state: [3, 4, 5], parent: null, chosen: true, expanded: 0, verdict: "rejected" },
        { state: [3, 4, 5, 9, 10, 11], parent: 0, f: 1.06, chosen: true, expanded: 1 },
        { state: [0, 1, 2, 3, 4, 5], parent: 0, f: 1.06, chosen: false },
        { state: [0, 1, 2, 3, 4, 5, 9, 10, 11], parent: 1, f: 0.09, chosen: true, verdict: "accepted" },
        { state: [3, 4, 5, 6, 7, 9, 10, 11], parent: 1, f: 1.08, chosen: false },
      ],
    },
  }),
  searchTreeFigure({
    name: "search-tree-wide",
    title: "A best-first search over 24 steps",
    steps: 24,
    kept: [3, 20],
    mostLeaves: 2,
    tree: {
      nodes: [
        {
          state: STEPS.slice(0, 24).map((_, step) => step),
          parent: null,
          g: 240.5,
          chosen: false,
          verdict: "accepted",
        },
        ...[3, 5, 20].map((missing) => ({
          state: STEPS.slice(0, 24).flatMap((_, step) => (step === missing ? [] : [step])),
          parent: 0,
          g: 230 - missing,
          chosen: false,
          verdict: missing === 5 ? ("accepted" as const) : ("rejected" as const),
        })),
        { state: [], parent: 0, f: 0, g: 0, h: 0, chosen: true, expanded: 0, verdict: "rejected" as const },
        ...[3, 7, 9, 12, 15].map((step, at) => ({
          state: [step],
          parent: 4,
          f: -step,
          chosen: at === 0,
          ...(at === 0 ? { expanded: 1 } : {}),
        })),
        { state: [3, 20], parent: 5, f: 31.25, chosen: true, verdict: "accepted" as const },
        { state: [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23], parent: 5, f: 1200, chosen: false },
      ],
    },
  }),
  treeFigure({
    name: "tree-of-thoughts",
    title: "A tree search over two steps",
    tree: {
      nodes: [
        { state: "", parent: null, value: 0.42, visits: 6, chosen: true, expanded: 0 },
        { state: "6 x 4 = 24", parent: 0, prior: 0.7, value: 0.55, visits: 3, chosen: true, expanded: 1 },
        { state: "6 + 4 = 10", parent: 0, prior: 0.3, value: 0.2, visits: 2, chosen: false, expanded: 2 },
        {
          state: "24 - 3 = 21",
          parent: 1,
          prior: 0.6,
          value: 1,
          visits: 1,
          chosen: true,
          verdict: "accepted" as const,
        },
        {
          state: "24 + 3 = 27",
          parent: 1,
          prior: 0.4,
          value: 0.1,
          visits: 1,
          chosen: false,
          verdict: "rejected" as const,
        },
        { state: "10 - 3 = 7", parent: 2, prior: 1, value: 0.1, visits: 1, chosen: false },
      ],
    },
    label: (state) => (state === "" ? "the question" : state),
    result: 3,
    caption: "An edge adds a step. In a box: the mean value of what was tried below it, and how often.",
  }),
  comparisonFigure({
    name: "comparison-groups",
    title: "What each part does",
    benchmarks: [{ name: "Accuracy (%)" }, { name: "Kept tokens (%)", better: "lower" }],
    methods: [
      { group: "Signals", name: "random", values: [30, 33], intervals: [[27, 33], null] },
      { group: "Signals", name: "both", own: true, values: [41, 31], intervals: [[38, 44], null] },
      { group: "Weight of the solution side, α, in the importance of a step", name: "α 0", values: [38, 29] },
      {
        group: "Weight of the solution side, α, in the importance of a step",
        name: "α 0.5",
        own: true,
        values: [41, 31],
      },
    ],
  }),
  lineFigure({
    name: "line-regions",
    title: "Accuracy by number of operations",
    series: ["before", "after"].map((name, index) => {
      const y = [98, 90, 71, 50, 22, 9, 4].map((value) => value - 3 * index);
      return {
        name,
        x: [1, 2, 3, 4, 5, 6, 7],
        y,
        intervals: y.map((value): [number, number] => [value - 3, value + 2]),
      };
    }),
    xTitle: "operations",
    yTitle: "accuracy (%)",
    uncertainty: "band",
    fromZero: true,
    regions: [{ name: "trained on", from: 0, to: 4.5 }],
  }),
  budgetFigure({ name: "budget", title: "Accuracy by token budget", subtitle: "Whiskers: 95 %", rows: BUDGET_ROWS }),
  budgetFigure({
    name: "budget-variants",
    title: "Variants of methods",
    rows: [
      "A*-Thought",
      "A*-Thought, accepted",
      "A*-Thought, steps alone",
      "A*-Thought, steps alone, accepted",
      "A*-Thought, Algorithm 1, accepted",
      "importance only, as much as steps alone, accepted",
      "full chain",
    ].flatMap((method, index) =>
      [30, 45, 70].map((accuracy, at) => {
        return { panel: "", method, budget: 96 * 2 ** at, accuracy: accuracy - 4 * index, length: 80, acu: 1 };
      }),
    ),
  }),
  linePanelsFigure({
    name: "line-panels-titles",
    title: "Panels with long titles and wide ticks",
    xTitle: "x",
    yTitle: "y",
    sharedY: false,
    columns: 2,
    height: 420,
    panels: [
      { title: "", yTitle: "Loss of all operations (nats a token, log scale)", yScale: "log", factor: 0.25 },
      { title: "mean", yTitle: "Tokens that were spent in all the answers together", factor: 12_500 },
      { yTitle: "Difference", factor: -0.0125 },
    ].map(({ factor, ...panel }) => ({
      ...panel,
      yScale: factor === 0.25 ? ("log" as const) : ("linear" as const),
      series: [{ name: "AoT", x: [1, 2, 3], y: [1, 2, 4].map((y) => factor * y) }],
    })),
  }),
  budgetFigure({
    name: "budget-acu",
    title: "ACU by token budget",
    rows: BUDGET_ROWS,
    measure: "acu",
    sharedY: false,
    uncertainty: "band",
  }),
  budgetFigure({
    name: "budget-length",
    title: "Accuracy against tokens",
    rows: ["", ", again"].flatMap((more) => BUDGET_ROWS.map((row) => ({ ...row, panel: `${row.panel}${more}` }))),
    against: "length",
    sharedX: true,
  }),
  scatterFigure({
    name: "scatter-names",
    title: "Kept share against accuracy",
    points: [
      { name: "full chain", x: 100, y: 12, yInterval: [10, 15] },
      { name: "A*-Thought", x: 34, y: 46, xInterval: [32, 36], yInterval: [43, 49] },
      { name: "A*-Thought, best-first", x: 35, y: 44, xInterval: [33, 37], yInterval: [41, 47] },
      { name: "random steps", x: 34, y: 20, xInterval: [32, 36], yInterval: [17, 23] },
      { name: "importance only", x: 33, y: 21, xInterval: [31, 35], yInterval: [18, 24] },
      { name: "last steps", x: 32, y: 20.5, xInterval: [30, 34], yInterval: [17, 24] },
      { name: "base model & <b> nothing", x: 33.5, y: 19, yInterval: [16, 22] },
    ],
    xTitle: "kept tokens (%)",
    yTitle: "accuracy (%)",
    fromZero: "both",
  }),
  tokenFigure({
    name: "tokens",
    title: "What the model was sure of",
    subtitle: "Greedy answer",
    tokens: [
      "She",
      " sells",
      " <b>",
      " $x^2$",
      ".",
      "\n\n",
      "",
      "\t",
      "\u0007",
      "####",
      " 1",
      "5",
      "\u4E2D",
      "a".repeat(120),
    ].map((token, index) => ({ token, logProb: -((index * 3) % 8) })),
  }),
  trainingFigure({
    name: "training-phases",
    title: "Training in many short phases",
    phases: ["short", "steps", "depth", "base", "more", "order", "bind"].map((name, at) => ({
      name,
      records: phase(at === 3 ? 520 : 40, 40 * at),
    })),
  }),
  trainingFigure({
    name: "training",
    title: "Training in two phases",
    phases: [
      { name: "sums", records: phase(160, 0) },
      { name: "chains", records: phase(240, 160) },
    ],
    intervalOf: (share) => [Math.max(0, share - 0.05), Math.min(1, share + 0.05)],
  }),
];
