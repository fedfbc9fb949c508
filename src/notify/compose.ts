/** From a notice to a mail's subject and content, in the reader's language; how it looks is `mail-layout.ts`'s. */
import { describeBrowser } from "../look/browsers.ts";
import type { Language, TextKey, Translate } from "../look/language.ts";
import { translator } from "../look/language.ts";
import type { Notice } from "./notice.ts";

/** A mail's content, plain text throughout. */
export interface MailContent {
  readonly lang: Language;
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly action?: { readonly label: string; readonly link: string };
  /** What to do when it was not the reader's doing. */
  readonly warning?: string;
}

export interface ComposeContext {
  readonly tenantName: string;
  readonly recipientName?: string | undefined;
  readonly lang: Language;
  /** When it happened. */
  readonly nowMs: number;
}

type Draft = Omit<MailContent, "lang" | "paragraphs"> & { readonly body: readonly string[] };

/** @returns the content; every value in it is plain text, whatever it was made from. */
export function compose(notice: Notice, context: ComposeContext): MailContent {
  const text = translator(context.lang);
  const { body, ...draft } = draftOf(notice, context, text);
  const { recipientName: name } = context;
  const greeting = name === undefined ? text("mail.hello") : text("mail.helloName", { name });
  return { ...draft, lang: context.lang, paragraphs: [greeting, ...body] };
}

function draftOf(notice: Notice, context: ComposeContext, text: Translate): Draft {
  switch (notice.kind) {
    case "invite":
    case "password-reset":
    case "whitelist-link":
    case "access-request":
      return invitation(notice, context, text);
    case "shared-login":
      return sharedLogin(notice, context, text);
    default:
      return securityNotice(notice, context, text);
  }
}

type Invitation = Extract<Notice, { link: string }>;

function invitation(notice: Invitation, { tenantName: tenant, lang }: ComposeContext, text: Translate): Draft {
  const until = "expiresAtMs" in notice ? [text("mail.expires", { time: formatTime(notice.expiresAtMs, lang) })] : [];
  switch (notice.kind) {
    case "invite":
      return {
        subject: text("mail.invite.subject", { tenant }),
        body: [text("mail.invite.body", { tenant }), ...until],
        facts: [],
        action: { label: text("mail.invite.action"), link: notice.link },
        warning: text("mail.invite.warning"),
      };
    case "password-reset":
      return {
        subject: text("mail.passwordReset.subject", { tenant }),
        body: [text("mail.passwordReset.body", { tenant }), ...until],
        facts: [],
        action: { label: text("mail.passwordReset.action"), link: notice.link },
        warning: text("mail.passwordReset.warning"),
      };
    case "whitelist-link":
      return {
        subject: text("mail.whitelistLink.subject", { tenant }),
        body: [text("mail.whitelistLink.body", { tenant }), ...until],
        facts: notice.label === "" ? [] : [[text("mail.fact.label"), notice.label]],
        action: { label: text("mail.whitelistLink.action"), link: notice.link },
        warning: text("mail.whitelistLink.warning"),
      };
    case "access-request":
      return {
        subject: text("mail.accessRequest.subject", { tenant }),
        body: [text("mail.accessRequest.body", { tenant })],
        facts: [
          [text("mail.fact.from"), notice.from],
          [text("mail.fact.address"), notice.address],
          [text("page.reference"), notice.reference],
        ],
        action: { label: text("mail.accessRequest.action"), link: notice.link },
        warning: text("mail.accessRequest.warning"),
      };
  }
}

type SecurityNotice = Exclude<Notice, Invitation | { kind: "shared-login" }>;

/** What happened, when, and whom to tell when it was somebody else. */
function securityNotice(notice: SecurityNotice, context: ComposeContext, text: Translate): Draft {
  const { tenantName: tenant, lang, nowMs } = context;
  const { subject, body, facts = [] } = happening(notice, tenant, text);
  return {
    subject,
    body,
    facts: [...facts, [text("mail.fact.time"), formatTime(nowMs, lang)]],
    warning: text("mail.notYou", { tenant }),
  };
}

function happening(
  notice: SecurityNotice,
  tenant: string,
  text: Translate,
): Pick<Draft, "subject" | "body"> & Partial<Draft> {
  switch (notice.kind) {
    case "password-changed":
      return { subject: text("mail.passwordChanged.subject", { tenant }), body: [text("mail.passwordChanged.body")] };
    case "email-changed":
      return {
        subject: text("mail.emailChanged.subject", { tenant }),
        body: [text("mail.emailChanged.body", { tenant })],
        facts: [[text("mail.fact.login"), notice.login]],
      };
    case "factor-added":
      return {
        subject: text("mail.factorAdded.subject", { tenant }),
        body: [text("mail.factorAdded.body")],
        facts: factorFacts(notice, text),
      };
    case "factor-removed":
      return {
        subject: text("mail.factorRemoved.subject", { tenant }),
        body: [text("mail.factorRemoved.body")],
        facts: factorFacts(notice, text),
      };
    case "factors-reset":
      return { subject: text("mail.factorsReset.subject", { tenant }), body: [text("mail.factorsReset.body")] };
    case "recovery-code-used":
      return {
        subject: text("mail.recoveryCodeUsed.subject", { tenant }),
        body: [text("mail.recoveryCodeUsed.body"), text("mail.recoveryCodeUsed.left", { count: notice.left })],
      };
    case "recovery-codes-renewed":
      return { subject: text("mail.recoveryRenewed.subject", { tenant }), body: [text("mail.recoveryRenewed.body")] };
    case "locked":
      return { subject: text("mail.locked.subject", { tenant }), body: [text("mail.locked.body", { tenant })] };
    case "new-place":
      return {
        subject: text("mail.newPlace.subject", { tenant }),
        body: [text("mail.newPlace.body")],
        facts: [
          [text("mail.fact.address"), notice.address],
          [text("mail.fact.browser"), describeBrowser(text, notice.userAgent)],
        ],
      };
  }
}

function sharedLogin(
  notice: Extract<Notice, { kind: "shared-login" }>,
  context: ComposeContext,
  text: Translate,
): Draft {
  const { tenantName: tenant, lang, nowMs } = context;
  return {
    subject: text("mail.sharedLogin.subject", { tenant }),
    body: [text("mail.sharedLogin.body"), text("mail.sharedLogin.advice")],
    facts: [
      [text("mail.fact.login"), notice.login],
      [text("mail.fact.addresses"), notice.addresses.join(", ")],
      [text("mail.fact.time"), formatTime(nowMs, lang)],
    ],
  };
}

const FACTOR_TEXTS: Readonly<Record<string, Extract<TextKey, `factor.${string}`>>> = {
  totp: "factor.totp",
  passkey: "factor.passkey",
  sms: "factor.sms",
  recovery: "factor.recovery",
};

function factorFacts(notice: { factor: string; name: string }, text: Translate): Draft["facts"] {
  const key = FACTOR_TEXTS[notice.factor];
  const kind = key === undefined ? notice.factor : text(key);
  return [[text("mail.fact.factor"), notice.name === "" ? kind : `${kind} (${notice.name})`]];
}

/** In UTC, and saying so: neither the clinic's nor the reader's time zone is known. */
function formatTime(ms: number, lang: Language): string {
  return new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "long", timeZone: "UTC" }).format(ms);
}
