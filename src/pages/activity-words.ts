/** An audit record as a sentence for people who run a clinic, or nothing where it would not concern them. */
import type { AuditRecord } from "../core/audit.ts";
import type { PlainKey, TextKey, Translate } from "../look/language.ts";

const SENTENCES = {
  "entry.created": "activity.entry.created",
  "entry.changed": "activity.entry.changed",
  "entry.deleted": "activity.entry.deleted",
  "entry.restored": "activity.entry.restored",
  "allowlist.imported": "activity.list.imported",
  "allowlist.replaced": "activity.list.replaced",
  "link.created": "activity.link.created",
  "link.used": "activity.link.used",
  "link.refused": "activity.link.refused",
  "link.deleted": "activity.link.deleted",
  "link.use-removed": "activity.link.notUs",
  "name.created": "activity.name.created",
  "name.deleted": "activity.name.deleted",
  "name.restored": "activity.name.restored",
  "name.failing": "activity.name.failing",
  "shortcut.created": "activity.shortcut.created",
  "shortcut.run": "activity.shortcut.run",
  "shortcut.deleted": "activity.shortcut.deleted",
  "request.made": "activity.request.made",
  "request.approved": "activity.request.approved",
  "request.dismissed": "activity.request.dismissed",
  "session.started": "activity.session.started",
  "user.created": "activity.user.created",
  "user.invited": "activity.user.invited",
  "user.changed": "activity.user.changed",
  "user.deleted": "activity.user.deleted",
  "user.unlocked": "activity.user.unlocked",
  "sign-in.locked": "activity.user.locked",
  "factors.reset": "activity.factors.reset",
  "tenant.changed": "activity.tenant.changed",
  "tenant.declared": "activity.tenant.changed",
} as const satisfies Record<string, TextKey>;

/** Of these, where it came from says more than what it was done to. */
const TOLD_BY_PLACE: ReadonlySet<string> = new Set(["link.used", "link.refused", "shortcut.run"]);

export type Group = "in" | "changes";

/** Names of people, links and shortcuts by their ids. */
export type Names = (id: string) => string | undefined;

export interface Sentence {
  /** `in`: somebody was let in; `changes`: somebody managed something. */
  readonly group: Group;
  readonly text: string;
  readonly by: string | undefined;
}

export function sentenceOf(text: Translate, record: AuditRecord, names: Names): Sentence | undefined {
  const { actor, action } = record;
  const arrives = action === "session.started" || action === "link.used" || action === "shortcut.run";
  // What a link or shortcut did to the list is told by its own record.
  if (action.startsWith("entry.") && (actor.kind === "link" || actor.kind === "shortcut")) return undefined;
  const what = subjectOf(record, names) ?? text("portal.unnamed");
  const said = say(text, record, what);
  if (said === undefined) return undefined;
  const by = actorName(text, record, names);
  return { group: arrives ? "in" : "changes", text: said, by: by === what ? undefined : by };
}

function say(text: Translate, record: AuditRecord, what: string): string | undefined {
  const { action, after } = record;
  if (action === "sign-in.failed") {
    return text("activity.signIn.failed", { what, count: Number(asObject(after)["count"] ?? 1) });
  }
  const key = loginSentence(record) ?? SENTENCES[action as keyof typeof SENTENCES];
  return key === undefined ? undefined : text(key, { what }) + stepsOf(text, record);
}

const STEPS: Readonly<Record<string, PlainKey>> = {
  pwd: "activity.step.password",
  mail: "activity.step.mail",
  ticket: "activity.step.ticket",
  device: "activity.step.device",
  otp: "factor.totp",
  sms: "factor.sms",
  hwk: "factor.passkey",
  swk: "factor.passkey",
  recovery: "factor.recovery",
};

/** By which steps somebody signed in. */
function stepsOf(text: Translate, { action, after }: AuditRecord): string {
  const { amr } = asObject(after);
  if (action !== "session.started" || !Array.isArray(amr)) return "";
  const steps = amr.flatMap((method) => STEPS[String(method)] ?? []).map((key) => text(key));
  return steps.length === 0 ? "" : ` (${steps.join(", ")})`;
}

/** Who may manage the clinic, and who may sign in at all, are worth sentences of their own. */
function loginSentence({ action, before, after }: AuditRecord): TextKeyOfLogin | undefined {
  if (action !== "user.changed") return undefined;
  const [old, now] = [asObject(before), asObject(after)];
  if (now["state"] !== old["state"] && now["state"] === "disabled") return "activity.user.disabled";
  if (now["state"] !== old["state"] && old["state"] === "disabled") return "activity.user.enabled";
  if (now["role"] !== old["role"]) return now["role"] === "owner" ? "activity.user.owner" : "activity.user.user";
  return undefined;
}

type TextKeyOfLogin = `activity.user.${"disabled" | "enabled" | "owner" | "user"}`;

/** What it was done to: its label, address or login. */
function subjectOf({ target, before, after, action }: AuditRecord, names: Names): string | undefined {
  const about = { ...asObject(before), ...asObject(after) };
  const known = target === undefined ? undefined : names(target);
  if (TOLD_BY_PLACE.has(action) || action.startsWith("request."))
    return stringOf(about["from"]) ?? stringOf(about["address"]) ?? known;
  const label = stringOf(about["label"]) || stringOf(about["name"]) || known || stringOf(about["email"]);
  const cidr = stringOf(about["cidr"])?.replace(/\/(?:32|128)$/, "");
  return label !== undefined && cidr !== undefined ? `${label} (${cidr})` : (label ?? cidr);
}

function actorName(text: Translate, { actor }: AuditRecord, names: Names): string | undefined {
  switch (actor.kind) {
    case "user":
    case "link":
    case "shortcut":
      return names(actor.id);
    case "key":
    case "cli":
      return text("portal.byOperator");
    case "system":
      return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
