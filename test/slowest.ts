import type { Reporter, TestModule } from "vitest/node";

const SHOWN = 20;

interface Timed {
  name: string;
  milliseconds: number;
}

/** Prints which files and which tests took longest, where more files ran than are printed. */
export class SlowestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length <= SHOWN) return;
    const files = modules.map((module): Timed => {
      const { collectDuration, duration } = module.diagnostic();
      return { name: module.relativeModuleId, milliseconds: collectDuration + duration };
    });
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map(
        (test): Timed => ({
          name: `${module.relativeModuleId} > ${test.fullName}`,
          milliseconds: test.diagnostic()?.duration ?? 0,
        }),
      ),
    );
    console.log(`${slowest("files", files)}\n${slowest("tests", tests)}`);
  }
}

/** A table of the slowest, in seconds of wall-clock time, which counts what else the machine did. */
function slowest(what: string, timed: readonly Timed[]): string {
  const total = timed.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const first = [...timed].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, SHOWN);
  const rows = first.map(({ name, milliseconds }) => `${seconds(milliseconds).padStart(7)} s  ${name}`);
  return `\nThe slowest ${SHOWN} of ${timed.length} ${what}, which took ${seconds(total)} s together:\n${rows.join("\n")}`;
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1);
