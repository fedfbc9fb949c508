/** The private folder of control's Unix sockets, and the check that no other gate runs on this data folder. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePrivateFolder } from "../config/key-files.ts";
import { SallyportError } from "../core/errors.ts";

/** The kernel's limit for a socket's path is 107 bytes; the names in the folder need some of them. */
const LONGEST_FOLDER_BYTES = 90;

export interface SocketFolder {
  readonly path: string;
  /** Takes it away if it is a temporary one. */
  remove(): void;
}

/** @throws SallyportError `config_invalid` when another process serves from this data folder. */
export async function openSocketFolder(dataDir: string): Promise<SocketFolder> {
  makePrivateFolder(dataDir);
  const path = join(dataDir, "run");
  if (Buffer.byteLength(path) > LONGEST_FOLDER_BYTES) {
    const temporary = mkdtempSync(join(tmpdir(), "sallyport-"));
    return { path: temporary, remove: () => rmSync(temporary, { recursive: true, force: true }) };
  }
  mkdirSync(path, { mode: 0o700, recursive: true });
  // It may have been there, and open to others; whoever enters it speaks to control as an edge.
  chmodSync(path, 0o700);
  await refuseServed(dataDir);
  return { path, remove: () => {} };
}

/** Only looks. @throws SallyportError `config_invalid` when a process serves from this data folder */
export async function refuseServed(dataDir: string): Promise<void> {
  if (!(await answers(join(dataDir, "run", "feed.sock")))) return;
  const issue = {
    at: dataDir,
    message: "is in use by another sallyport",
    hint: "stop it, or choose another dataDir or SALLYPORT_DATA_DIR",
  };
  throw new SallyportError("config_invalid", `${dataDir} is in use by another sallyport`, { issues: [issue] });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
