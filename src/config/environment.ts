/** The environment's part: variables that win over the file, and secrets, which never are in the file. */
import { readFileSync } from "node:fs";
import type { Issue } from "../core/errors.ts";
import type { Credentials, Secrets } from "./settings.ts";
import type { KeyPath } from "./source.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that set one key of the file. */
export const OVERRIDES: Readonly<Record<string, KeyPath>> = {
  SALLYPORT_DATA_DIR: ["dataDir"],
  SALLYPORT_STORE_URL: ["store", "url"],
  SALLYPORT_EDGE_LISTEN: ["edge", "listen"],
  SALLYPORT_ADMIN_LISTEN: ["admin", "listen"],
  SALLYPORT_WORKERS: ["edge", "workers"],
  SALLYPORT_LOG_LEVEL: ["log", "level"],
};

/** Variables that may come as `NAME_FILE` instead, naming a file that holds the value. */
const SECRETS = [
  "SALLYPORT_ADMIN_KEY",
  "SALLYPORT_SECRET_KEY",
  "SALLYPORT_STORE_URL",
  "SALLYPORT_SMTP_PASSWORD",
  "SALLYPORT_TWILIO_AUTH_TOKEN",
];

/** Every variable that means something; others that look almost like one are refused as mistakes of the pen. */
export const VARIABLES: readonly string[] = [
  "SALLYPORT_CONFIG",
  "SALLYPORT_ADMIN_URL",
  ...Object.keys(OVERRIDES),
  ...SECRETS.filter((name) => !(name in OVERRIDES)),
  ...SECRETS.map((name) => `${name}_FILE`),
];

/** The variable's value, from its `_FILE` where that is set; empty counts as unset. Pushes what is wrong. */
export function readVariable(env: Environment, name: string, issues: Issue[]): string | undefined {
  const direct = env[name] || undefined;
  const file = SECRETS.includes(name) ? env[`${name}_FILE`] || undefined : undefined;
  if (file === undefined) return direct;
  if (direct !== undefined) {
    issues.push({ at: `${name}_FILE`, message: `is set beside ${name}`, hint: "set one of the two" });
    return undefined;
  }
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch {
    issues.push({ at: `${name}_FILE`, message: `names a file that cannot be read: ${file}` });
    return undefined;
  }
}

/** The bootstrap key and the secret key, checked. Their values appear in no issue. */
export function readSecrets(env: Environment, issues: Issue[]): Secrets {
  const adminKey = readVariable(env, "SALLYPORT_ADMIN_KEY", issues);
  if (adminKey !== undefined && adminKey.length < 32) {
    issues.push({
      at: "SALLYPORT_ADMIN_KEY",
      message: "must have 32 characters or more",
      hint: "openssl rand -hex 32",
    });
  }
  if (adminKey !== undefined && !/^[\x21-\x7e]*$/.test(adminKey)) {
    issues.push({
      at: "SALLYPORT_ADMIN_KEY",
      message: "must be printable ASCII without spaces, as it travels in a header",
    });
  }
  const text = readVariable(env, "SALLYPORT_SECRET_KEY", issues);
  const keys = text === undefined ? undefined : parseSecretKeys(text);
  if (text !== undefined && keys === undefined) {
    const hint = "openssl rand -base64 32; after a rotation, the new key, a comma, and the old one";
    issues.push({ at: "SALLYPORT_SECRET_KEY", message: "must be 32 bytes in base64", hint });
  }
  return { ...(adminKey !== undefined && { adminKey }), ...keys };
}

/** What the mail server and Twilio know us by. */
export function readCredentials(env: Environment, issues: Issue[]): Credentials {
  const smtpPassword = readVariable(env, "SALLYPORT_SMTP_PASSWORD", issues);
  const twilioAuthToken = readVariable(env, "SALLYPORT_TWILIO_AUTH_TOKEN", issues);
  return {
    ...(smtpPassword !== undefined && { smtpPassword }),
    ...(twilioAuthToken !== undefined && { twilioAuthToken }),
  };
}

/** The primary key, then older ones, separated by commas; each 32 bytes in canonical base64. `undefined` for anything else. */
export function parseSecretKeys(text: string): Required<Pick<Secrets, "secretKey" | "olderSecretKeys">> | undefined {
  const keys = text.split(",").map((part) => parseKey(part.trim()));
  const [secretKey, ...older] = keys;
  const olderSecretKeys = older.filter((key) => key !== undefined);
  if (secretKey === undefined || olderSecretKeys.length < older.length) return undefined;
  return { secretKey, olderSecretKeys };
}

function parseKey(text: string): Buffer | undefined {
  const key = Buffer.from(text, "base64");
  return key.byteLength === 32 && key.toString("base64") === text ? key : undefined;
}
