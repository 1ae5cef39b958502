/** Find the text in the braces that open at `open`, and whether they are closed; nested and escaped braces count. */
export function bracedGroup(text: string, open: number): { content: string; closed: boolean } {
  const brace = /[{}]/g;
  brace.lastIndex = open;
  let depth = 0;
  for (let match = brace.exec(text); match; match = brace.exec(text)) {
    depth += match[0] === "{" ? 1 : -1;
    if (depth === 0) return { content: text.slice(open + 1, match.index), closed: true };
  }
  return { content: text.slice(open + 1), closed: false };
}

/**
 * The last number of a text with commas removed, as Python's `re.findall(r"-?\d*\.?\d+", text)[-1]` has it; "" if there
 * is none.
 */
export function lastNumber(text: string): string {
  const plain = text.replaceAll(",", "");
  let end = plain.length;
  while (end > 0 && !isDigit(plain.charCodeAt(end - 1))) end--;
  // Matches start anew at each sign and after each other character, so only the last run matters.
  let start = end;
  while (start > 0 && (isDigit(plain.charCodeAt(start - 1)) || plain[start - 1] === ".")) start--;
  if (plain[start - 1] === "-") start--;
  let last = "";
  for (const match of plain.slice(start, end).matchAll(/-?\d*\.?\d+/g)) last = match[0];
  return last;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
