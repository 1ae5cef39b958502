import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that run for minutes. One of them begun last would run alone at the end, on one core of the machine's. */
const LONGEST = ["test/notebook/book.test.ts", "test/astar/compress/compress.test.ts", "test/notebook/", "test/cli/"];

/** As Vitest orders files, which knows only those that it has run before, but with the longest first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((part) => moduleId.replaceAll("\\", "/").includes(part));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
