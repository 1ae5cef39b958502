/** What is known of one update. */
export interface TrainingRecord {
  /** The step as a text, which names the record. */
  id: string;
  /** Number of the update, from 1. */
  step: number;
  /** From 1. */
  epoch: number;
  /** What is minimised, before the update; of a language model the mean negative log-probability of a token, in nats. */
  loss: number;
  /** Further numbers that the source and the objective report. */
  metrics?: Record<string, number> | undefined;
  learningRate: number;
  /** Norm of all gradients together, before clipping. */
  gradientNorm: number;
  /** Tokens put in since the beginning, padding left out. */
  tokens: number;
  /** What the model reached after the update, where it was evaluated. */
  scores?: Record<string, number> | undefined;
}
