/** Hands one finished mail over: to an SMTP server, or into a folder. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { DeliveryError, type DeliveryOutcome } from "./delivery-error.ts";
import type { MailSettings, SmtpSettings } from "./settings.ts";

/** A mail as it goes out. Names and subject are free of control characters, addresses are checked. */
export interface OutgoingMail {
  /** Local part of the Message-ID: the same at every attempt, so that servers and readers can drop a double. */
  readonly id: string;
  readonly dateMs: number;
  readonly from: { readonly name: string; readonly address: string };
  readonly to: { readonly name: string; readonly address: string };
  readonly replyTo?: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MailTransport {
  /** Settles within {@link SEND_DEADLINE_MS}. @throws DeliveryError */
  send(mail: OutgoingMail): Promise<void>;
}

/** From then on an attempt is broken off and does nothing more. */
export const SEND_DEADLINE_MS = 45_000;

/** @returns `undefined` for `none`. @throws when the authority's file cannot be read. */
export async function openMailTransport(settings: MailSettings): Promise<MailTransport | undefined> {
  if (settings.transport === "none") return undefined;
  return settings.transport === "smtp" ? openSmtp(settings.smtp) : openFolder(settings.folder);
}

async function openSmtp({ host, port, security, auth, ca }: SmtpSettings): Promise<MailTransport> {
  const authority = ca === undefined ? {} : { ca: await readFile(ca) };
  const transport = createTransport({
    host,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    tls: { minVersion: "TLSv1.2", ...authority },
    ...(auth !== undefined && { auth }),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail) {
      try {
        await transport.sendMail({ ...messageOf(mail), signal: AbortSignal.timeout(SEND_DEADLINE_MS) });
      } catch (error) {
        throw smtpFailure(error);
      }
    },
  };
}

/** The file's name is the mail's, so that a repeated attempt replaces and never doubles. */
async function openFolder(folder: string): Promise<MailTransport> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  return {
    async send(mail) {
      const { message } = await composer.sendMail(messageOf(mail));
      const file = join(folder, `${new Date(mail.dateMs).toISOString().replace(/[:.]/g, "-")}-${mail.id}.eml`);
      try {
        await writeFile(`${file}.part`, message as Buffer, { mode: 0o600 });
        await rename(`${file}.part`, file);
      } catch (error) {
        throw new DeliveryError("not-sent", `file ${errorCode(error) ?? "error"}`);
      }
    },
  };
}

function messageOf(mail: OutgoingMail) {
  return {
    messageId: `<${mail.id}@${mail.from.address.slice(mail.from.address.lastIndexOf("@") + 1)}>`,
    date: new Date(mail.dateMs),
    from: mail.from,
    to: mail.to,
    ...(mail.replyTo !== undefined && { replyTo: mail.replyTo }),
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    // RFC 3834: no out-of-office answers.
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Failures before anything was handed over; with any other a lost answer leaves it open. */
const BEFORE_DATA = new Set(["EDNS", "ETLS", "EAUTH", "ENOAUTH"]);

function smtpFailure(error: unknown): DeliveryError {
  const code = errorCode(error) ?? "error";
  const { responseCode: status, command } = error as { responseCode?: unknown; command?: unknown };
  if (typeof status !== "number") {
    return new DeliveryError(BEFORE_DATA.has(code) ? "not-sent" : "unknown", `smtp ${code}`);
  }
  // A refused login or sender is the operator's to mend and says nothing of the recipient; 503 is a muddled session.
  const ofThisMail = (code === "EENVELOPE" || code === "EMESSAGE") && command !== "MAIL FROM";
  const outcome: DeliveryOutcome = ofThisMail && status >= 500 && status !== 503 ? "refused" : "not-sent";
  return new DeliveryError(outcome, `smtp ${status}`);
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
