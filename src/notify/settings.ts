/** From the sections `mail` and `sms` to settings that are whole, with the rules that the schema cannot say. */
import { resolve } from "node:path";
import type { Static } from "typebox";
import { durationSeconds } from "../schema/duration.ts";
import type { MailConfig, SmsConfig, SmtpConfig } from "./config.ts";

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  readonly security: "starttls" | "tls" | "none";
  readonly auth?: { readonly user: string; readonly pass: string };
  /** A PEM file. */
  readonly ca?: string;
}

interface Sender {
  readonly from: string;
  /** May hold `{tenant}`. */
  readonly senderName: string;
}

export type MailSettings =
  | { readonly transport: "none" }
  | (Sender & { readonly transport: "smtp"; readonly smtp: SmtpSettings })
  | (Sender & { readonly transport: "file"; readonly folder: string });

export interface TwilioSettings {
  readonly accountSid: string;
  readonly apiKeySid?: string;
  readonly authToken: string;
  readonly region?: string;
  readonly edge?: string;
  readonly baseUrl?: string;
  readonly timeoutMs: number;
}

export type SmsSettings =
  | { readonly provider: "none" | "console" }
  | {
      readonly provider: "twilio";
      readonly twilio: TwilioSettings;
      readonly sender: { readonly from: string } | { readonly messagingServiceSid: string };
    }
  | { readonly provider: "twilio-verify"; readonly twilio: TwilioSettings; readonly verifyServiceSid: string };

/** What the person door holds every provider to. */
export interface SmsLimits {
  readonly countries: readonly string[];
  readonly dailyPerTenant: number;
}

export function settleSmsLimits({ countries = ["+44"], dailyPerTenant = 300 }: Static<typeof SmsConfig>): SmsLimits {
  return { countries, dailyPerTenant };
}

/** Takes one mistake: the key's path, what is wrong, what to do. */
type Report = (path: readonly string[], message: string, hint?: string) => void;

export interface SettleMailContext {
  /** `SALLYPORT_SMTP_PASSWORD`. */
  readonly smtpPassword?: string | undefined;
  /** The folder that relative paths start from. */
  readonly base: string;
  /** Where mail goes as files unless `folder` says otherwise. */
  readonly defaultFolder: string;
}

/** The rules that the schema cannot say. What is wrong is reported and settles to `none`. */
export function settleMail(
  section: Static<typeof MailConfig>,
  context: SettleMailContext,
  report: Report,
): MailSettings {
  const { transport = "none", from, senderName = "{tenant} via Sallyport", smtp, folder } = section;
  if (transport === "none") return { transport };
  if (from === undefined) {
    report(["mail", "from"], "is missing", "the address that mail comes from");
    return { transport: "none" };
  }
  const sender = { from, senderName };
  if (transport === "file") {
    return {
      ...sender,
      transport,
      folder: folder === undefined ? context.defaultFolder : resolve(context.base, folder),
    };
  }
  if (smtp === undefined) {
    report(["mail", "smtp"], "is missing", "name the mail server's host");
    return { transport: "none" };
  }
  return { ...sender, transport, smtp: settleSmtp(smtp, context, report) };
}

function settleSmtp(smtp: Static<typeof SmtpConfig>, context: SettleMailContext, report: Report): SmtpSettings {
  const { host, security = "starttls", user, ca } = smtp;
  if (security === "none" && !isLoopbackName(host)) {
    report(["mail", "smtp", "security"], "may be none only for this machine", "use starttls or tls");
  }
  if (user !== undefined && context.smtpPassword === undefined) {
    report(["mail", "smtp", "user"], "has no password", "set SALLYPORT_SMTP_PASSWORD");
  }
  return {
    host,
    port: smtp.port ?? (security === "tls" ? 465 : 587),
    security,
    ...(user !== undefined && context.smtpPassword !== undefined && { auth: { user, pass: context.smtpPassword } }),
    ...(ca !== undefined && { ca: resolve(context.base, ca) }),
  };
}

export interface SettleSmsContext {
  /** `SALLYPORT_TWILIO_AUTH_TOKEN`. */
  readonly twilioAuthToken?: string | undefined;
}

/** The rules that the schema cannot say. What is wrong is reported and settles to `none`. */
export function settleSms(section: Static<typeof SmsConfig>, context: SettleSmsContext, report: Report): SmsSettings {
  const { provider = "none", accountSid, from, messagingServiceSid, verifyServiceSid, baseUrl } = section;
  if (provider === "none" || provider === "console") return { provider };
  if (accountSid === undefined) report(["sms", "accountSid"], "is missing");
  if (context.twilioAuthToken === undefined) {
    report(["sms", "provider"], `${provider} needs Twilio's token`, "set SALLYPORT_TWILIO_AUTH_TOKEN");
  }
  if (baseUrl !== undefined && !URL.canParse(baseUrl)) report(["sms", "baseUrl"], "is not a URL");
  else if (baseUrl?.startsWith("http:") && !isLoopbackName(new URL(baseUrl).hostname)) {
    report(["sms", "baseUrl"], "must be https beyond this machine");
  }
  const twilio = settleTwilio(section, accountSid ?? "", context.twilioAuthToken ?? "");
  if (provider === "twilio-verify") {
    if (verifyServiceSid === undefined) report(["sms", "verifyServiceSid"], "is missing");
    return { provider, twilio, verifyServiceSid: verifyServiceSid ?? "" };
  }
  if ((from === undefined) === (messagingServiceSid === undefined)) {
    report(["sms", "from"], "or messagingServiceSid: write one of the two");
  }
  return {
    provider,
    twilio,
    sender: messagingServiceSid === undefined ? { from: from ?? "" } : { messagingServiceSid },
  };
}

function settleTwilio(section: Static<typeof SmsConfig>, accountSid: string, authToken: string): TwilioSettings {
  const { apiKeySid, region, edge, baseUrl, timeout = "10s" } = section;
  return {
    accountSid,
    authToken,
    timeoutMs: durationSeconds(timeout) * 1000,
    ...(apiKeySid !== undefined && { apiKeySid }),
    ...(region !== undefined && { region }),
    ...(edge !== undefined && { edge }),
    ...(baseUrl !== undefined && { baseUrl }),
  };
}

function isLoopbackName(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
