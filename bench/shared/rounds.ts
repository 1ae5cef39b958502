import { describeError } from "thoughtbook/core";

/** A peer's turns by round; null where it had none. */
export interface Turns<Turn> {
  turns: (Turn | null)[];
  /** Why the peer takes no part any more. */
  failure: string | null;
}

export interface RoundsOptions<Peer, Turn> {
  peers: readonly Peer[];
  rounds: number;
  /** One peer's share of one round; null when it does not take part in it. */
  turn(peer: Peer, round: number): Promise<Turn | null>;
  /** Before each turn: wait until the machine is ready for it. Default: at once. */
  beforeTurn?(): Promise<unknown>;
  onTurn?(peer: Peer, round: number, turn: Turn): void;
}

/**
 * Let peers take turns, all of them in each round, so that a machine whose speed drifts does the same to all. Each round
 * starts with another peer. A peer that throws is left out from then on; the others go on.
 *
 * @returns in the order of `peers`
 */
export async function runRounds<Peer, Turn>({
  peers,
  rounds,
  turn,
  beforeTurn = async () => {},
  onTurn,
}: RoundsOptions<Peer, Turn>): Promise<Turns<Turn>[]> {
  const results = peers.map((): Turns<Turn> => ({ turns: [], failure: null }));
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < peers.length; place++) {
      const index = (place + round) % peers.length;
      const [peer, result] = [peers[index]!, results[index]!];
      result.turns.push(null);
      if (result.failure !== null) continue;
      await beforeTurn();
      try {
        const value = await turn(peer, round);
        result.turns[round] = value;
        if (value !== null) onTurn?.(peer, round, value);
      } catch (error) {
        result.failure = describeError(error);
      }
    }
  }
  return results;
}
