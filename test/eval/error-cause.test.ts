import { equationErrors, errorCause, errorShares } from "thoughtbook/eval";
import { describe, expect, it } from "vitest";
import { record } from "./helpers.js";

describe("errorCause", () => {
  it.each([
    ["Jack builds 39*4=156 robots.\nZoe builds 156+15=171 robots.\n#### 171", true, "path"],
    ["Jack builds 39*4=146 robots.\n#### 146", true, "arithmetic"],
    ["Tina earns $18/3=6.\nShe has 20-20*20/100=14 left.\n#### 14", true, "arithmetic"],
    ["Tina earns $18/3=$6.\n#### 6", true, "path"],
    ["2 + 2 = 4 and 7/2=3.5\n#### 3.5", true, "path"],
    ["Dan sorts 7-9=8 beads.\n#### 8", true, "path"],
    ["Eva gets 46/4=11 lemons, 11+11=23.\n#### 23", true, "path"],
    ["1,200 + 300 = 1,500; in 2,012,3+4=7\n#### 1500", true, "path"],
    ["1,200 + 300 = 1,600\n#### 1600", true, "arithmetic"],
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
    errorCause("1,234".repeat(100_000), true);
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

describe("equationErrors", () => {
  it("tells how often equations of a form do not hold, those first that go wrong most often", () => {
    const texts = [
      "12*34=418, 56 * 78 = 4,368 and 2+2=5",
      "12*11=100; 7-5=2 and 9-4=5, 1/0=3",
      "10*10=100, 3-7=4, 7/2=3",
    ];
    const errors = equationErrors(texts).map(({ form, wrong: { value, count } }) => [form, value, count]);
    expect(errors).toEqual([
      ["dd*dd", 1 / 2, 4],
      ["d+d", 1, 1],
      ["d-d", 0, 2],
    ]);
  });
});
