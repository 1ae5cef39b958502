/** What is known of one update. */
export interface TrainingRecord {
  /** The step as a text, which names the record. */
  id: string;
  /** Number of the update, from 1. */
  step: number;
  /** From 1. */
  epoch: number;
  /** Mean negative log-probability of the counted tokens before the update, in nats. */
  loss: number;
  learningRate: number;
  /** Norm of all gradients together, before clipping. */
  gradientNorm: number;
  /** Tokens put in since the beginning, padding left out. */
  tokens: number;
  /** What the model reached after the update, where it was evaluated. */
  scores?: Record<string, number> | undefined;
}
