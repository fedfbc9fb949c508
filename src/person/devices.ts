/** Remembered devices: a browser that may leave out the factor, never the password, for as long as policy allows. */
import { timingSafeEqual } from "node:crypto";
import { type CanonicalIp, digest, newId, newSecret, type TenantId } from "../core/ids.ts";
import { provesAccepted } from "../core/second-factor.ts";
import type { Store, Write } from "../core/store.ts";
import type { Account } from "./account.ts";
import type { Visit } from "./visit.ts";

/** `{tenant}/{user}/{device}` → {@link DeviceRecord}. Quiet. */
export const DEVICE_KIND = "device";

interface DeviceRecord {
  readonly hash: string;
  /** The user's epoch when it was remembered: signing out everywhere, a new password or factor forgets it. */
  readonly epoch: number;
  readonly createdAtMs: number;
  /** The methods of the sign-in it was remembered at. Missing on older documents, which prove nothing. */
  readonly amr?: readonly string[];
  readonly address: CanonicalIp;
  readonly userAgent: string;
}

export interface RememberedDevice {
  readonly id: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly address: CanonicalIp;
  readonly userAgent: string;
}

/** A device that has been worked out: the cookie's value, and what to commit. */
export interface NewDevice {
  readonly token: string;
  readonly expiresAtMs: number;
  readonly write: Write;
}

/** @returns `undefined` when the tenant's policy remembers none. */
export function rememberDevice(
  visit: Visit,
  account: Account,
  amr: readonly string[],
  nowMs: number,
): NewDevice | undefined {
  const seconds = visit.tenant.policy.session.rememberDeviceSeconds;
  if (seconds <= 0) return undefined;
  const id = newId("dev", nowMs);
  const secret = newSecret();
  const value: DeviceRecord = {
    hash: digest(secret),
    epoch: account.user.epoch,
    createdAtMs: nowMs,
    amr,
    address: visit.address.text,
    userAgent: visit.userAgent.slice(0, 400),
  };
  const expiresAtMs = nowMs + seconds * 1000;
  const key = { kind: DEVICE_KIND, id: deviceDocumentId(account.tenant, account.id, id) };
  return { token: `${id}.${secret}`, expiresAtMs, write: { ...key, value, expiresAtMs, quiet: true } };
}

/**
 * The methods by which this browser came to be remembered for this user, if today's policy still remembers
 * browsers for so long and accepts what was proven then; otherwise `undefined`.
 */
export async function rememberedBy(
  store: Store,
  visit: Visit,
  account: Account,
  nowMs: number,
): Promise<readonly string[] | undefined> {
  const seconds = visit.tenant.policy.session.rememberDeviceSeconds;
  const [, id, secret] = /^(dev_[0-9a-z]{26})\.([A-Za-z0-9_-]{43})$/.exec(visit.cookies.device ?? "") ?? [];
  if (seconds <= 0 || id === undefined || secret === undefined) return undefined;
  const document = await store.get(DEVICE_KIND, deviceDocumentId(account.tenant, account.id, id));
  const record = document?.value as DeviceRecord | undefined;
  if (record === undefined || record.epoch !== account.user.epoch) return undefined;
  if (nowMs >= record.createdAtMs + seconds * 1000) return undefined;
  const { amr } = record;
  if (amr === undefined || !provesAccepted(visit.tenant.policy, { amr })) return undefined;
  return timingSafeEqual(Buffer.from(record.hash), Buffer.from(digest(secret))) ? amr : undefined;
}

/** The user's remembered devices, oldest first. */
export async function listDevices(store: Store, account: Account): Promise<RememberedDevice[]> {
  const prefix = `${account.tenant}/${account.id}/`;
  const documents = await store.list({ kind: DEVICE_KIND, prefix, limit: 100 });
  return documents.flatMap((document) => {
    const { epoch, createdAtMs, address, userAgent } = document.value as DeviceRecord;
    if (epoch !== account.user.epoch) return [];
    const expiresAtMs = document.expiresAtMs ?? createdAtMs;
    return [{ id: document.id.slice(prefix.length), createdAtMs, expiresAtMs, address, userAgent }];
  });
}

/** The write that forgets a device. */
export function forgetDevice(tenant: TenantId, user: string, device: string): Write {
  return { kind: DEVICE_KIND, id: deviceDocumentId(tenant, user, device), value: null, quiet: true };
}

function deviceDocumentId(tenant: TenantId, user: string, device: string): string {
  return `${tenant}/${user}/${device}`;
}
