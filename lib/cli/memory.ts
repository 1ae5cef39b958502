/** What `--memory` means, for the help of all commands that run models. */
export const MEMORY =
  "what the process may take, such as 2GB: compiled programs of sizes not used for the longest time are let go (default: THOUGHTBOOK_MEMORY, else 512MiB for programs, and what weights and texts need)";

/** Make it the budget of this process. The engine reads it from the environment, so that it need not be loaded for this. */
export function useMemory(bytes: number | undefined): void {
  if (bytes !== undefined) process.env.THOUGHTBOOK_MEMORY = String(bytes);
}
