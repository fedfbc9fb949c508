/** Backup of a SQLite store while it is in use, and restoration while it is not. */
import { existsSync } from "node:fs";
import { chmod, copyFile, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { formatInstant } from "../core/instant.ts";
import { newEpoch } from "./codec.ts";
import { checkFile, createPrivateFile, isBusy, openReader, storeError } from "./sqlite-file.ts";

/** One step reads the whole file at one moment, on a thread of its own; writers are not held up. */
const ALL_PAGES = 0x7fffffff;
/** A store's file and what SQLite may keep beside it. */
const SUFFIXES = ["", "-wal", "-shm"];

/**
 * Writes the store's state of one moment to `target`, readable by its owner only. `target` appears whole and
 * checked, or not at all; an earlier one is replaced.
 * @throws SallyportError "store_corrupt", "store_unavailable", or "config_invalid" when `file` is not a store.
 */
export async function backupSqlite(file: string, target: string): Promise<void> {
  const partial = `${target}.partial`;
  await withDatabase(
    () => openReader(file),
    async (source) => {
      checkFile(source, file);
      await rm(partial, { force: true });
      createPrivateFile(partial);
      await backup(source, partial, { rate: ALL_PAGES });
    },
  );
  await withDatabase(
    () => new DatabaseSync(partial),
    async (copy) => {
      checkFile(copy, partial);
      // A backup is one file, also where it cannot be written beside.
      copy.exec("PRAGMA journal_mode = DELETE");
    },
  );
  await moveInto(partial, target);
}

/**
 * Puts a backup in the place of the store `file`, under a new epoch, so that every reader knows that what it
 * holds is of another history. The file that was there is kept as `{file}.replaced-{time}`, under a name that
 * nothing has yet; nothing is touched before the backup has proved to be one.
 * @returns where the file that was there is now; `undefined` when there was none
 * @throws SallyportError "store_unavailable" while a process has the store open, "config_invalid" for a backup
 * that is damaged or none.
 */
export async function restoreSqlite(backupFile: string, file: string, clock: Clock): Promise<string | undefined> {
  checkBackup(backupFile);
  const partial = `${file}.restoring`;
  const replaced = existsSync(file) ? freeName(file, clock.nowMs()) : undefined;
  try {
    await copyPrivately(backupFile, partial);
    await renewEpoch(partial, backupFile);
    if (replaced !== undefined) {
      await refuseInUse(file);
      for (const suffix of SUFFIXES) await renameIfThere(`${file}${suffix}`, `${replaced}${suffix}`);
    }
    await moveInto(partial, file);
    return replaced;
  } finally {
    await rm(partial, { force: true });
  }
}

/** Reads the given file and nothing beside it, also on a medium that cannot be written. */
function checkBackup(file: string): void {
  if (!existsSync(file)) throw new SallyportError("config_invalid", `there is no backup: ${file} is not there`);
  const url = pathToFileURL(file);
  url.searchParams.set("immutable", "1");
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(url, { readOnly: true });
    checkFile(db, file);
  } catch (cause) {
    const known = cause instanceof SallyportError && cause.code === "config_invalid";
    const finding = known ? cause.message : `${file} is damaged, or no backup of Sallyport`;
    throw new SallyportError("config_invalid", `${finding}; nothing was restored`, { cause });
  } finally {
    db?.close();
  }
}

async function copyPrivately(from: string, to: string): Promise<void> {
  createPrivateFile(to);
  try {
    await copyFile(from, to);
  } catch (cause) {
    throw new SallyportError("config_invalid", `${from} cannot be read`, { cause });
  }
  // Copying brought the other file's mode along.
  await chmod(to, 0o600);
}

async function renewEpoch(partial: string, backupFile: string): Promise<void> {
  await withDatabase(
    () => new DatabaseSync(partial),
    async (db) => {
      checkFile(db, backupFile);
      db.prepare("UPDATE meta SET epoch = ?").run(newEpoch());
      db.exec("PRAGMA journal_mode = DELETE");
    },
  );
}

/** Leaving WAL mode needs the file for oneself. */
async function refuseInUse(file: string): Promise<void> {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 0 });
    db.exec("PRAGMA journal_mode = DELETE");
  } catch (cause) {
    if (isBusy(cause)) {
      throw new SallyportError("store_unavailable", `${file} is in use: stop Sallyport first`, { cause });
    }
    // Damaged, or none of ours: no reason to keep a backup from its place.
  } finally {
    db?.close();
  }
}

async function withDatabase(open: () => DatabaseSync, work: (db: DatabaseSync) => Promise<void>): Promise<void> {
  let db: DatabaseSync | undefined;
  try {
    db = open();
    await work(db);
  } catch (error) {
    throw storeError(error);
  } finally {
    db?.close();
  }
}

/** A store that was put aside is never overwritten: it may be the only one that holds what came after the backup. */
function freeName(file: string, nowMs: number): string {
  const name = `${file}.replaced-${formatInstant(nowMs).slice(0, 19).replaceAll(":", "-")}Z`;
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? name : `${name}-${number}`;
    if (!SUFFIXES.some((suffix) => existsSync(`${free}${suffix}`))) return free;
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** On the disk before it carries the name, and the name after it. */
async function moveInto(partial: string, target: string): Promise<void> {
  await sync(partial, "r+");
  await rename(partial, target);
  await sync(dirname(target), "r");
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
