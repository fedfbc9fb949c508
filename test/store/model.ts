/** A store as a plain Map, and generated commands that hold an adapter to it. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { Test } from "tap";
import { ConflictError } from "../../src/core/errors.ts";
import type { CommitRequest, Store, StoredDocument, Write } from "../../src/core/store.ts";
import type { StoreUnderTest } from "./contract.ts";

const KINDS = ["entry", "tenant"];
const IDS = ["a", "a/1", "a/2", "b"];

interface Held {
  readonly value: unknown;
  readonly revision: number;
  readonly expiresAtMs: number;
}

const write = fc.record({
  kind: fc.constantFrom(...KINDS),
  id: fc.constantFrom(...IDS),
  value: fc.oneof(
    fc.constant(null),
    fc.json({ maxDepth: 1 }).map((text) => JSON.parse(text) as unknown),
  ),
  ttlMs: fc.option(fc.integer({ min: -10, max: 3_000 }), { nil: undefined }),
});
const commit = fc.record({
  writes: fc.uniqueArray(write, { maxLength: 5, selector: ({ kind, id }) => `${kind}/${id}` }),
  guards: fc.array(fc.record({ kind: fc.constantFrom(...KINDS), id: fc.constantFrom(...IDS), right: fc.boolean() }), {
    maxLength: 2,
  }),
});
const step = fc.oneof(
  { weight: 5, arbitrary: commit.map((request) => ({ type: "commit" as const, request })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2_000 }).map((ms) => ({ type: "pass" as const, ms })) },
  { weight: 1, arbitrary: fc.constant({ type: "sweep" as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Model {
  readonly #held = new Map<string, Held>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  live(kind: string, id: string): Held | undefined {
    const held = this.#held.get(`${kind}/${id}`);
    return held === undefined || (held.expiresAtMs !== 0 && held.expiresAtMs <= this.#nowMs()) ? undefined : held;
  }

  apply(writes: readonly Write[], revision: number): void {
    for (const { kind, id, value, expiresAtMs = 0 } of writes) {
      if (value === null) this.#held.delete(`${kind}/${id}`);
      else this.#held.set(`${kind}/${id}`, { value, revision, expiresAtMs });
    }
  }

  documents(kind: string): StoredDocument[] {
    return IDS.flatMap((id) => {
      const held = this.live(kind, id);
      if (held === undefined) return [];
      const { expiresAtMs, ...rest } = held;
      return [{ kind, id, ...rest, ...(expiresAtMs !== 0 && { expiresAtMs }) }];
    });
  }
}

/** A follower: snapshot once, then the feed alone. */
class Follower {
  readonly values = new Map<string, { value: unknown; expiresAtMs: number }>();
  readonly #store: Store;
  #revision = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async load(whileLoading: () => Promise<unknown>): Promise<void> {
    const { head, batches } = await this.#store.snapshot(KINDS);
    this.#revision = head.revision;
    const concurrent = whileLoading();
    for await (const batch of batches) {
      for (const { kind, id, value, expiresAtMs = 0 } of batch)
        this.values.set(`${kind}/${id}`, { value, expiresAtMs });
    }
    await concurrent;
  }

  async follow(): Promise<void> {
    const changes = await this.#store.changesSince(this.#revision, 1_000);
    if (changes.gap) throw new Error("a gap");
    for (const { revision, previous, changes: list } of changes.commits) {
      if (previous !== this.#revision) throw new Error(`${previous} follows ${this.#revision}`);
      for (const { kind, id, value, expiresAtMs = 0 } of list) {
        if (value === null) this.values.delete(`${kind}/${id}`);
        else this.values.set(`${kind}/${id}`, { value, expiresAtMs });
      }
      this.#revision = revision;
    }
  }
}

async function run(store: Store, model: Model, underTest: StoreUnderTest, command: Step): Promise<void> {
  if (command.type === "pass") return underTest.pass(command.ms);
  if (command.type === "sweep") return void (await store.sweep(2));
  const nowMs = underTest.clock.nowMs();
  const writes = command.request.writes.map(({ ttlMs, ...rest }) => ({
    ...rest,
    ...(ttlMs !== undefined && rest.value !== null && { expiresAtMs: nowMs + ttlMs }),
  }));
  const preconditions = command.request.guards.map(({ kind, id, right }) => {
    const held = model.live(kind, id)?.revision ?? 0;
    return { kind, id, revision: right ? held : held + 1 };
  });
  const allHold = command.request.guards.every(({ right }) => right);
  const request: CommitRequest = { writes, preconditions };
  try {
    const revision = await store.commit(request);
    if (!allHold) throw new Error("a commit went through in spite of its precondition");
    model.apply(writes, revision);
  } catch (error) {
    if (!(error instanceof ConflictError) || allHold) throw error;
  }
}

async function wipe(store: Store): Promise<void> {
  await store.commit({ writes: KINDS.flatMap((kind) => IDS.map((id) => ({ kind, id, value: null }))) });
}

/** 150 generated histories, each on the emptied store; fails with the smallest history that differs. */
export async function checkModel(t: Test, store: Store, underTest: StoreUnderTest): Promise<void> {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 8 }),
    fc.array(step, { maxLength: 8 }),
    async (before, during) => {
      await wipe(store);
      const model = new Model(() => underTest.clock.nowMs());
      const follower = new Follower(store);
      for (const command of before) await run(store, model, underTest, command);
      await follower.load(async () => {
        for (const command of during) await run(store, model, underTest, command);
      });
      await follower.follow();
      for (const kind of KINDS) {
        const expected = model.documents(kind);
        const listed = await store.list({ kind, limit: 100 });
        if (!isDeepStrictEqual(listed, expected)) return false;
        for (const { id, value } of expected) {
          if (!isDeepStrictEqual(follower.values.get(`${kind}/${id}`)?.value, value)) return false;
        }
        const nowMs = underTest.clock.nowMs();
        const followed = [...follower.values].filter(
          ([key, { expiresAtMs }]) => key.startsWith(`${kind}/`) && (expiresAtMs === 0 || expiresAtMs > nowMs),
        );
        if (followed.length !== expected.length) return false;
      }
      return true;
    },
  );
  await t.resolves(fc.assert(property, { numRuns: 150 }));
}
