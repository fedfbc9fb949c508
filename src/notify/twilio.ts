/** Text messages by Twilio: Messages with our own codes, and Verify. Twilio's own client makes the calls, once each. */
import twilio from "twilio";
import { DeliveryError, type DeliveryOutcome } from "./delivery-error.ts";
import type { TwilioSettings } from "./settings.ts";
import { checkNumber, type TextProvider, type VerifyProvider } from "./sms.ts";

/** A code is of no use later; Twilio drops a message that waited longer. */
const VALIDITY_SECONDS = 300;
const MOST_RESPONSE_BYTES = 256 * 1024;

export type TwilioSender = { readonly from: string } | { readonly messagingServiceSid: string };

export function openTwilioTexts(settings: TwilioSettings, sender: TwilioSender): TextProvider {
  const client = openClient(settings);
  return {
    mode: "text",
    async send(to, body) {
      checkNumber(to);
      await called(client.messages.create({ to, body, ...sender, validityPeriod: VALIDITY_SECONDS }));
    },
  };
}

export function openTwilioVerify(settings: TwilioSettings, serviceSid: string): VerifyProvider {
  const service = openClient(settings).verify.v2.services(serviceSid);
  return {
    mode: "verify",
    async start(to, lang) {
      checkNumber(to);
      const { sid } = await called(service.verifications.create({ to, channel: "sms", locale: lang }));
      return sid;
    },
    async check(verificationSid, code) {
      try {
        const { status } = await called(service.verificationChecks.create({ verificationSid, code }));
        return status === "approved" ? "approved" : status === "pending" ? "wrong" : "gone";
      } catch (error) {
        // A verification that is over is no longer found.
        if (error instanceof DeliveryError && error.detail === "twilio 20404") return "gone";
        throw error;
      }
    },
  };
}

/** `autoRetry` stays off: a retry could be a second message. */
function openClient(settings: TwilioSettings) {
  const { accountSid, apiKeySid, authToken, region, edge } = settings;
  return twilio(apiKeySid ?? accountSid, authToken, {
    accountSid,
    autoRetry: false,
    // Else the environment's TWILIO_LOG_LEVEL=debug would print what is sent.
    logLevel: "none",
    httpClient: new DeadlineClient(settings),
    ...(region !== undefined && { region }),
    ...(edge !== undefined && { edge }),
  });
}

/** Twilio's HTTP client with a deadline for the whole exchange, and another origin where one is set. */
class DeadlineClient extends twilio.RequestClient {
  readonly #baseUrl: string | undefined;
  constructor({ timeoutMs, baseUrl }: TwilioSettings) {
    super({ timeout: timeoutMs, keepAlive: true });
    this.#baseUrl = baseUrl;
    this.axios.interceptors.request.use((config) => {
      // Its own time-out is for silence on the socket: a body that drips would hold it for ever.
      config.signal = AbortSignal.timeout(timeoutMs);
      config.maxContentLength = MOST_RESPONSE_BYTES;
      return config;
    });
  }

  override request<TData>(options: Parameters<typeof twilio.RequestClient.prototype.request<TData>>[0]) {
    if (this.#baseUrl === undefined) return super.request<TData>(options);
    const { pathname, search } = new URL(options.uri);
    return super.request<TData>({ ...options, uri: `${this.#baseUrl}${pathname}${search}` });
  }
}

/** Twilio's codes (https://www.twilio.com/docs/api/errors) that say that this number cannot be texted. */
const REFUSED = new Set([
  21211, 21214, 21217, 21265, 21408, 21601, 21608, 21610, 21612, 21614, 21635, 60200, 60205, 60220, 60410, 60605,
]);
/** Too many in a row: for this number, this verification or this account. */
const LIMITED = new Set([14107, 20429, 21611, 60202, 60203, 60207, 60212, 63038]);
/** No connection came about, so nothing was sent. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "CERT_HAS_EXPIRED",
]);

/** Awaits a call and turns its failure into ours, which repeats nothing of the request. */
async function called<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const { status, code } = error as { status?: unknown; code?: unknown };
    throw failureOf(typeof status === "number" ? status : undefined, code);
  }
}

function failureOf(status: number | undefined, code: unknown): DeliveryError {
  if (status === undefined) {
    const name = typeof code === "string" ? code : "error";
    return new DeliveryError(NOT_CONNECTED.has(name) ? "not-sent" : "unknown", `twilio ${name}`);
  }
  const known = typeof code === "number" ? code : status;
  return new DeliveryError(outcomeOf(status, known), `twilio ${known}`);
}

function outcomeOf(status: number, code: number): DeliveryOutcome {
  if (REFUSED.has(code)) return "refused";
  if (LIMITED.has(code) || status === 429) return "limited";
  // A server's fault leaves open how far it came; any other refusal came before sending, and is ours to mend.
  return status >= 500 ? "unknown" : "not-sent";
}
