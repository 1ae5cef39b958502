import { badInput, ThoughtbookError } from "../../core/index.js";

/** Tokens that a request takes, or has taken. */
export interface TokenCount {
  prompt: number;
  completion: number;
  /** Whether the number is estimated, as nobody counted. */
  estimated?: boolean;
}

/** Maximum usage of a model while it is open; the first limit reached applies. */
export interface Budget {
  /** Tokens of prompts and completions together. */
  tokens?: number | undefined;
  /** Cost in the currency of the prices. */
  cost?: number | undefined;
  /** Prices per million tokens. Needed for a cost. */
  prices?: { prompt: number; completion: number } | undefined;
}

/** Usage of a model since it was opened; an answer lost on its way counts as the most it could have used. */
export interface HttpUsage {
  /** Answers of the servers; what comes from the cache costs nothing. */
  requests: number;
  /** How many of them have tokens that are estimated, for the server did not count them; left out if none has. */
  estimated?: number;
  promptTokens: number;
  completionTokens: number;
  /** Undefined without prices. */
  cost: number | undefined;
}

export interface Reservation {
  /** Replace the reserved maximum by the actual usage; by nothing, if the work was not done. */
  settle(taken: TokenCount | undefined): void;
}

export interface Ledger {
  /**
   * Reserve the most that a request can use. Where that does not fit, wait for requests in flight that may use less
   * than was reserved for them.
   *
   * @throws budget if it cannot fit
   */
  reserve(most: TokenCount): Promise<Reservation>;
  usage(): HttpUsage;
}

/** Keeps a budget. Throws bad-input for an invalid limit. */
export function createLedger({ tokens = Infinity, cost = Infinity, prices }: Budget = {}): Ledger {
  checkBudget({ tokens, cost, prices });
  const costOf = ({ prompt, completion }: TokenCount) =>
    prices ? (prompt * prices.prompt + completion * prices.completion) / 1e6 : 0;
  const spent: TokenCount = { prompt: 0, completion: 0 };
  const held: TokenCount = { prompt: 0, completion: 0 };
  let requests = 0;
  let estimated = 0;
  let inFlight = 0;
  let waiting: (() => void)[] = [];
  const fits = (more: TokenCount) => {
    const all = sum(sum(spent, held), more);
    return all.prompt + all.completion <= tokens && costOf(all) <= cost;
  };
  return {
    async reserve(most) {
      while (!fits(most)) {
        if (inFlight === 0) throw exhausted(spent, most);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      add(held, most, 1);
      inFlight += 1;
      return {
        settle(taken) {
          add(held, most, -1);
          inFlight -= 1;
          if (taken) add(spent, taken, 1);
          if (taken && taken.prompt + taken.completion > 0) requests += 1;
          if (taken?.estimated) estimated += 1;
          const woken = waiting;
          waiting = [];
          for (const wake of woken) wake();
        },
      };
    },
    usage: () => ({
      requests,
      ...(estimated > 0 ? { estimated } : {}),
      promptTokens: spent.prompt,
      completionTokens: spent.completion,
      cost: prices && costOf(spent),
    }),
  };

  function exhausted(taken: TokenCount, most: TokenCount): ThoughtbookError {
    const all = sum(taken, most);
    const inTokens = all.prompt + all.completion > tokens;
    const [limit, used, next] = inTokens
      ? [`${tokens} tokens`, taken.prompt + taken.completion, most.prompt + most.completion]
      : [`${cost} in money`, round(costOf(taken)), round(costOf(most))];
    return new ThoughtbookError(
      "budget",
      `the budget of ${limit} is reached: ${used} are taken, and the next request may take ${next}`,
      { hint: "Raise the budget and run again: what was finished went to onFinish, and to the cache if there is one." },
    );
  }
}

function checkBudget({ tokens, cost, prices }: { tokens: number; cost: number; prices: Budget["prices"] }): void {
  const limits = { tokens, cost, "prices.prompt": prices?.prompt ?? 0, "prices.completion": prices?.completion ?? 0 };
  for (const [name, value] of Object.entries(limits)) {
    if (value >= 0) continue;
    throw badInput(`the budget's ${name} is ${value}, expected a number from 0`, "Correct the option.");
  }
  if (cost === Infinity || prices) return;
  throw badInput("a budget in money needs prices", "Give prices: { prompt, completion } for a million tokens.");
}

const sum = (a: TokenCount, b: TokenCount): TokenCount => ({
  prompt: a.prompt + b.prompt,
  completion: a.completion + b.completion,
});

function add(target: TokenCount, more: TokenCount, sign: 1 | -1): void {
  target.prompt += sign * more.prompt;
  target.completion += sign * more.completion;
}

const round = (money: number) => Number(money.toPrecision(3));
