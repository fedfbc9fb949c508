/** `demo code`: what an authenticator app shows at this moment for a key, for whoever has no such app at hand. */
import { generateSync } from "otplib";
import { argument, type Command, UsageError } from "./command.ts";

const PERIOD_SECONDS = 30;

export const demoCode: Command = {
  summary: "Show the present code of an authenticator key, as an authenticator app would.",
  args: "KEY",
  options: {},
  async run(call) {
    const secret = argument(call, 0).replaceAll(" ", "").toUpperCase();
    if (!/^[A-Z2-7]{26,}$/.test(secret)) throw new UsageError("KEY is the text beside the QR code, in quotes");
    const nowSeconds = Math.floor(Date.now() / 1000);
    const code = generateSync({ secret, epoch: nowSeconds });
    const secondsLeft = PERIOD_SECONDS - (nowSeconds % PERIOD_SECONDS);
    return { data: { code, secondsLeft }, text: `${code}   (for ${secondsLeft} seconds more)` };
  },
};
