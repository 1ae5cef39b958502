import { ThoughtbookError } from "../core/index.js";
import { type LanguageModel, requireCapability } from "../llm/index.js";
import type { ChatMessage } from "../model/index.js";

/** What stands around thought and solution in the texts of Sky-T1 and of A*-Thought. */
export const THOUGHT_TAGS = {
  thoughtBegin: "<|begin_of_thought|>",
  thoughtEnd: "<|end_of_thought|>",
  solutionBegin: "<|begin_of_solution|>",
  solutionEnd: "<|end_of_solution|>",
} as const;

/**
 * Our wording of what the system prompt of Sky-T1 (NovaSky 2025) asks for, under which A*-Thought (arXiv 2505.24550)
 * trains and evaluates: a thought in paragraphs and then a solution, each between its tags.
 */
export const thoughtThenSolution = ({
  thoughtBegin,
  thoughtEnd,
  solutionBegin,
  solutionEnd,
}: Readonly<Record<keyof typeof THOUGHT_TAGS, string>> = THOUGHT_TAGS): string =>
  `You are an assistant that works a question out by long and systematic thinking before it gives a precise solution. Explore the question: analyse it, collect what is given, try ideas, check each result, go back where something is wrong, and refine the reasoning until it holds. Answer in two sections, Thought and Solution.

In the Thought section, write your reasoning between ${thoughtBegin} and ${thoughtEnd}, as steps that are separated by blank lines. A step may analyse the question, sum up what was found, come up with a new idea, verify a result, correct a mistake, or return to an earlier step.

In the Solution section, write between ${solutionBegin} and ${solutionEnd} what you found to be right in the Thought section: a logical, accurate and concise solution with the steps that are needed for its conclusion. Put the final answer of a mathematical question into \\boxed{}.`;

const SKYTHOUGHT = thoughtThenSolution();

/**
 * System prompts that A*-Thought is compared under, by name. The last three are the first one with a sentence more, as
 * there; their exact wording is not published, so all four are ours, and say what their papers describe.
 */
export const SYSTEM_PROMPTS = {
  /** {@link thoughtThenSolution} */
  skythought: SKYTHOUGHT,
  /** Chain of Draft (arXiv 2502.18600): each step is a draft of five words at most. */
  "chain-of-draft": `${SKYTHOUGHT} Think step by step, but keep of each step only the shortest draft that does, with five words at most.`,
  /** Break the Chain (arXiv 2406.06580), Effective Shortcut. */
  "btc-effective-shortcut": `${SKYTHOUGHT} Look for the shortcut that leads to the answer fastest, and reason along it instead of a whole chain.`,
  /** Break the Chain (arXiv 2406.06580), Skip Steps. */
  "btc-skip-steps": `${SKYTHOUGHT} Skip the steps of the reasoning that can be skipped, and come to the answer quickly.`,
} as const satisfies Record<string, string>;

export type SystemPromptName = keyof typeof SYSTEM_PROMPTS;
export const SYSTEM_PROMPT_NAMES = Object.keys(SYSTEM_PROMPTS) as readonly SystemPromptName[];

/** The name of a text that is one of {@link SYSTEM_PROMPTS}. */
export const systemPromptName = (text: string): SystemPromptName | undefined =>
  SYSTEM_PROMPT_NAMES.find((name) => SYSTEM_PROMPTS[name] === text);

/**
 * Check, before any work, that a system prompt has an effect on a model: it follows instructions, and its chat template
 * has a place for one. For servers this is unknown before a request.
 *
 * @throws bad-input that says why not
 */
export async function requireSystemRole(model: LanguageModel): Promise<void> {
  const { name, operations = new Set(), capabilities } = model;
  if (operations.size > 0) {
    throw new ThoughtbookError(
      "bad-input",
      `the model ${name} was trained on operations by their tags and does not follow instructions, so no system prompt`,
      { hint: 'Leave it out, or take a model that does, such as "HuggingFaceTB/SmolLM2-135M-Instruct".' },
    );
  }
  requireCapability(model, "chat", "a system prompt");
  if (capabilities.has("countTokens") && !(await writesSystemPrompts(model))) {
    throw new ThoughtbookError("bad-input", `the chat template of ${name} has no place for a system prompt`, {
      hint: "Leave it out, or take a model whose template has the role `system`.",
    });
  }
}

/** Whether a longer system prompt makes a longer prompt. Some templates refuse the role, others leave it out. */
async function writesSystemPrompts(model: LanguageModel): Promise<boolean> {
  const user: ChatMessage = { role: "user", content: "How many?" };
  const lengthWith = (content: string) =>
    model.countTokens({ messages: [{ role: "system", content }, user] }).catch((error: unknown) => {
      if (error instanceof ThoughtbookError && error.code === "bad-input") return undefined;
      throw error;
    });
  const short = await lengthWith("Be brief.");
  return short !== undefined && short !== (await lengthWith("Be brief. Write one line, and no more than that."));
}
