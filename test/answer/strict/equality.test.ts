import { spawnSync } from "node:child_process";
import { equalStrict } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";
import { parseAnswer } from "../../../lib/dist/answer/strict/parse.js";
import { root } from "../../notebook/helpers.js";

/** Both ways round: equality is symmetric. */
const compare = (a: string, b: string) => [equalStrict(a, b), equalStrict(b, a)];

describe("equalStrict", () => {
  it.each([
    ["1/2", "0.5", true],
    ["50%", "50", true],
    ["2", "200", false],
    ["[1,2]", "(1,2)", false],
    ["1,-2", "-2,1", true],
    ["\\frac{1}{2}", "\\frac{1}{3}", false],
    ["12\\text{ cm}", "12", true],
    ["\\sqrt{8}", "2\\sqrt2", true],
    ["1\\frac{1}{2}", "3/2", true],
    ["0.333", "1/3", false],
    ["50%", "0.5", false],
    ["10000", "10001", false],
    ["{1,2}", "{2,1}", true],
    ["(1,2)", "(2,1)", false],
    ["x=5", "5", true],
    ["1,000", "1000", true],
    ["(x+1)^2", "x^2+2x+1", true],
    ["abc", "xyz", false],
  ])("the table of the issue: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["10{,}000", "10,\\!000", true],
    ["11,\\! 111,\\! 100", "11111100", true],
    ["1.2\\times10^3", "1200", true],
    ["1e3", "1000", true],
    [".0000672", "6.72e-5", true],
    ["\\frac43", "1\\frac13", true],
    ["\\frac{270}7", "270/7", true],
    ["\\dfrac{17}{50}", "0.34", true],
    ["137 1/2", "137.5", true],
    ["3\\frac52", "7.5", true],
    ["0.\\overline{3}", "1/3", true],
    ["2^{10}", "1024", true],
    ["--3", "3", true],
    ["-0", "0", true],
    ["1e999999", "1e999999", false],
    ["0.1+0.2", "0.3", true],
    ["007", "7", true],
    ["1/0", "1/0", false],
  ])("numbers: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["$5.00", "5", true],
    ["\\$32,\\!348", "32348", true],
    ["5.4 \\text{ cents}", "5.4", true],
    ["864 \\mbox{ inches}^2", "864", true],
    ["12 cm^2", "12", true],
    ["5 apples", "5", true],
    ["3 square feet", "3", true],
    ["60 km/h", "60", true],
    ["30 seconds", "30", true],
    ["90^\\circ", "90", true],
    ["90°", "90", true],
    ["\\frac{270}7\\text{ degrees}", "\\frac{270}{7}", true],
    ["8 \\%", "8", true],
    ["5 m", "5", false],
    ["6 xy", "6", false],
    ["3abc", "3", false],
    ["5 or more", "5", false],
    ["5 million", "5", false],
    ["3 pm", "3 am", false],
    ["2 thirds", "2", false],
    ["5 \\text{ is impossible}", "5", false],
    ["\\sin 30^\\circ", "1/2", true],
  ])("units: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["52_8", "52", false],
    ["52_8", "42", false],
    ["4210_{5}", "4210_5", true],
    ["52_8", "52_9", false],
    ["52_{10}", "52", true],
  ])("bases: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["x = 5", "y=5", true],
    ["x \\in [-2,7]", "[-2,7]", true],
    ["f(x) = 2x", "2x", true],
    ["y = 2x+3", "2x-y+3=0", true],
    ["y = 2x + 3", "2x+3", true],
    ["y=2x", "z=2x", false],
    ["y=2x+3", "x=2y+3", false],
    ["x-y=0", "(x-y)(x-y-1)=0", false],
    ["x^2=4", "x^2", false],
    ["x^2=4", "4", false],
    ["k \\geqslant 2", "2 \\le k", true],
    ["x<2", "x\\le2", false],
    ["x<2", "x>2", false],
    ["(x,y)=(1,2)", "(1,2)", true],
    ["AB=9, CD=4", "9,4", true],
    ["e=5", "5", false],
  ])("names: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["1 \\pm \\sqrt{19}", "1+\\sqrt{19}, 1-\\sqrt{19}", true],
    ["x=1 or x=2", "1 \\text{ and } 2", true],
    ["x=1, y=2", "y=2, x=1", true],
    ["x=1, y=2", "x=2, y=1", false],
    ["x=1, y=2", "1, 2", true],
    ["x=1, x=2", "x=2, x=1", true],
    ["1, 2, and 3", "{3,2,1}", true],
    ["\\{1\\pm\\sqrt{5},-2\\}", "-2, 1-\\sqrt5, 1+\\sqrt5", true],
    ["1,1,2", "1,2,2", false],
    ["1,2", "1,2,3", false],
    ["{5}", "5", true],
    ["\\emptyset", "\\{\\}", true],
    ["$69$,$84$", "84, 69", true],
    ["(1,2),(3,4)", "(3,4),(1,2)", true],
    ["(1,2),(3,4)", "(2,1),(3,4)", false],
    ["27,540,1", "1,27,540", true],
    ["3:2", "6:4", false],
    ["(1,234)", "1234", false],
  ])("lists: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["(3,4]", "\\left(3, 4\\right]", true],
    ["(3,4]", "[3,4]", false],
    ["(-\\infty, 2) \\cup (3, \\infty)", "(3,\\infty)\\cup(-\\infty,2)", true],
    ["(-\\infty,2)", "(\\infty,2)", false],
    ["(3,\\infty)", "(3,4)", false],
    ["\\left[ \\frac{\\pi^2}{8}, \\frac{5 \\pi^2}{4} \\right]", "[\\pi^2/8,5\\pi^2/4]", true],
  ])("intervals: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["\\text{(A)}", "a", true],
    ["(A)", "A", true],
    ["\\textbf{(C)}", "C.", true],
    ["A", "B", false],
    ["\\text{east}", "East", true],
    ["New  York", "new york", true],
    ["red cat", "cat red", false],
    ["even", "odd", false],
    ["\\mathcal{O}(n)", "\\mathcal{O}(n)", true],
    ["four", "4", false],
  ])("words: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["|x|", "\\sqrt{x^2}", true],
    ["x", "\\sqrt{x^2}", false],
    ["\\sin^2 x+\\cos^2 x", "1", true],
    ["\\log_2 8", "3", true],
    ["\\ln e", "1", true],
    ["\\sqrt[3]{8}", "2", true],
    ["n!", "n(n-1)!", true],
    ["\\binom{2n}{n}", "\\frac{(2n)!}{n!n!}", true],
    ["0.5x", "\\frac{x}{2}", true],
    ["2RC+R+C", "R+C+2CR", true],
    ["x_1+x_2", "x_2+x_1", true],
    ["p-q", "q-p", false],
    ["\\frac{1}{1+\\sqrt2}", "\\sqrt2-1", true],
    ["x^2+10000000000x", "x^2+10000000001x", false],
    ["10000000000\\pi", "10000000001\\pi", false],
    ["\\lfloor x \\rfloor", "x", false],
    ["2^{k}", "2^k", true],
    ["2^k", "k^2", false],
    ["\\cos x \\sin y", "\\sin y\\cos x", true],
    ["\\frac{20000}{\\pi}", "20000\\pi", false],
    ["xy", "yx", false],
  ])("expressions: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["6 - 5i", "-5i+6", true],
    ["6-5i", "6+5i", false],
    ["(1+i)^2", "2i", true],
    ["i^2", "-1", true],
    ["e^{i\\pi}", "-1", true],
    ["\\sqrt{-4}", "2i", true],
    ["\\frac{1}{1+i}", "\\frac{1-i}{2}", true],
    ["(x+i)(x-i)", "x^2+1", true],
    ["2i", "3i", false],
    ["i", "-i", false],
    ["\\sqrt{-x^2-1}", "\\sqrt{-(x^2+1)}", true],
  ])("complex numbers: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    ["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}", true],
    ["\\begin{pmatrix}1&2\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}", false],
    [
      "\\begin{pmatrix} -1/3 \\\\ 2/3 \\end{pmatrix}",
      "\\begin{pmatrix} \\frac{-1}{3} \\\\ \\frac23 \\end{pmatrix}",
      true,
    ],
    ["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)", false],
  ])("matrices: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it.each([
    "",
    " ",
    "$",
    "...",
    "3 +",
    "(",
    "(1,2",
    "{1",
    "}",
    "\\frac{1}",
    "=",
    "\\boxed{",
    "t(0,4]",
    "?",
    "1".repeat(2001),
  ])("%j is unparseable and does not equal itself", (text) => {
    expect(parseAnswer(text).ok).toBe(false);
    expect(equalStrict(text, text)).toBe(false);
  });

  it.each([
    ["\\sqrt{8}-2\\sqrt2", "0", true],
    ["\\sin^2 x+\\cos^2 x-1", "0", true],
    ["e^{i\\pi}+1", "0", true],
    ["\\sqrt2\\cdot10^{-12}", "\\frac{\\sqrt8}{2}10^{-12}", true],
    ["\\sqrt2\\cdot10^{-12}", "\\sqrt2\\cdot 10^{-11}", false],
    ["\\sqrt{8}-2\\sqrt2", "10^{-17}", false],
  ])("values too near to 0 to sample, by the algebra package: %j, %j: %j", (a, b, equal) => {
    expect(compare(a, b)).toEqual([equal, equal]);
  });

  it("runs no code made from text, neither its own nor the algebra package's", () => {
    const script = `import { equalStrict } from "thoughtbook/answer";
      console.log(equalStrict("(1+i)^2", "2i"), equalStrict("sqrt(8)-2sqrt(2)", "0"), equalStrict("process.exit(1)", "1"))`;
    const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "-e", script];
    const { stdout, stderr } = spawnSync(process.execPath, flags, { cwd: root, encoding: "utf8" });
    expect([stdout, stderr]).toEqual(["true true false\n", ""]);
  });

  it("knows no name of Object.prototype", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      expect(equalStrict(`\\${name}{1}`, "1")).toBe(false);
      expect(equalStrict(`${name}(1)`, "1")).toBe(false);
      expect(equalStrict(`1_{${name}}`, "1")).toBe(false);
    }
  });
});
