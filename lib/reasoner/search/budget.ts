/** Tokens that a search may still write. What is asked for is reserved before, so that they are never exceeded. */
export interface TokenBudget {
  readonly total: number;
  readonly spent: number;
  /** Neither spent nor reserved. */
  readonly left: number;
  /** Reserve up to this many tokens; returns how many it got. */
  reserve(wanted: number): number;
  /** Give back what was reserved and not used. */
  settle(reserved: number, used: number): void;
}

/** Fewer tokens than this are not worth a call. */
export const LEAST_CALL = 8;

export function tokenBudget(total: number): TokenBudget {
  let [spent, reserved] = [0, 0];
  return {
    total,
    get spent() {
      return spent;
    },
    get left() {
      return total - spent - reserved;
    },
    reserve(wanted) {
      const granted = Math.max(0, Math.min(wanted, total - spent - reserved));
      reserved += granted;
      return granted;
    },
    settle(granted, used) {
      reserved -= granted;
      spent += used;
    },
  };
}
