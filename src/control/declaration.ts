/** What the configuration file declares, brought into the store: at the start as soon as that is there, later when told. */
import type { ChangeCommitter } from "../core/audit.ts";
import { syncDeclaredTenants } from "../core/declared-tenants.ts";
import type { Logger } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { TenantFields } from "../core/tenants.ts";
import type { Follower } from "../replica/follower.ts";

const RETRY_MS = 1_000;

export interface DeclarationOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly follower: Pick<Follower, "reached">;
  readonly log: Logger;
}

export class Declaration {
  readonly #options: DeclarationOptions;
  /** What was accepted last. */
  #tenants: readonly TenantFields[];
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DeclarationOptions, tenants: readonly TenantFields[]) {
    this.#options = options;
    this.#tenants = tenants;
  }

  /** What the file declares is in the store before anybody is served, if the store is there; otherwise as soon as it is. */
  async start(): Promise<void> {
    const { store, follower, log } = this.#options;
    try {
      await this.#declare();
      await follower.reached((await store.head()).revision);
    } catch (error) {
      if (this.#closed) return;
      log.error({ err: error }, "the declared tenants are not in force; trying again");
      this.#timer = setTimeout(() => void this.start(), RETRY_MS);
    }
  }

  /** @throws SallyportError `host_taken`, or why the store does not take them; then those accepted before are kept to */
  declare(tenants: readonly TenantFields[]): Promise<void> {
    return this.#declare(tenants);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** One after another, so that an earlier list never overtakes a later one. */
  #declare(asked?: readonly TenantFields[]): Promise<void> {
    const done = this.#turn.then(async () => {
      const tenants = asked ?? this.#tenants;
      await syncDeclaredTenants(this.#options.store, this.#options.ledger, tenants);
      this.#tenants = tenants;
    });
    this.#turn = done.catch(() => {});
    return done;
  }
}
