/** Rows of our own that the engines are run on; small, so that two steps take seconds. */

export const SFT_ROWS = [
  {
    messages: [
      { role: "user", content: "A box holds 4 pears. How many do 3 boxes hold?" },
      {
        role: "assistant",
        content: "Each box holds 4 pears, so 3 boxes hold 3 * 4 = 12.\n\nThe answer is \\boxed{12}.",
      },
    ],
  },
];

/** As `SFT_ROWS`, several: LitGPT holds some out. */
export const LITGPT_ROWS = [5, 6, 7, 8].map((pears) => ({
  messages: [
    { role: "user", content: `A box holds ${pears} pears. How many do 3 boxes hold?` },
    { role: "assistant", content: `3 boxes hold 3 * ${pears} = ${3 * pears}.\n\nThe answer is \\boxed{${3 * pears}}.` },
  ],
}));

const asked = (content: string) => [{ role: "user", content }];
const replied = (content: string) => [{ role: "assistant", content }];

export const DPO_ROWS = [
  {
    prompt: asked("What is 3 * 4?"),
    chosen: replied("3 * 4 = 12. The answer is \\boxed{12}."),
    rejected: replied("3 * 4 = 14. The answer is \\boxed{14}."),
  },
  {
    prompt: asked("What is 2 + 5?"),
    chosen: replied("2 + 5 = 7. The answer is \\boxed{7}."),
    rejected: replied("2 + 5 = 9. The answer is \\boxed{9}."),
  },
];

export const GRPO_ROWS = [
  { question: "What is 3 * 4?", answer: "12" },
  { question: "What is 2 + 5?", answer: "2 + 5 = <<2+5=7>>7\n#### 7" },
];

/** Texts whose rewards are compared with this library's grades. */
export const REWARDED_TEXTS = [
  { text: "So it is 3 * 4 = 12.\n#### 12", answer: "12" },
  { text: "The answer is \\boxed{12}.", answer: "12" },
  { text: "The answer is \\boxed{\\frac{1}{2}}.", answer: "0.5" },
  { text: "The answer is $1,200.", answer: "1200" },
  { text: "The answer is 13.", answer: "12" },
  { text: "Nothing at all.", answer: "12" },
];
