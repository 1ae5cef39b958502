/** Maximum length of a server's own words that is shown. */
const SHOWN = 300;
/** A common substring with the prompt of this many characters counts as a piece of it. */
const PIECE = 12;

/**
 * Quote what a server says about an error, as ": …", in a message to the user. Servers repeat what they were sent:
 * words that contain the key, a piece of the prompt or a list of ids are left out as a whole.
 */
export function publicWords(body: unknown, secrets: readonly string[]): string {
  const message = messageOf(body);
  if (message === undefined) return "";
  const words = message
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, SHOWN + PIECE);
  if (words === "") return "";
  return secrets.some((secret) => repeats(words, secret)) || /(\d+\s*,\s*){4}/.test(words)
    ? " (its words repeat what it was sent, and are left out)"
    : `: ${words.slice(0, SHOWN)}`;
}

function messageOf(body: unknown): string | undefined {
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : body;
  return typeof message === "string" ? message : undefined;
}

function repeats(message: string, secret: string): boolean {
  const text = secret.replace(/\s+/g, " ").trim();
  if (text.length <= PIECE) return text.length > 3 && message.includes(text);
  for (let start = 0; start + PIECE <= message.length; start++) {
    if (text.includes(message.slice(start, start + PIECE))) return true;
  }
  return false;
}
