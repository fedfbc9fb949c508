/** The configuration file's sections `mail` and `sms`, and what they settle to. Secrets come from the environment. */
import { resolve } from "node:path";
import Type, { type Static } from "typebox";
import { durationSchema, durationSeconds } from "../schema/duration.ts";

const closed = { additionalProperties: false } as const;
const string = (description: string, pattern: string, errorMessage: string) =>
  Type.Optional(Type.String({ description, pattern, errorMessage }));
const oneOf = <const Values extends readonly string[]>(description: string, values: Values, fallback: Values[number]) =>
  Type.Optional(
    Type.Unsafe<Values[number]>({
      type: "string",
      enum: values,
      description,
      default: fallback,
      errorMessage: `must be one of ${values.join(", ")}`,
    }),
  );

const SmtpSchema = Type.Object(
  {
    host: Type.String({ description: "The mail server's name.", minLength: 1, errorMessage: "must be a host name" }),
    port: Type.Optional(
      Type.Integer({
        description: "Default 587, or 465 with tls.",
        minimum: 1,
        maximum: 65_535,
        errorMessage: "must be a port",
      }),
    ),
    security: oneOf(
      "starttls: refuse to go on without it; tls: from the first byte; none: only to this machine.",
      ["starttls", "tls", "none"],
      "starttls",
    ),
    user: string("The login; its password is SALLYPORT_SMTP_PASSWORD.", "^.+$", "must not be empty"),
    ca: string("PEM file of an authority trusted besides the system's.", "^.+$", "must be the path of a file"),
  },
  closed,
);

export const MailConfig = Type.Object(
  {
    transport: oneOf("none: no mail is sent, another system does it.", ["smtp", "file", "none"], "none"),
    from: string("The address that mail comes from.", "^[^\\s@<>,]+@[^\\s@<>,]+$", "must be an e-mail address"),
    senderName: string("The name beside it.", "^[^\\r\\n<>]{1,80}$", "must be text such as {tenant} via Sallyport"),
    smtp: Type.Optional(SmtpSchema),
    folder: string("Where the transport file puts its .eml files.", "^.+$", "must be the path of a folder"),
  },
  { ...closed, description: "Mail in the clinics' names." },
);

export const SmsConfig = Type.Object(
  {
    provider: oneOf(
      "twilio: own codes by Twilio Messages; twilio-verify: codes by Twilio Verify; console: development only.",
      ["none", "twilio", "twilio-verify", "console"],
      "none",
    ),
    accountSid: string("Twilio's account.", "^AC[0-9a-f]{32}$", "must be AC and 32 hex digits"),
    apiKeySid: string(
      "An API key instead of the account's token; SALLYPORT_TWILIO_AUTH_TOKEN is then its secret.",
      "^SK[0-9a-f]{32}$",
      "must be SK and 32 hex digits",
    ),
    from: string(
      "The sender: a number, or a name of at most 11 letters.",
      "^(\\+[1-9][0-9]{6,14}|[A-Za-z0-9 ]{1,11})$",
      "must be a number such as +447700900123 or a name",
    ),
    messagingServiceSid: string("The sender: a messaging service.", "^MG[0-9a-f]{32}$", "must be MG and 32 hex digits"),
    verifyServiceSid: string("The service for twilio-verify.", "^VA[0-9a-f]{32}$", "must be VA and 32 hex digits"),
    region: string("Twilio region such as ie1.", "^[a-z0-9]{2,8}$", "must be a Twilio region"),
    edge: string("Twilio edge such as dublin.", "^[a-z-]{2,20}$", "must be a Twilio edge"),
    baseUrl: string(
      "Another origin that speaks Twilio's API.",
      "^https?://[^/?#]+$",
      "must be an origin such as https://sms.example",
    ),
    timeout: Type.Optional(durationSchema("Until a request to the provider is given up.", "10s")),
  },
  { ...closed, description: "Codes by text message." },
);

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

function settleSmtp(smtp: Static<typeof SmtpSchema>, context: SettleMailContext, report: Report): SmtpSettings {
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
