/** The configuration file's sections `mail` and `sms`. Their secrets come from the environment. */
import Type from "typebox";
import { durationSchema } from "../schema/duration.ts";
import { closed } from "../schema/parts.ts";

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

export const SmtpConfig = Type.Object(
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
    smtp: Type.Optional(SmtpConfig),
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
    countries: Type.Optional(
      Type.Array(
        Type.String({
          pattern: "^!?\\+[1-9][0-9]{0,6}$",
          errorMessage: "must be a calling code such as +44 or !+441534",
        }),
        { description: "Calling codes that are sent to; ! leaves a longer one out.", default: ["+44"], minItems: 1 },
      ),
    ),
    dailyPerTenant: Type.Optional(
      Type.Integer({
        description: "Text messages of one tenant in a day; at most half of them within an hour.",
        minimum: 1,
        maximum: 100_000,
        default: 300,
        errorMessage: "must be a whole number from 1 to 100000",
      }),
    ),
  },
  { ...closed, description: "Codes by text message." },
);
