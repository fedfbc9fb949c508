/** Everything in the store that is sealed; a rotation of the keys seals all of it again. */
import { SEALED_ANSWERS } from "../admin/idempotency.ts";
import type { SealedKind } from "../core/reseal.ts";
import { SEALED_OUTBOX } from "../notify/outbox.ts";
import { SEALED_HEADS } from "../observe/audit-chain.ts";
import { SEALED_SIGNING_KEYS } from "../person/assertion.ts";
import { SEALED_ENROLMENTS } from "../person/enrolment.ts";
import { SEALED_CREDENTIALS } from "../person/totp.ts";

export const SEALED_KINDS: readonly SealedKind[] = [
  SEALED_CREDENTIALS,
  SEALED_ENROLMENTS,
  SEALED_SIGNING_KEYS,
  SEALED_OUTBOX,
  SEALED_ANSWERS,
  SEALED_HEADS,
];
