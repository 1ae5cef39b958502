import { errorCause, errorShares } from "thoughtbook/eval";
import { describe, expect, it } from "vitest";
import { record } from "./helpers.js";

describe("errorCause", () => {
  it.each([
    ["Jack builds 39*4=156 robots.\nZoe builds 156+15=171 robots.\n#### 171", true, "path"],
    ["Jack builds 39*4=146 robots.\n#### 146", true, "arithmetic"],
    ["Tina earns $18/3=6.\nShe has 20-20*20/100=14 left.\n#### 14", true, "arithmetic"],
    ["Tina earns $18/3=$6.\n#### 6", true, "path"],
    ["2 + 2 = 4 and 7/2=3.5\n#### 3.5", true, "path"],
    ["1/0=5, ((3=3, 2*=4\n#### 5", true, "path"],
    ["no numbers at all #### 5", true, "path"],
    ["Jack builds 39*4=156", false, "unfinished"],
  ] as const)("%j", (completion, finished, cause) => {
    expect(errorCause(completion, finished)).toBe(cause);
  });

  it("takes no long time for hostile text", () => {
    const started = performance.now();
    errorCause("1+".repeat(200_000), true);
    errorCause(`${"(".repeat(100_000)}=1`, true);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("errorShares", () => {
  it("counts what is wrong, and leaves out what is right", () => {
    const records = [
      record({ completion: "2+2=5\n#### 5", answer: "5" }),
      record({ completion: "2+2=4\n#### 4", answer: "4" }),
      record({ completion: "2+2=4\n#### 4", answer: "4", correct: { strict: true } }),
      record({ completion: "2+2" }),
    ];
    expect(errorShares(records)).toEqual({ arithmetic: 0.25, path: 0.25, unfinished: 0.25 });
  });
});
