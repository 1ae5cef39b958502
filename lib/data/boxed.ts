/** The content of the last `\boxed{…}` or `\fbox{…}` whose braces balance, or of a last `\boxed 5`; undefined if there is none. */
export function lastBoxed(text: string): string | undefined {
  const starts = [...text.matchAll(/\\(?:boxed|fbox)\s*(\{|(?=[^\s{]))/g)].reverse();
  for (const { index, 0: command, 1: brace } of starts) {
    const start = index + command.length;
    if (brace === "") return /^[^\s$]*[^\s$.,]/.exec(text.slice(start))?.[0];
    const end = closingBrace(text, start);
    if (end !== undefined) return text.slice(start, end);
  }
  return undefined;
}

/** Where the brace closes that was opened just before `start`; escaped braces do not count. */
function closingBrace(text: string, start: number): number | undefined {
  let depth = 1;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return undefined;
}
