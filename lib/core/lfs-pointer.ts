import { open } from "node:fs/promises";
import { ThoughtbookError } from "./errors.js";

/** First lines of the small text that Git leaves in place of a large file, by the names the tool has had. */
const BEGINNING = /^\uFEFF?version https?:\/\/(?:git-lfs\.github\.com|hawser\.github\.com|git-media\.io)\//;
const LONGEST = 1024;

/** Whether a text is a pointer of Git LFS: a clone made without it has these instead of its large files. */
export const isLfsPointer = (text: string): boolean => text.length <= LONGEST && BEGINNING.test(text);

/** The error for a file that is a pointer, whose text is given; `further` adds sentences. */
export function lfsPointerError(file: string, text: string, further = ""): ThoughtbookError {
  const bytes = /^size (\d+)\s*$/m.exec(text)?.[1];
  const size = bytes === undefined ? "" : ` of ${Number(bytes).toLocaleString("en-US")} bytes`;
  return new ThoughtbookError("corrupt-data", `${file} is a Git-LFS pointer, not the file${size} that it stands for`, {
    hint: `Run \`git lfs install\` once, then \`git lfs pull\` in that folder, or download the files without Git. ${further}`.trim(),
  });
}

/**
 * Refuse a file that is only a pointer of Git LFS; unreadable files are left to the actual reader.
 *
 * @throws corrupt-data
 */
export async function refuseLfsPointer(file: string, further?: string): Promise<void> {
  const text = await readBeginning(file).catch(() => "");
  if (isLfsPointer(text)) throw lfsPointerError(file, text, further);
}

/** Text of a file as short as a pointer, else its first bytes, which are too many for one. */
async function readBeginning(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(LONGEST + 1), 0, LONGEST + 1, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
