/** The policy as this node knows it: followed in the store, healed where that lost something, kept on disk for a restart. */
import { join } from "node:path";
import type { Readiness } from "../admin/dependencies.ts";
import type { Clock } from "../core/clock.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Logger } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { Follower } from "../replica/follower.ts";
import { PolicyReplica } from "../replica/policy.ts";
import { SnapshotFile } from "../replica/snapshot-file.ts";

export interface NodePolicyOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly dataDir: string;
  /** Whether a snapshot is kept: the store is elsewhere, and may be away when this node starts again. */
  readonly keepSnapshot: boolean;
  readonly staleAfterMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export class NodePolicy {
  readonly replica: PolicyReplica;
  readonly follower: Follower;
  readonly #clock: Clock;
  readonly #snapshot: SnapshotFile | undefined;

  /** Knows at once what the snapshot says, where there is one. */
  constructor(options: NodePolicyOptions) {
    const { store, staleAfterMs, keepSnapshot, clock, log } = options;
    this.#clock = clock;
    this.replica = new PolicyReplica(staleAfterMs);
    this.follower = new Follower({ store, replica: this.replica, clock, log });
    if (keepSnapshot) this.#snapshot = this.#openSnapshot(options);
  }

  /** The node is of use once it has policy to decide by and an edge that decides. */
  readiness(listeningEdges: number, refusesWrites: boolean): Readiness {
    const policy = this.replica.state(this.#clock.nowMs());
    const { state } = this.follower;
    return {
      ready: policy === "serving" && listeningEdges > 0,
      checks: {
        policy: { ok: policy === "serving", detail: policy },
        store: { ok: state === "following" && !refusesWrites, detail: refusesWrites ? "refuses-writes" : state },
        edges: { ok: listeningEdges > 0, detail: `${listeningEdges} listening` },
      },
    };
  }

  /** Once the follower is closed. */
  closeSnapshot(): void {
    this.#snapshot?.close();
  }

  #openSnapshot({ dataDir, keyring, clock, log }: NodePolicyOptions): SnapshotFile {
    const snapshot = new SnapshotFile({
      path: join(dataDir, "policy.snapshot"),
      macKey: keyring.deriveKey("policy-snapshot"),
      clock,
      log,
      fullState: () => this.follower.fullState(),
    });
    if (snapshot.load(this.replica)) log.info({ revision: this.replica.revision }, "policy loaded from the snapshot");
    this.follower.onFrames((frames) => snapshot.append(frames));
    return snapshot;
  }
}
