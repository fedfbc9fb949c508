/** Keys that are made on the first start and kept in the data folder, readable by their owner only. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Issue, SallyportError } from "../core/errors.ts";
import { parseSecretKeys } from "./environment.ts";
import type { Config, Secrets } from "./settings.ts";

export const ADMIN_KEY_FILE = "admin.key";
export const SECRET_KEY_FILE = "secret.key";

/**
 * The secrets, with those that nobody gave taken from the data folder, or made there: but no new sealing key beside
 * a store that was sealed with another. @throws SallyportError `config_invalid`
 */
export function completeSecrets({ dataDir, store }: Config, secrets: Secrets): Required<Secrets> {
  makePrivateFolder(dataDir);
  const given = secrets.secretKey !== undefined || existsSync(store.url.replace(/^sqlite:/, ""));
  const sealing = given ? presentSecretKeys(dataDir, secrets) : ensureSecretKeys(dataDir);
  return { adminKey: secrets.adminKey ?? ensureAdminKey(dataDir), ...sealing };
}

/** The bootstrap key in `admin.key`, made when it is not there. */
export function ensureAdminKey(dataDir: string): string {
  return ensureKeyFile(join(dataDir, ADMIN_KEY_FILE), () => randomBytes(32).toString("base64url"));
}

/** The sealing keys in `secret.key`, made when it is not there. Whoever loses them loses every sealed secret. */
export function ensureSecretKeys(dataDir: string): NonNullable<ReturnType<typeof parseSecretKeys>> {
  const file = join(dataDir, SECRET_KEY_FILE);
  const keys = parseSecretKeys(ensureKeyFile(file, () => randomBytes(32).toString("base64")));
  if (keys === undefined) throw refusal(file, "does not hold 32 bytes in base64", "restore it from a backup");
  return keys;
}

/** The sealing keys as they are; nothing is made. @throws SallyportError `config_invalid` when there are none */
export function presentSecretKeys(dataDir: string, secrets: Secrets): ReturnType<typeof ensureSecretKeys> {
  const { secretKey, olderSecretKeys = [] } = secrets;
  if (secretKey !== undefined) return { secretKey, olderSecretKeys };
  const file = join(dataDir, SECRET_KEY_FILE);
  if (existsSync(file)) return ensureSecretKeys(dataDir);
  throw refusal(file, "is not there", "give the store's own sealing key back, there or as SALLYPORT_SECRET_KEY");
}

/** Puts a new key in front of those in `secret.key`, in one step. @returns how many it holds then */
export function addSecretKey(dataDir: string): number {
  const { secretKey, olderSecretKeys } = ensureSecretKeys(dataDir);
  return replaceSecretKeys(dataDir, [randomBytes(32), secretKey, ...olderSecretKeys]);
}

/** Leaves the first of those in `secret.key`, in one step. @returns how many are gone */
export function dropOlderSecretKeys(dataDir: string): number {
  const { secretKey, olderSecretKeys } = ensureSecretKeys(dataDir);
  replaceSecretKeys(dataDir, [secretKey]);
  return olderSecretKeys.length;
}

function replaceSecretKeys(dataDir: string, keys: readonly Buffer[]): number {
  const file = join(dataDir, SECRET_KEY_FILE);
  const next = `${file}.next`;
  rmSync(next, { force: true });
  writeNew(next, keys.map((key) => key.toString("base64")).join(","));
  renameSync(next, file);
  return keys.length;
}

export function makePrivateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw refusal(folder, "cannot be made", "choose another with dataDir or SALLYPORT_DATA_DIR", cause);
  }
}

function ensureKeyFile(file: string, make: () => string): string {
  try {
    // Only one of two that start at once makes it; the other reads what the first made.
    writeNew(file, make());
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) {
      throw refusal(file, "cannot be written", "is the data folder this user's?", cause);
    }
  }
  if ((statSync(file).mode & 0o077) !== 0) throw refusal(file, "can be read by others", `chmod 600 ${file}`);
  return readFileSync(file, "utf8").trimEnd();
}

/** Durable, and readable by its owner only. @throws when it is there already */
function writeNew(file: string, text: string): void {
  const descriptor = openSync(file, "wx", 0o600);
  try {
    writeSync(descriptor, `${text}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function refusal(at: string, message: string, hint: string, cause?: unknown): SallyportError {
  const issue: Issue = { at, message, hint };
  return new SallyportError("config_invalid", `${at} ${message}`, { cause, issues: [issue] });
}
