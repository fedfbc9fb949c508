/** `rotate-keys`: a new sealing key in front of those that are there; then everything under it; then the earlier ones gone. */
import { join } from "node:path";
import { addSecretKey, dropOlderSecretKeys, presentSecretKeys, SECRET_KEY_FILE } from "../config/key-files.ts";
import { SEALED_KINDS } from "../control/sealed-kinds.ts";
import { systemClock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { type Resealed, resealAll } from "../core/reseal.ts";
import { Ledger } from "../observe/ledger.ts";
import { type SignedBefore, signedBefore } from "../whitelist/signed-before.ts";
import { type Call, type Command, type Output, UsageError } from "./command.ts";
import { loadFor, withLocalStore } from "./local-store.ts";

type Finished = Resealed & SignedBefore & { readonly key: string };

export const rotateKeys: Command = {
  summary: "Make a new sealing key; then --reseal what the earlier ones sealed; then --retire them.",
  args: "",
  options: {
    reseal: { type: "boolean", help: "seal everything again under the newest key, which every node must have" },
    retire: { type: "boolean", help: "the same, then take the earlier keys out of secret.key" },
  },
  async run(call) {
    if (call.flag("reseal") && call.flag("retire")) throw new UsageError("--retire seals again by itself");
    if (call.flag("reseal")) return resealed(await reseal(call), isInFile(call));
    return call.flag("retire") ? await retire(call) : add(call);
  },
};

function add(call: Call): Output {
  const { dataDir } = inFile(
    call,
    "put a new key behind the present one, with a comma between, on every node; then in front",
  );
  const keys = addSecretKey(dataDir);
  const file = join(dataDir, SECRET_KEY_FILE);
  const next = "Send SIGHUP to sallyport (or restart it) to use it, then: sallyport rotate-keys --reseal";
  return { data: { file, keys }, text: `${file} holds ${keys} keys now, the new one first\n${next}` };
}

async function retire(call: Call): Promise<Output> {
  const { dataDir } = inFile(call, "run --reseal, then take the earlier keys out of it, on every node");
  const finished = await reseal(call);
  const retired = dropOlderSecretKeys(dataDir);
  const file = join(dataDir, SECRET_KEY_FILE);
  const lines = [...describe(finished), `${file} holds one key now; ${retired} earlier taken out`];
  const next = "Send SIGHUP to sallyport (or restart it). Keep the earlier keys with the backups made under them.";
  return { data: { ...finished, file, retired }, text: [...lines, next].join("\n") };
}

async function reseal(call: Call): Promise<Finished> {
  return await withLocalStore(call, async ({ store, keyring }) => {
    const found = await resealAll(store, keyring, SEALED_KINDS, systemClock.nowMs());
    const { resealed, unreadable } = found;
    const actor = { kind: "cli", id: "rotate-keys" } as const;
    const after = { key: keyring.primaryKeyId, resealed, unreadable: unreadable.length };
    // Its own chain's head is sealed by the new key too.
    const ledger = new Ledger({ store, keyring, chain: "cli", clock: systemClock });
    await ledger.commit({ writes: [], audit: [{ action: "keys.resealed", actor, after }] });
    return { key: keyring.primaryKeyId, ...found, ...(await signedBefore(store, found.sinceMs)) };
  });
}

function resealed(finished: Finished, file: boolean): Output {
  const how = file
    ? "sallyport rotate-keys --retire takes them out."
    : "Take them out of SALLYPORT_SECRET_KEY on every node, then SIGHUP.";
  return { data: finished, text: [...describe(finished), `It is safe to retire the earlier keys. ${how}`].join("\n") };
}

function describe({ key, resealed, unreadable, links, shortcuts }: Finished): string[] {
  const sum = Object.values(resealed).reduce((total, count) => total + count, 0);
  return [
    `${sum} documents sealed again; everything in the store is under key ${key} now`,
    ...(unreadable.length === 0
      ? []
      : [`${unreadable.length} open with no key that is here, and did not before: ${unreadable.join(", ")}`]),
    ...(links + shortcuts === 0
      ? []
      : [`${links} links and ${shortcuts} shortcuts were handed out under earlier keys, and stop working with them`]),
  ];
}

function isInFile(call: Call): boolean {
  return loadFor(call).secrets.secretKey === undefined;
}

function inFile(call: Call, hint: string) {
  const { config, secrets } = loadFor(call);
  if (secrets.secretKey !== undefined) {
    const message = `the key comes from SALLYPORT_SECRET_KEY: ${hint}, with a SIGHUP each time`;
    throw new SallyportError("config_invalid", message);
  }
  presentSecretKeys(config.dataDir, secrets);
  return config;
}
