/** Says in the store which key this node seals with, while it runs: a rotation of the keys waits for every node. */
import type { Clock } from "../core/clock.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Logger } from "../core/log.ts";
import { SEALING_NODE_EVERY_MS, sealingNode, stoppedSealing } from "../core/reseal.ts";
import type { Store, Write } from "../core/store.ts";

export interface SealingNodeOptions {
  readonly store: Pick<Store, "commit">;
  readonly node: string;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Resolves once it is said, or the store turned out to be away. @returns what takes it back */
export async function saySealing({
  store,
  node,
  keyring,
  clock,
  log,
}: SealingNodeOptions): Promise<() => Promise<void>> {
  const commit = async (write: Write): Promise<void> => {
    try {
      await store.commit({ writes: [write] });
    } catch (error) {
      log.debug({ err: error }, "what this node seals with waits for the store");
    }
  };
  const say = () => commit(sealingNode(node, keyring, clock.nowMs()));
  await say();
  const timer = setInterval(() => void say(), SEALING_NODE_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await commit(stoppedSealing(node));
  };
}
