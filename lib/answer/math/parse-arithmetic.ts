import Fraction from "fraction.js";
import { type Expression, fail, type Operator, type Rational, type Result } from "./expression.js";

// Model output is untrusted: neither its length nor its nesting may exhaust the stack.
const MAX_LENGTH = 2000;
const MAX_DEPTH = 100;

type Token = { kind: "number"; value: Rational; text: string } | { kind: "symbol"; text: string };

const OPERATORS: Record<string, Operator> = {
  "+": "+",
  "-": "-",
  "−": "-",
  "–": "-",
  "*": "*",
  "×": "*",
  "·": "*",
  x: "*",
  X: "*",
  "/": "/",
  "÷": "/",
  "^": "^",
};

// "1,080" has a separator at every third digit; "1 1/2" is a mixed number; ".5" and "5." are decimals.
const NUMBER = /(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+/y;
const MIXED = /(\d+)\s+(\d+)\s*\/\s*(\d+)(?![\d.,]*\d)/y;
const SYMBOL = /\*\*|[-+−–*×·xX/÷^()%]/y;

/**
 * Parse arithmetic text: + − × ÷ ^, parentheses, decimals, thousands separators, mixed numbers, percent.
 * A number before a parenthesis multiplies it. Currency signs and spaces mean nothing. Nothing is evaluated.
 */
export function parseArithmetic(text: string): Result<Expression> {
  if (text.length > MAX_LENGTH) return fail(`longer than ${MAX_LENGTH} characters`);
  const tokens = tokenize(text);
  if (!tokens.ok) return tokens;
  return new Parser(tokens.value).parse();
}

/** The number that a text states: digits with an optional sign, currency, separators, fraction or percent. */
export function parseNumber(text: string): Result<Rational> {
  const parsed = parseArithmetic(text);
  return parsed.ok ? literalValue(parsed.value, text) : parsed;
}

function literalValue(expression: Expression, text: string): Result<Rational> {
  switch (expression.kind) {
    case "number":
      return { ok: true, value: expression.value };
    case "negate":
    case "percent": {
      const inner = literalValue(expression.operand, text);
      if (!inner.ok) return inner;
      return { ok: true, value: expression.kind === "negate" ? inner.value.neg() : inner.value.div(100) };
    }
    case "binary":
      if (expression.operator === "/" && expression.left.kind === "number" && expression.right.kind === "number") {
        const { left, right } = expression;
        return right.value.equals(0) ? fail("division by zero") : { ok: true, value: left.value.div(right.value) };
      }
  }
  return fail(`"${text.trim()}" is an expression, not a number`);
}

function tokenize(text: string): Result<Token[]> {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const character = text[at]!;
    if (/[\s$€£¥]/.test(character)) {
      at++;
      continue;
    }
    const mixed = match(MIXED, text, at);
    const number = match(NUMBER, text, at);
    if (mixed && !/[\d.]/.test(text[at - 1] ?? "") && Number(mixed[3]) !== 0) {
      const value = new Fraction(BigInt(mixed[2]!), BigInt(mixed[3]!)).add(new Fraction(BigInt(mixed[1]!)));
      tokens.push({ kind: "number", value, text: mixed[0] });
      at += mixed[0].length;
    } else if (number) {
      tokens.push({ kind: "number", value: decimal(number[0]), text: number[0] });
      at += number[0].length;
    } else {
      const symbol = match(SYMBOL, text, at);
      if (!symbol) return fail(`unexpected "${character}"`);
      tokens.push({ kind: "symbol", text: symbol[0] === "**" ? "^" : symbol[0] });
      at += symbol[0].length;
    }
  }
  return { ok: true, value: tokens };
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function decimal(text: string): Rational {
  const [whole = "", fraction = ""] = text.replaceAll(",", "").split(".");
  return new Fraction(BigInt(`${whole}${fraction}` || "0"), 10n ** BigInt(fraction.length));
}

/** Recursive descent; the state is the position. Precedence: + −, × ÷, sign, ^ (to the right), %. */
class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  parse(): Result<Expression> {
    if (this.tokens.length === 0) return fail("empty");
    const expression = this.sum();
    if (!expression.ok) return expression;
    const rest = this.tokens[this.at];
    return rest ? fail(`unexpected "${rest.text}"`) : expression;
  }

  private sum(): Result<Expression> {
    return this.chain(["+", "-"], () => this.product());
  }

  private product(): Result<Expression> {
    return this.chain(["*", "/"], () => this.signed());
  }

  private chain(operators: Operator[], next: () => Result<Expression>): Result<Expression> {
    let left = next();
    while (left.ok) {
      const operator = this.operator();
      const implied = operators.includes("*") && this.symbol() === "(";
      if (!implied && !(operator && operators.includes(operator))) return left;
      if (!implied) this.at++;
      const right = next();
      if (!right.ok) return right;
      left = {
        ok: true,
        value: { kind: "binary", operator: implied ? "*" : operator!, left: left.value, right: right.value },
      };
    }
    return left;
  }

  private signed(): Result<Expression> {
    const operator = this.operator();
    if (operator !== "-" && operator !== "+") return this.power();
    this.at++;
    const operand = this.nested(() => this.signed());
    if (!operand.ok || operator === "+") return operand;
    return { ok: true, value: { kind: "negate", operand: operand.value } };
  }

  private power(): Result<Expression> {
    const base = this.postfix();
    if (!base.ok || this.operator() !== "^") return base;
    this.at++;
    const exponent = this.nested(() => this.signed());
    if (!exponent.ok) return exponent;
    return { ok: true, value: { kind: "binary", operator: "^", left: base.value, right: exponent.value } };
  }

  private postfix(): Result<Expression> {
    let operand = this.primary();
    while (operand.ok && this.symbol() === "%") {
      this.at++;
      operand = { ok: true, value: { kind: "percent", operand: operand.value } };
    }
    return operand;
  }

  private primary(): Result<Expression> {
    const token = this.tokens[this.at];
    if (!token) return fail("ends too early");
    this.at++;
    if (token.kind === "number") return { ok: true, value: token };
    if (token.text !== "(") return fail(`unexpected "${token.text}"`);
    const inner = this.nested(() => this.sum());
    if (!inner.ok) return inner;
    if (this.symbol() !== ")") return fail("a parenthesis is not closed");
    this.at++;
    return inner;
  }

  private nested(parse: () => Result<Expression>): Result<Expression> {
    if (this.depth >= MAX_DEPTH) return fail(`nested deeper than ${MAX_DEPTH}`);
    this.depth++;
    const result = parse();
    this.depth--;
    return result;
  }

  private symbol(): string | undefined {
    const token = this.tokens[this.at];
    return token?.kind === "symbol" ? token.text : undefined;
  }

  private operator(): Operator | undefined {
    return OPERATORS[this.symbol() ?? ""];
  }
}
