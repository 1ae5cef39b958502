import type { Content } from "./modules.js";

interface Entry {
  count: number;
  code: string;
}

const entries: Entry[] = [];

export function recordHistory(count: number, code: string): void {
  if (code.trim() !== "") entries.push({ count, code });
}

interface HistoryRequest {
  hist_access_type?: string;
  output?: boolean;
  session?: number;
  start?: number;
  stop?: number;
  n?: number | null;
  pattern?: string;
  unique?: boolean;
}

/** The answer to a history_request: the cells of this session, its first and only one; outputs are not kept. */
export function historyReply(request: HistoryRequest): Content {
  const { hist_access_type = "tail", output = false, session = 0, start = 0, stop, n, pattern = "*", unique } = request;
  let found = entries;
  if (hist_access_type === "range") {
    const isThis = session === 0 || session === 1;
    found = isThis ? entries.filter(({ count }) => count >= start && count < (stop ?? Number.POSITIVE_INFINITY)) : [];
  } else {
    if (hist_access_type === "search") {
      const wanted = globPattern(pattern);
      found = found.filter(({ code }) => wanted.test(code));
      if (unique) found = found.filter(({ code }, at) => at === found.findLastIndex((entry) => entry.code === code));
    }
    if (typeof n === "number") found = n > 0 ? found.slice(-n) : [];
  }
  return { status: "ok", history: found.map(({ count, code }) => [1, count, output ? [code, null] : code]) };
}

/** `*` for any text and `?` for any character. */
function globPattern(pattern: string): RegExp {
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, (mark) =>
    mark === "*" ? ".*" : mark === "?" ? "." : `\\${mark}`,
  );
  return new RegExp(`^${source}$`, "s");
}
