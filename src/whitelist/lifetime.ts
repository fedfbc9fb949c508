/** What is asked for against what a tenant allows. */
import { SallyportError } from "../core/errors.ts";
import { type Allowance, DEFAULT_LIMITS, type Tenant, type TenantLimits } from "../core/tenant.ts";

/** @throws SallyportError `body_invalid` for more than the tenant's cap */
export function within(allowance: Allowance, asked: number | undefined, field: string): number {
  if (asked === undefined) return allowance.default;
  if (asked <= allowance.max) return asked;
  const issues = [{ at: `/${field}`, message: `must be at most ${allowance.max}`, hint: "this is the tenant's limit" }];
  throw new SallyportError("body_invalid", `${field} must be at most ${allowance.max}`, { issues });
}

export function limitsOf(tenant: Tenant): TenantLimits {
  return tenant.limits ?? DEFAULT_LIMITS;
}

/** Of two times in ISO 8601 and UTC. */
export function later(one: string, other: string): string {
  return one > other ? one : other;
}
