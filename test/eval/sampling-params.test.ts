import { parseSamplingParams, type SamplingParams } from "thoughtbook/eval";
import { expect, it } from "vitest";

it.each<[string, SamplingParams]>([
  ["", {}],
  ["temperature=0.6,top_p=0.95,max_tokens=4096", { temperature: 0.6, top_p: 0.95, max_tokens: 4096 }],
  [`{"temperature": 1, 'n': 8, "seed": -3}`, { temperature: 1, n: 8, seed: -3 }],
  ["top_k=-1,min_p=0.05", { top_k: -1, min_p: 0.05 }],
  ["seed=None", {}],
])("reads the sampling parameters %j", (text, expected) => {
  expect(parseSamplingParams(text)).toEqual(expected);
});

it.each<[string, RegExp]>([
  ["temperature=-1", /temperature of --sampling-params is -1/],
  ["temperature=hot", /temperature of --sampling-params is "hot"/],
  ["top_p=0", /top_p of --sampling-params is 0/],
  ["top_p=1.1", /top_p of --sampling-params is 1.1/],
  ["top_k=2.5", /top_k of --sampling-params is 2.5/],
  ["min_p=2", /min_p/],
  ["max_tokens=0", /max_tokens of --sampling-params is 0/],
  ["max_tokens=True", /max_tokens of --sampling-params is true/],
  ["n=0", /n of --sampling-params is 0/],
  ["best_of=2", /--sampling-params takes no "best_of"/],
  ["temperature", /cannot be read/],
])("refuses %j", (text, message) => {
  expect(() => parseSamplingParams(text)).toThrow(message);
});
