import { type Converted, isOfNarrowing, type SyntaxNode, type TslabConverter, typescript } from "./modules.js";

/** A cell that was converted to JavaScript and is being run. */
interface ConvertedCell {
  source: string;
  /** What cells after it see if it ends well. */
  declarations: string;
  /** The names of values that it declares. */
  names: readonly string[];
  /** The variable that holds the value of its last expression. */
  result: string | undefined;
  /** Whether that value is to be shown: an assignment's is not. */
  shown: boolean;
}

/** The variables of all cells. */
const variables: Record<string, unknown> = {};
/** The names that the running cell has given a value. */
let assigned = new Set<string>();
/** The types of what is in `variables`. */
let known = "";
let current: ConvertedCell | undefined;
/** The cells that ended well and of which something is left. */
let finished: Pick<ConvertedCell, "source" | "names">[] = [];
/** What is wrong with the types of the cell that was converted last. */
let diagnostics: Converted["diagnostics"] = [];

/**
 * The code of the cells up to the one that was just refused, if it may be only for what an earlier cell has checked: the
 * type of a variable as it was declared is all that tslab knows of it.
 */
export function refusedForNarrowing(source: string): string[] | undefined {
  const isIt = diagnostics.length > 0 && diagnostics.every(({ messageText }) => isOfNarrowing(messageText));
  return isIt ? [...finished.map((cell) => cell.source), source] : undefined;
}

/** As tslab's own, a target that takes named imports, which are defined as getters, as values that can be replaced. */
const scope = new Proxy(variables, {
  set(target, name: string, value) {
    assigned.add(name);
    target[name] = value;
    return true;
  },
  defineProperty(target, name: string, { get, value }) {
    if (name === "__esModule") return true;
    assigned.add(name);
    target[name] = get ? get() : value;
    return true;
  },
});

interface TslabGlobal {
  __tslab__: { exports: unknown; require: unknown };
}

/** Let cells keep their variables in our scope; after tslab has made its executor. */
export function mendScope(): void {
  const { __tslab__ } = globalThis as unknown as TslabGlobal;
  (globalThis as unknown as TslabGlobal).__tslab__ = { exports: scope, require: __tslab__.require };
}

/** Convert cells with what tslab does not see to; the declarations of earlier cells are kept here. */
export function mendConverter(converter: TslabConverter): void {
  const { convert, inspect, complete } = converter;
  converter.convert = (_, source) => {
    current = undefined;
    assigned = new Set();
    const converted = convert(known, expandSyntax(source));
    diagnostics = converted.diagnostics;
    if (diagnostics.length > 0) return converted;
    const { output, names } = splitReset(converted.output ?? "");
    const result = converted.lastExpressionVar;
    current = {
      source,
      declarations: converted.declOutput ?? "",
      names: names.filter((name) => name !== result),
      result,
      shown: !endsWithAssignment(source),
    };
    return {
      ...converted,
      output,
      lastExpressionVar: undefined,
      // `for await` is a syntax error unless there is another await.
      hasToplevelAwait: converted.hasToplevelAwait === true || /\bfor\s+await\b/.test(output),
    } satisfies Converted;
  };
  converter.inspect = (_, source, position) => inspect(known, source, position);
  converter.complete = (_, source, position) => complete(known, source, position);
}

/** Keep what the cell declared; returns the value of its last expression, undefined if there is none to be shown. */
export function finishCell(): unknown {
  if (!current) return undefined;
  known = current.declarations;
  const { source, names } = current;
  const isLeft = (cell: (typeof finished)[number]) =>
    cell.source !== source && (cell.names.length === 0 || cell.names.some((name) => !names.includes(name)));
  finished = [...finished.filter(isLeft), { source, names }];
  const value = takeResult(current);
  return current.shown ? value : undefined;
}

/** Keep what the cell had declared before it failed. What it had not come to is as it was before. */
export function finishFailedCell(): void {
  if (!current) return;
  const lost = new Set(current.names.filter((name) => !assigned.has(name)));
  const reached = selectDeclarations(current.declarations, (name) => name === undefined || !lost.has(name));
  known = reached + selectDeclarations(known, (name) => name !== undefined && lost.has(name));
  takeResult(current);
}

function takeResult({ result }: ConvertedCell): unknown {
  if (result === undefined) return undefined;
  const value = variables[result];
  delete variables[result];
  return value;
}

/**
 * The code without the line that sets all that it exports to undefined, and the names on it: a variable keeps the value of
 * an earlier cell until it gets its own.
 */
function splitReset(output: string): { output: string; names: string[] } {
  const names: string[] = [];
  const rest = output.replace(
    /^(Object\.defineProperty\(exports, "__esModule".*\n)((?:exports\..* = void 0;\n)+)/,
    (_, head, reset) => {
      names.push(...[...String(reset).matchAll(/exports\.([^\s=]+) = /g)].map((match) => match[1]!));
      return head + String(reset).replace(/[^\n]/g, "");
    },
  );
  return { output: rest, names };
}

const parse = (source: string) => typescript.createSourceFile("cell.ts", source, typescript.ScriptTarget.Latest);

/** The declarations of which the name is selected; those of interfaces and types come without a name. */
function selectDeclarations(source: string, select: (name: string | undefined) => boolean): string {
  const text = ({ pos, end }: SyntaxNode) => source.slice(pos, end);
  const parts = parse(source).statements.map((statement) => {
    const variables = statement.declarationList?.declarations;
    if (variables) {
      const kept = variables.filter(({ name }) => select(name?.text));
      return kept.length === 0 ? "" : `${source.slice(statement.pos, variables[0]!.pos)}${kept.map(text).join(",")};`;
    }
    if (statement.importClause) return importedNames(statement.importClause).every(select) ? text(statement) : "";
    const isValue = VALUES.has(statement.kind);
    return select(isValue ? statement.name?.text : undefined) ? text(statement) : "";
  });
  return parts.map((part) => `${part}\n`).join("");
}

const { FunctionDeclaration, ClassDeclaration, EnumDeclaration, ModuleDeclaration } = typescript.SyntaxKind;
const VALUES = new Set([FunctionDeclaration, ClassDeclaration, EnumDeclaration, ModuleDeclaration]);

function importedNames(clause: NonNullable<SyntaxNode["importClause"]>): string[] {
  const { name, namedBindings } = clause;
  return [name, namedBindings?.name, ...(namedBindings?.elements ?? []).map((element) => element.name)].flatMap(
    (node) => (node ? [node.text] : []),
  );
}

function endsWithAssignment(source: string): boolean {
  const { SyntaxKind } = typescript;
  const last = parse(source).statements.at(-1);
  let node = last?.kind === SyntaxKind.ExpressionStatement ? last.expression : undefined;
  while (node?.kind === SyntaxKind.ParenthesizedExpression) node = node.expression;
  const operator = node?.kind === SyntaxKind.BinaryExpression ? node.operatorToken!.kind : undefined;
  return operator !== undefined && operator >= SyntaxKind.FirstAssignment && operator <= SyntaxKind.LastAssignment;
}

/**
 * `{ seed }` as `{ seed: seed }`: tslab looks up only the latter among the variables of earlier cells. And `await (x)` as
 * `await Promise.resolve((x))`: where nothing but its place says that it may be awaited, it takes `await` for a function.
 */
function expandSyntax(source: string): string {
  const { ShorthandPropertyAssignment, Identifier } = typescript.SyntaxKind;
  const edits: { at: number; text: string }[] = [];
  const visit = (node: SyntaxNode, outer?: SyntaxNode): void => {
    if (node.kind === ShorthandPropertyAssignment && !node.objectAssignmentInitializer) {
      edits.push({ at: node.end, text: `: ${node.name!.text}` });
    }
    // The longest of `await (f)`, `await (f)()` and `await (f)().x`, of which `await` is the first word.
    const chain = outer && node.pos === outer.pos ? outer : node;
    if (node.kind === Identifier && node.text === "await" && chain !== node) {
      edits.push({ at: node.end, text: " Promise.resolve(" }, { at: chain.end, text: ")" });
    }
    typescript.forEachChild(node, (child) => visit(child, CHAINS.has(node.kind) ? chain : undefined));
  };
  visit(parse(source));
  const ordered = edits.sort((a, b) => b.at - a.at);
  return ordered.reduce((text, { at, text: added }) => `${text.slice(0, at)}${added}${text.slice(at)}`, source);
}

const { CallExpression, PropertyAccessExpression, ElementAccessExpression, NonNullExpression } = typescript.SyntaxKind;
const CHAINS = new Set([CallExpression, PropertyAccessExpression, ElementAccessExpression, NonNullExpression]);
