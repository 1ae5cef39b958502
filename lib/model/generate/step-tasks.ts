/** Tasks interleaved with decoding steps, at most half of the time. */
export interface StepTasks {
  readonly waiting: number;
  add<T>(task: () => Promise<T>): Promise<T>;
  /**
   * Run one task, if there is one and it is its turn: always, or once the steps have had as much time as the last task
   * took.
   */
  run(othersWait: boolean): Promise<void>;
  /** Run the work that tasks share the time with. */
  timed<T>(step: () => Promise<T>): Promise<T>;
}

export function createStepTasks(): StepTasks {
  const tasks: (() => Promise<void>)[] = [];
  /** Milliseconds that the steps are still owed. */
  let owed = 0;
  return {
    get waiting() {
      return tasks.length;
    },
    add: <T>(task: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        tasks.push(async () => {
          await Promise.resolve().then(task).then(resolve, reject);
        });
      }),
    async run(othersWait) {
      if (tasks.length === 0 || (othersWait && owed > 0)) return;
      const start = performance.now();
      await tasks.shift()!();
      owed = performance.now() - start;
    },
    async timed(step) {
      const start = performance.now();
      const result = await step();
      owed -= performance.now() - start;
      return result;
    },
  };
}
