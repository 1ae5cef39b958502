import Fraction from "fraction.js";
import { FUNCTIONS, type MathToken } from "../strict/tokens.js";
import { isPlainWord } from "../strict/units.js";
import { fail, type Operator, type Result } from "./expression.js";
import type { MathFunction, MathNode } from "./math-node.js";

// Model output is untrusted: neither nesting nor size may exhaust the stack or the time.
const MAX_DEPTH = 60;
const MAX_TOKENS = 300;

const GREEK = new Set(
  (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau phi " +
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar"
  ).split(" "),
);
const CLOSING: Record<string, string> = { "(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉" };
const ARC: Partial<Record<MathFunction, MathFunction>> = { sin: "asin", cos: "acos", tan: "atan" };
const TRIGONOMETRIC: readonly MathFunction[] = ["sin", "cos", "tan", "cot", "sec", "csc"];

const KNOWN = new Set(["frac", "sqrt", "binom", "pi", "infty", "emptyset"]);

/**
 * Whether {@link parseMath} knows a command. Text with an unknown command is treated as words, not as broken
 * mathematics.
 */
export const isKnownCommand = (name: string): boolean =>
  KNOWN.has(name) || GREEK.has(name) || FUNCTIONS.has(name) || /^(?:begin|end):/.test(name);

/**
 * The expression that tokens spell: + − × ÷ ^, juxtaposition, `\frac`, `\sqrt`, `\binom`, functions, |x|, floor,
 * ceiling, factorial. Single letters and Greek ones are variables (with their subscript), except e and i; words of up
 * to three letters are products. A percent sign means nothing; a degree sign only inside of a trigonometric function.
 * `\log` without base is decimal. Errors: what is not such an expression, nested deeper than 60, more than 300 tokens.
 * @param plain as of `parsePlainAnswer`: numbers side by side are a product
 */
export function parseMath(tokens: readonly MathToken[], plain = false): Result<MathNode> {
  if (tokens.length > MAX_TOKENS) return fail(`more than ${MAX_TOKENS} tokens`);
  try {
    return { ok: true, value: new Parser(tokens, plain).parse() };
  } catch (error) {
    if (error instanceof NotMath) return fail(error.message);
    throw error;
  }
}

/** Ends the descent; never leaves this module. */
class NotMath extends Error {}

const number = (value: number | bigint): MathNode => ({ kind: "number", value: new Fraction(value) });
const call = (name: MathFunction, ...operands: MathNode[]): MathNode => ({ kind: "call", name, operands });
const binary = (operator: Operator, left: MathNode, right: MathNode): MathNode => ({
  kind: "binary",
  operator,
  left,
  right,
});

/**
 * Recursive descent; the state is the position, the open bars and whether the place is inside of a trigonometric
 * function.
 */
class Parser {
  private at = 0;
  private depth = 0;
  private bars = 0;
  private angle = false;

  constructor(
    private readonly tokens: readonly MathToken[],
    private readonly plain: boolean,
  ) {}

  parse(): MathNode {
    const node = this.sum();
    if (this.at < this.tokens.length) throw this.unexpected();
    return node;
  }

  private sum(): MathNode {
    if (this.depth >= MAX_DEPTH) throw new NotMath(`nested deeper than ${MAX_DEPTH}`);
    this.depth++;
    let left = this.product();
    for (;;) {
      const operator = this.skip("+") ? "+" : this.skip("-") ? "-" : undefined;
      if (operator === undefined) break;
      left = binary(operator, left, this.product());
    }
    this.depth--;
    return left;
  }

  private product(): MathNode {
    let left = this.signed();
    for (;;) {
      if (this.skip("*")) left = binary("*", left, this.signed());
      else if (this.skip("/") || this.skip("÷")) left = binary("/", left, this.signed());
      else if (this.startsFactor()) {
        // "12 34" is neither one number nor a product.
        if (!this.plain && left.kind === "number" && this.betweenNumbers()) throw this.unexpected();
        left = binary("*", left, this.power());
      } else return left;
    }
  }

  private signed(): MathNode {
    let negative = false;
    for (;;) {
      if (this.skip("-")) negative = !negative;
      else if (!this.skip("+")) break;
    }
    const operand = this.power();
    return negative ? { kind: "negate", operand } : operand;
  }

  private power(): MathNode {
    const base = this.postfix(this.primary());
    return this.skip("^") ? this.postfix(binary("^", base, this.exponent())) : base;
  }

  /** A group, or one signed factor; powers bind to the right. */
  private exponent(): MathNode {
    if (this.depth >= MAX_DEPTH) throw new NotMath(`nested deeper than ${MAX_DEPTH}`);
    this.depth++;
    const node = this.isSymbol("{") ? this.group() : this.signed();
    this.depth--;
    return node;
  }

  private postfix(operand: MathNode): MathNode {
    let node = operand;
    for (;;) {
      if (this.skip("!")) node = call("factorial", node);
      else if (this.skip("°")) {
        if (this.angle) node = binary("/", binary("*", node, { kind: "constant", name: "pi" }), number(180));
      } else if (!this.skip("%")) return node;
    }
  }

  private primary(): MathNode {
    const token = this.tokens[this.at];
    if (!token) throw new NotMath("ends too early");
    if (token.kind === "symbol") {
      if (token.text === "|") return this.absolute();
      if (!(token.text in CLOSING) && token.text !== "\\{") throw this.unexpected();
      const inner = this.group();
      return token.text === "⌊" ? call("floor", inner) : token.text === "⌈" ? call("ceil", inner) : inner;
    }
    this.at++;
    switch (token.kind) {
      case "number":
        return this.mixed(token) ?? { kind: "number", value: token.value };
      case "letter":
        return this.variable(token.text);
      case "word":
        // "2RC" is a product; longer words are words.
        if (/^[a-zA-Z]{2,3}$/.test(token.text) && !isPlainWord(token.text)) {
          return [...token.text]
            .map((letter) => this.variable(letter))
            .reduce((left, right) => binary("*", left, right));
        }
        break;
      case "command":
        return this.command(token.text);
    }
    throw new NotMath(`unexpected "${token.text}"`);
  }

  /** A whole number directly before a proper fraction of whole numbers. */
  private mixed(whole: MathToken & { kind: "number" }): MathNode | undefined {
    if (whole.digits === undefined || !this.isCommand("frac")) return undefined;
    const start = this.at++;
    const [over, under] = [this.argument(), this.argument()];
    if (over.kind === "number" && under.kind === "number" && over.value.d === 1n && under.value.d === 1n) {
      if (over.value.compare(under.value) < 0) {
        return { kind: "number", value: whole.value.add(over.value.div(under.value)) };
      }
    }
    this.at = start;
    return undefined;
  }

  private variable(letter: string): MathNode {
    const index = this.subscript();
    if (index === "" && (letter === "e" || letter === "i")) return { kind: "constant", name: letter };
    return { kind: "variable", name: letter + index };
  }

  private subscript(): string {
    if (!this.skip("_")) return "";
    const grouped = this.skip("{");
    let index = "_";
    do {
      const token = this.tokens[this.at++];
      if (!token) throw new NotMath("ends too early");
      index += token.text;
    } while (grouped && !this.skip("}"));
    return index;
  }

  private command(name: string): MathNode {
    switch (name) {
      case "pi":
        return { kind: "constant", name: "pi" };
      case "infty":
        return { kind: "constant", name: "infinity" };
      case "frac":
        return binary("/", this.argument(), this.argument());
      case "binom":
        return call("binomial", this.argument(), this.argument());
      case "sqrt": {
        const degree = this.isSymbol("[") ? this.group() : number(2);
        return call("root", this.argument(), degree);
      }
    }
    if (GREEK.has(name)) return this.variable(`\\${name}`);
    const known = FUNCTIONS.get(name);
    if (known) return this.functionCall(name, known);
    throw new NotMath(`unknown command "${name}"`);
  }

  private functionCall(name: string, meant: MathFunction): MathNode {
    const base = this.logarithmBase(name);
    let exponent = this.skip("^") ? this.exponent() : undefined;
    const inverse =
      exponent?.kind === "negate" && exponent.operand.kind === "number" && exponent.operand.value.equals(1);
    const used = (inverse ? ARC[meant] : undefined) ?? meant;
    if (used !== meant) exponent = undefined;

    const outside = this.angle;
    this.angle = TRIGONOMETRIC.includes(used);
    const operand = this.isSymbol("(") || this.isSymbol("[") || this.isSymbol("{") ? this.group() : this.factors();
    this.angle = outside;
    const value = call(used, operand, ...(base ? [base] : []));
    return exponent ? binary("^", value, exponent) : value;
  }

  /** `\log_2`; without one the base is 10. Functions but logarithms have none. */
  private logarithmBase(name: string): MathNode | undefined {
    if (name === "ln") return { kind: "constant", name: "e" };
    if (name !== "log") return undefined;
    return this.skip("_") ? this.argument() : number(10);
  }

  /** The argument of a function without parentheses: `\sin 2x`, but not what follows `\sin x \cos x`. */
  private factors(): MathNode {
    let node = this.signed();
    for (;;) {
      const token = this.tokens[this.at];
      const next = token?.kind === "command" && FUNCTIONS.has(token.text);
      if (next || !this.startsFactor() || this.isSymbol("(")) return node;
      node = binary("*", node, this.power());
    }
  }

  /** What `\frac`, `\sqrt`, … take: a group or one token. */
  private argument(): MathNode {
    return this.isSymbol("{") || this.isSymbol("(") ? this.group() : this.primary();
  }

  private group(): MathNode {
    const open = this.tokens[this.at++]!.text;
    const close = open === "\\{" ? "\\}" : CLOSING[open]!;
    const bars = this.bars;
    this.bars = 0;
    const inner = this.sum();
    this.bars = bars;
    if (!this.skip(close)) throw this.unexpected();
    return inner;
  }

  private absolute(): MathNode {
    this.at++;
    this.bars++;
    const inner = this.sum();
    this.bars--;
    if (!this.skip("|")) throw this.unexpected();
    return call("abs", inner);
  }

  private betweenNumbers(): boolean {
    return this.tokens[this.at]?.kind === "number" && this.tokens[this.at - 1]?.kind === "number";
  }

  private startsFactor(): boolean {
    const token = this.tokens[this.at];
    if (!token || token.kind === "text") return false;
    if (token.kind !== "symbol") return true;
    return token.text in CLOSING || token.text === "\\{" || (token.text === "|" && this.bars === 0);
  }

  private isSymbol(text: string): boolean {
    const token = this.tokens[this.at];
    return token?.kind === "symbol" && token.text === text;
  }

  private isCommand(text: string): boolean {
    const token = this.tokens[this.at];
    return token?.kind === "command" && token.text === text;
  }

  private skip(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.at++;
    return true;
  }

  private unexpected(): NotMath {
    const token = this.tokens[this.at];
    return new NotMath(token ? `unexpected "${token.text}"` : "ends too early");
  }
}
