/** The private folder of control's Unix sockets, and the check that no other gate runs on this data folder. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
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

/**
 * `run` in the data folder, or where a socket's path there would be too long, a temporary folder that `run` links to.
 * @throws SallyportError `config_invalid` when another process serves from this data folder
 */
export async function openSocketFolder(dataDir: string): Promise<SocketFolder> {
  makePrivateFolder(dataDir);
  await refuseServed(dataDir);
  const path = join(dataDir, "run");
  if (Buffer.byteLength(path) > LONGEST_FOLDER_BYTES) return openTemporary(path);
  // A link without its temporary folder, from when the data folder had a longer path.
  if (!existsSync(path)) rmSync(path, { force: true });
  mkdirSync(path, { mode: 0o700, recursive: true });
  // It may have been there, and open to others; whoever enters it speaks to control as an edge.
  chmodSync(path, 0o700);
  return { path, remove: () => {} };
}

/** The link may stay when its folder goes: the next gate lays its own, and must not lose that to this one's end. */
function openTemporary(link: string): SocketFolder {
  const path = mkdtempSync(join(tmpdir(), "sallyport-"));
  rmSync(link, { recursive: true, force: true });
  symlinkSync(path, link);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Only looks. @throws SallyportError `config_invalid` when a process serves from this data folder; one with another
 * folder for temporary files than this process sees is not found where the path is too long for a socket
 */
export async function refuseServed(dataDir: string): Promise<void> {
  const path = join(dataDir, "run");
  if (!existsSync(path) || !(await answers(join(realpathSync(path), "feed.sock")))) return;
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
