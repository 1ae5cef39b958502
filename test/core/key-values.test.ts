import { checkKeyValues, decodeEscapes, type KeyValue, parseKeyValues } from "thoughtbook/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const read = (text: string) => parseKeyValues(text, "--params");

describe("settings in one argument", () => {
  it.each<[string, Record<string, KeyValue>]>([
    ["", {}],
    ["  ", {}],
    ["temperature=0.6,top_p=0.95,max_tokens=4096", { temperature: 0.6, top_p: 0.95, max_tokens: 4096 }],
    [" a = 1 , b = two words , ", { a: 1, b: "two words" }],
    ["a=-1,b=+2,c=.5,d=1.,e=1e-3,f=1E+2", { a: -1, b: 2, c: 0.5, d: 1, e: 0.001, f: 100 }],
    ["a=True,b=false,c=None,d=null", { a: true, b: false, c: null, d: null }],
    ["base_url=http://127.0.0.1:8000/v1", { base_url: "http://127.0.0.1:8000/v1" }],
    ["u='http://a/v1,http://b/v1',n=1", { u: "http://a/v1,http://b/v1", n: 1 }],
    ['a="it\'s",b=\'say \\"x\\"\\n\'', { a: "it's", b: 'say "x"\n' }],
    ["a='1'", { a: "1" }],
    ["constructor=1,__proto__=2", { constructor: 1, ["__proto__"]: 2 }],
    ["{}", {}],
    [`{'temperature': 0.6, "top_p": .95}`, { temperature: 0.6, top_p: 0.95 }],
    [`{ "a" : True , 'b':None,\n'c': 'x, y', }`, { a: true, b: null, c: "x, y" }],
    [`{"a": -1e3}`, { a: -1000 }],
  ])("%j", (text, expected) => {
    expect([...read(text)]).toEqual(Object.entries(expected));
  });

  it.each<[string, RegExp]>([
    ["a", /expected = after a at character 2, found its end/],
    ["a=", /expected a value of a/],
    ["a= ,b=1", /expected a value of a/],
    ["=1", /expected a key, as in key=value at character 1, found "=1"/],
    ["a=1,a=2", /expected a once only/],
    ["a='x' y", /expected a comma/],
    [`{"a": 1, "a": 2}`, /expected a once only/],
    [`{"a": 1`, /expected a comma or }/],
    [`{"a": 1} x`, /expected nothing more/],
    [`{a: 1}`, /expected a key in quotes/],
    [`{"a"=1}`, /expected : after "a"/],
    [`{"a": word}`, /expected a number, a text in quotes, True, False or None/],
    [`{"a": [1]}`, /expected a number/],
    [`{"a": {"b": 1}}`, /expected a number/],
    [`{"a": 1e999}`, /expected a number/],
    [`{"a": __import__("os").system("x")}`, /expected a number/],
    [`{"a": "open}`, /expected a number/],
    [`a=${"x".repeat(10_001)}`, /more than 10000 characters/],
  ])("refuses %j", (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(/--params cannot be read/);
  });

  it("takes no quadratic time", () => {
    const start = performance.now();
    for (const part of ["'\\", " ", "a=1,", '{"', "a="]) {
      try {
        read(part.repeat(Math.floor(10_000 / part.length)));
      } catch {}
    }
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("rules of keys", () => {
  const rules = { n: { schema: z.int().positive(), expected: "a whole number above 0" } };

  it("give checked values; None is as if left out", () => {
    expect(checkKeyValues(read("n=3"), rules, "--params")).toEqual({ n: 3 });
    expect(checkKeyValues(read("n=None"), rules, "--params")).toEqual({});
  });

  it.each<[string, RegExp]>([
    ["n=0", /^n of --params is 0$/],
    ["n=2.5", /^n of --params is 2.5$/],
    ["n='3'", /^n of --params is "3"$/],
    ["m=1", /^--params takes no "m"$/],
    ["toString=1", /^--params takes no "toString"$/],
  ])("refuse %j", (text, message) => {
    expect(() => checkKeyValues(read(text), rules, "--params")).toThrow(message);
  });

  it("say what they take", () => {
    expect(() => checkKeyValues(read("m=1"), rules, "--params")).toThrow(
      expect.objectContaining({ code: "bad-input", hint: "It takes n." }),
    );
    expect(() => checkKeyValues(read("n=0"), rules, "--params")).toThrow(
      expect.objectContaining({ hint: "Give a whole number above 0." }),
    );
  });
});

it.each([
  ["a\\nb\\tc\\rd", "a\nb\tc\rd"],
  ["\\\\n \\' \\\"", "\\n ' \""],
  ["\\x41\\u00e9\\U0001F600", "Aé😀"],
  ["within \\boxed{\\frac{1}{2}}", "within \\boxed{\\frac{1}{2}}"],
  ["\\N \\X41 \\u12 \\U00110000 \\", "\\N \\X41 \\u12 \\U00110000 \\"],
])("decodes the escapes of %j", (text, expected) => {
  expect(decodeEscapes(text)).toBe(expected);
});
