/** Cases 31 and 33 as data: tokens that must open nothing, and how each comes to be one. */

import type { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import type { AdminFixture } from "../support/admin-api.ts";
import { place, tokenOf } from "../support/places.ts";

export interface Surroundings {
  readonly gate: AdminFixture;
  readonly clock: FixedClock;
}

export interface SpoiledToken {
  readonly name: string;
  /** @returns a token to be tried at the tenant `a`, where everything is set up anew for each case */
  readonly make: (around: Surroundings) => Promise<string>;
}

async function link(gate: AdminFixture, tenant = "a", json: object = {}) {
  const { body } = await gate.call("POST", `/v1/tenants/${tenant}/links`, { json });
  return { id: body.id as string, token: tokenOf(body.url) };
}

async function shortcut(gate: AdminFixture, json: object = {}) {
  const { body } = await gate.call("POST", "/v1/tenants/a/shortcuts", { json });
  return { id: body.id as string, token: tokenOf(body.url) };
}

function respelt(token: string, part: 0 | 1 | 2, change: (json: Record<string, unknown>) => object): string {
  const parts = token.split(".");
  const json = JSON.parse(Buffer.from(parts[part] ?? "", "base64url").toString());
  parts[part] = Buffer.from(JSON.stringify(change(json))).toString("base64url");
  return parts.join(".");
}

/** Every single bit of the token's text flipped is one of these; the test tries them all. */
export const SPOILED_TOKENS: readonly SpoiledToken[] = [
  {
    name: "expired",
    make: async ({ gate, clock }) => {
      const { token } = await link(gate, "a", { ttlSeconds: 60 });
      clock.advance(60_000);
      return token;
    },
  },
  {
    name: "used up",
    make: async ({ gate }) => {
      const { token } = await link(gate, "a", { maxUses: 1 });
      await gate.whitelist.door.use("a" as TenantId, token, place("192.0.2.200"));
      return token;
    },
  },
  {
    name: "deleted",
    make: async ({ gate }) => {
      const { id, token } = await link(gate);
      await gate.call("DELETE", `/v1/tenants/a/links/${id}`);
      return token;
    },
  },
  { name: "of another tenant", make: async ({ gate }) => (await link(gate, "b")).token },
  {
    name: "a shortcut that was deleted",
    make: async ({ gate }) => {
      const { id, token } = await shortcut(gate);
      await gate.call("DELETE", `/v1/tenants/a/shortcuts/${id}`);
      return token;
    },
  },
  {
    name: "a shortcut unused for long",
    make: async ({ gate, clock }) => {
      const { token } = await shortcut(gate, { idleSeconds: 60 });
      clock.advance(60_000);
      return token;
    },
  },
  {
    name: "a link's id under a shortcut's type",
    make: async ({ gate }) =>
      respelt((await link(gate)).token, 0, (header) => ({ ...header, typ: "sallyport-shortcut+jwt" })),
  },
  {
    name: "another audience written in",
    make: async ({ gate }) => respelt((await link(gate, "b")).token, 1, (claims) => ({ ...claims, aud: "a" })),
  },
  {
    name: "a later expiry written in",
    make: async ({ gate, clock }) => {
      const { token } = await link(gate, "a", { ttlSeconds: 60 });
      clock.advance(60_000);
      return respelt(token, 1, (claims) => ({ ...claims, exp: 4_000_000_000 }));
    },
  },
  {
    name: "no algorithm",
    make: async ({ gate }) => {
      const token = respelt((await link(gate)).token, 0, (header) => ({ ...header, alg: "none" }));
      return `${token.split(".").slice(0, 2).join(".")}.`;
    },
  },
  { name: "padded", make: async ({ gate }) => `${(await link(gate)).token}=` },
  { name: "a line after it", make: async ({ gate }) => `${(await link(gate)).token}\n` },
  { name: "empty", make: async () => "" },
  { name: "very long", make: async ({ gate }) => (await link(gate)).token + "A".repeat(10_000) },
];
