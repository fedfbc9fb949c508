/** Opens a SQLite store's file: owner-only, checked, migrated, and set for durability. */
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SallyportError, StoreAbsentError, StoreUnavailableError } from "../core/errors.ts";
import { newEpoch } from "./codec.ts";

/** "SLPT": tells our file from any other SQLite file. */
const APPLICATION_ID = 0x534c5054;
/** Only for opening, migrating and backing up; commits wait for a lock without blocking the event loop. */
const OPEN_TIMEOUT_MS = 5_000;

/** Migration n takes a file of `user_version` n to n + 1. Never changed once released. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE meta (
     epoch TEXT NOT NULL, revision INTEGER NOT NULL, head INTEGER NOT NULL,
     feed_commits INTEGER NOT NULL, feed_bytes INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE document (
     kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,
     expires_at INTEGER NOT NULL, quiet INTEGER NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (kind, id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX document_expiry ON document (expires_at) WHERE expires_at > 0;
   CREATE TABLE feed (
     revision INTEGER PRIMARY KEY, previous INTEGER NOT NULL, bytes INTEGER NOT NULL, changes TEXT NOT NULL
   ) STRICT;
   CREATE TABLE used (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX used_expiry ON used (expires_at);
   CREATE TABLE bucket (key TEXT PRIMARY KEY, full_at REAL NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX bucket_expiry ON bucket (full_at);`,
];

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SQLITE_BUSY = 5;

/** SQLite's primary result code, or 0 for any other error. */
function resultCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : 0;
}

export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

/** A fault of SQLite as the port's errors: corruption is final, everything else (disk full, I/O, locks) may pass. */
export function storeError(error: unknown): SallyportError {
  if (error instanceof SallyportError) return error;
  const code = resultCode(error);
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return corrupt("", error);
  const reason = (error as { errstr?: unknown } | null)?.errstr;
  return new StoreUnavailableError(
    `the store refused: ${typeof reason === "string" ? reason : "unknown fault"}`,
    error,
  );
}

function corrupt(finding: string, cause?: unknown): SallyportError {
  const message = `the store's file is damaged${finding && `: ${finding}`}; stop Sallyport, keep the file, and put the last backup in its place with "sallyport restore"`;
  return new SallyportError("store_corrupt", message, { cause });
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function isNew(db: DatabaseSync): boolean {
  return pragma(db, "schema_version") === 0;
}

/** @throws SallyportError "store_corrupt" (damaged) or "config_invalid" (not ours, or of a newer version). */
export function checkFile(db: DatabaseSync, file: string): void {
  const version = Number(pragma(db, "user_version"));
  if (pragma(db, "application_id") !== APPLICATION_ID) {
    throw new SallyportError("config_invalid", `${file} is a SQLite file, but not a store of Sallyport`);
  }
  if (version > MIGRATIONS.length) {
    throw new SallyportError(
      "config_invalid",
      `${file} was written by a newer Sallyport (schema ${version}); use that version`,
    );
  }
  const finding = pragma(db, "quick_check");
  if (finding !== "ok") throw corrupt(String(finding).slice(0, 200));
}

/** Writes nothing where nothing is to be done: a store on a full disk can still be read. */
function migrate(db: DatabaseSync): void {
  if (pragma(db, "user_version") === MIGRATIONS.length) return;
  db.exec("BEGIN IMMEDIATE");
  const version = Number(pragma(db, "user_version"));
  for (const migration of MIGRATIONS.slice(version)) db.exec(migration);
  if (version === 0) {
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.prepare("INSERT INTO meta VALUES (?, 0, 0, 0, 0)").run(newEpoch());
  }
  db.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
}

/** Creates `file` readable by its owner only, with the folders above it. SQLite gives -wal and -shm the same mode. */
export function createPrivateFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, "a", 0o600));
}

/**
 * Opens, creating and migrating where needed. Each committed transaction is on the disk (WAL, `synchronous=FULL`).
 * Reads the whole file once to find damage (about a second a gigabyte from the page cache).
 * @param existing makes nothing that is not there
 * @throws SallyportError "store_corrupt", "config_invalid" or "store_unavailable", saying what to do; StoreAbsentError
 */
export function openDatabase(file: string, existing = false): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    if (existing) refuseAbsent(file);
    else if (file !== ":memory:") createPrivateFile(file);
    db = new DatabaseSync(file, { timeout: OPEN_TIMEOUT_MS });
    if (existing || !isNew(db)) checkFile(db, file);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864");
    migrate(db);
    db.exec("PRAGMA busy_timeout = 0");
    return db;
  } catch (error) {
    db?.close();
    throw storeError(error);
  }
}

/** @throws StoreAbsentError */
export function refuseAbsent(file: string): void {
  if (!existsSync(file)) throw new StoreAbsentError(`${file} is not there`);
}

/** A second connection that sees committed data only, while the first is in the middle of a long transaction. */
export function openReader(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { readOnly: true, timeout: OPEN_TIMEOUT_MS });
  } catch (error) {
    throw storeError(error);
  }
}
