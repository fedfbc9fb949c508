/** The durable outbox: a mail is written in the same commit as the change it tells of, and read by the worker. */
import { newId } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import { readAll } from "../core/read-all.ts";
import type { SealedKind } from "../core/reseal.ts";
import type { CommitRequest, Store, StoredDocument, Write } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { DEFAULT_LANGUAGE, type Language } from "../look/language.ts";
import { compose } from "./compose.ts";
import { layoutHtml, layoutText } from "./mail-layout.ts";
import type { OutgoingMail } from "./mail-transport.ts";
import type { Notice, NoticeKind } from "./notice.ts";
import type { MailSettings } from "./settings.ts";

/** Mail still to be sent, as {@link OutboxItem}: the worker reads this kind whole, so its documents are small. */
export const OUTBOX_KIND = "outbox";
/** The sealed {@link OutgoingMail} under the same id (`{tenant}/{mail}`), deleted once it is sent. */
export const OUTBOX_CONTENT_KIND = "outboxcontent";
/** What became of mail, as {@link OutboxItem}; kept for {@link KEEP_SETTLED_MS}. */
export const OUTBOX_SETTLED_KIND = "outboxsettled";
export const KEEP_SETTLED_MS = 7 * 24 * 60 * 60 * 1000;

/** Mails that wait, for a rotation of what seals them. */
export const SEALED_OUTBOX: SealedKind = {
  kind: OUTBOX_CONTENT_KIND,
  quiet: true,
  reseal: (keyring, { id, value }) => ({
    sealed: keyring.reseal((value as { sealed: string }).sealed, sealContext(id)),
  }),
};

/** Where a mail stands. `to` is masked: what names a person or holds a token is in the sealed content alone. */
export interface OutboxItem {
  readonly tenant: string;
  readonly notice: NoticeKind;
  readonly to: string;
  readonly state: "queued" | "sent" | "dead";
  readonly createdAtMs: number;
  /** When it is tried next, or until when an attempt has the lease. */
  readonly dueAtMs: number;
  /** After that it is of no use, as its link has expired. */
  readonly expiresAtMs: number;
  readonly attempts: number;
  /** A protocol and a code, as in `smtp 451`. */
  readonly lastError?: string;
  readonly settledAtMs?: number;
}

export interface OutboxEntry extends OutboxItem {
  readonly id: string;
}

export interface Recipient {
  readonly email: string;
  readonly name?: string;
  readonly lang?: Language;
}

const NO_EXPIRY_MS = 24 * 60 * 60 * 1000;
const ADDRESS = /^[^\s@<>()[\]\\,;:"\p{C}]{1,64}@[a-z0-9.-]{1,253}$/iu;

/** Whether mail can be addressed so: what could not stand in a header is refused. */
export function isMailable(email: string): boolean {
  return ADDRESS.test(email);
}

/** Makes the documents of mails, and shows and repeats them. */
export class Outbox {
  readonly #settings: MailSettings;
  readonly #keyring: Keyring;
  #written: () => void = () => {};

  constructor(settings: MailSettings, keyring: Keyring) {
    this.#settings = settings;
    this.#keyring = keyring;
  }

  /** Whether mail is sent at all; without it, whoever makes a link has to show it. */
  get enabled(): boolean {
    return this.#settings.transport !== "none";
  }

  /** @param listener called when documents were made, moments before they are committed */
  onWrite(listener: () => void): void {
    this.#written = listener;
  }

  /**
   * The documents that make a mail durable, to go into the commit of what it tells; the worker finds them there.
   * None when mail is off, or when the address could not be written into a header.
   */
  write(
    tenant: Pick<Tenant, "id" | "name" | "branding">,
    to: Recipient,
    notice: Notice,
    nowMs: number,
  ): readonly Write[] {
    const settings = this.#settings;
    if (settings.transport === "none" || !ADDRESS.test(to.email)) return [];
    const mailId = newId("mail", nowMs);
    const id = `${tenant.id}/${mailId}`;
    const lang = to.lang ?? DEFAULT_LANGUAGE;
    const content = compose(notice, { tenantName: tenant.name, recipientName: to.name, lang, nowMs });
    const look = { tenantName: tenant.name, accent: tenant.branding.accent };
    const { supportEmail } = tenant.branding;
    const mail: OutgoingMail = {
      id: mailId,
      dateMs: nowMs,
      from: { name: headerText(settings.senderName.replaceAll("{tenant}", () => tenant.name)), address: settings.from },
      to: { name: headerText(to.name ?? ""), address: to.email },
      ...(supportEmail !== undefined && ADDRESS.test(supportEmail) && { replyTo: supportEmail }),
      subject: headerText(content.subject),
      text: layoutText(content, look),
      html: layoutHtml(content, look),
    };
    const item: OutboxItem = {
      tenant: tenant.id,
      notice: notice.kind,
      to: maskAddress(to.email),
      state: "queued",
      createdAtMs: nowMs,
      dueAtMs: nowMs,
      expiresAtMs: "expiresAtMs" in notice ? notice.expiresAtMs : nowMs + NO_EXPIRY_MS,
      attempts: 0,
    };
    this.#written();
    const sealed = this.#keyring.seal(JSON.stringify(mail), sealContext(id));
    return [
      { kind: OUTBOX_KIND, id, value: item, quiet: true },
      {
        kind: OUTBOX_CONTENT_KIND,
        id,
        value: { sealed },
        expiresAtMs: item.expiresAtMs + KEEP_SETTLED_MS,
        quiet: true,
      },
    ];
  }

  /** @throws SallyportError "seal_invalid" when it was changed or its key is no longer in the ring. */
  async read(store: Store, id: string): Promise<OutgoingMail> {
    const content = await store.get(OUTBOX_CONTENT_KIND, id);
    const { sealed } = (content?.value ?? { sealed: "" }) as { sealed: string };
    return JSON.parse(this.#keyring.open(sealed, sealContext(id)).toString()) as OutgoingMail;
  }
}

/** A tenant's mails, those still to be sent first, each part oldest first. @param after the last one of the page before */
export async function listOutbox(
  store: Store,
  tenant: string,
  limit: number,
  after?: Pick<OutboxEntry, "id" | "state">,
): Promise<OutboxEntry[]> {
  const list = async (kind: string, limit: number, from: string | undefined) =>
    limit === 0 ? [] : await store.list({ kind, prefix: `${tenant}/`, limit, after: from });
  const waiting = after === undefined || after.state === "queued";
  const queued = waiting ? await list(OUTBOX_KIND, limit, after?.id) : [];
  const settled = await list(OUTBOX_SETTLED_KIND, limit - queued.length, waiting ? undefined : after.id);
  return [...queued, ...settled].map((document) => ({ id: document.id, ...(document.value as OutboxItem) }));
}

/**
 * What puts a dead mail back into the queue; `undefined` when there is none of this id, or its link has expired.
 * The caller has checked whose it is: `id` starts with the tenant's.
 */
export async function planRetry(store: Store, id: string, nowMs: number): Promise<Required<CommitRequest> | undefined> {
  const document = await store.get(OUTBOX_SETTLED_KIND, id);
  const item = document?.value as OutboxItem | undefined;
  if (document === undefined || item?.state !== "dead" || item.expiresAtMs <= nowMs) return undefined;
  const { settledAtMs: _, ...rest } = item;
  const queued: OutboxItem = { ...rest, state: "queued", attempts: 0, dueAtMs: nowMs };
  return {
    writes: [
      { kind: OUTBOX_SETTLED_KIND, id, value: null, quiet: true },
      { kind: OUTBOX_KIND, id, value: queued, quiet: true },
    ],
    preconditions: [{ kind: OUTBOX_SETTLED_KIND, id, revision: document.revision }],
  };
}

/** Every mail that is due; one under a lease is not. */
export async function listDue(store: Store, nowMs: number): Promise<StoredDocument[]> {
  const due: StoredDocument[] = [];
  for await (const document of readAll(store, { kind: OUTBOX_KIND }))
    if ((document.value as OutboxItem).dueAtMs <= nowMs) due.push(document);
  return due;
}

function sealContext(id: string): string {
  return `${OUTBOX_KIND}/${id}`;
}

/** One line without control, format and line-separating characters: nothing ends a header or turns its direction. */
function headerText(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, 200);
}

/** `s•••@clinic.example`: enough to recognise, too little to collect. */
function maskAddress(email: string): string {
  return `${email.slice(0, 1)}•••${email.slice(email.lastIndexOf("@"))}`;
}
