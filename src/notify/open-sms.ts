/** The one switch between the providers of text messages. */
import { SallyportError } from "../core/errors.ts";
import type { SmsSettings } from "./settings.ts";
import { checkNumber, type SmsProvider, type TextProvider } from "./sms.ts";

export interface SmsContext {
  /** Whether this is the demo or a developer's machine: `console` prints codes, and so opens doors. */
  readonly development: boolean;
  /** Takes one line of the `console` provider. */
  readonly print?: (line: string) => void;
}

/**
 * Twilio's client is large, so it is loaded only where it is used.
 * @returns `undefined` when the configuration names no provider.
 * @throws SallyportError "config_invalid" for `console` outside development.
 */
export async function openSmsProvider(settings: SmsSettings, context: SmsContext): Promise<SmsProvider | undefined> {
  switch (settings.provider) {
    case "none":
      return undefined;
    case "console":
      return openConsole(context);
    case "twilio":
      return (await import("./twilio.ts")).openTwilioTexts(settings.twilio, settings.sender);
    case "twilio-verify":
      return (await import("./twilio.ts")).openTwilioVerify(settings.twilio, settings.verifyServiceSid);
  }
}

function openConsole({ development, print = (line) => process.stderr.write(`${line}\n`) }: SmsContext): TextProvider {
  if (!development) {
    throw new SallyportError("config_invalid", "sms.provider: console prints codes and works in development only");
  }
  return {
    mode: "text",
    async send(to, body) {
      checkNumber(to);
      print(`SMS to ${to}: ${body}`);
    },
  };
}
