/** `rotate-keys`: a new sealing key in front of those that are there. */
import { join } from "node:path";
import { addSecretKey, SECRET_KEY_FILE } from "../config/key-files.ts";
import { loadConfig } from "../config.ts";
import { SallyportError } from "../core/errors.ts";
import type { Command } from "./command.ts";

export const rotateKeys: Command = {
  summary: "Make a new sealing key; what the earlier ones sealed still opens.",
  args: "",
  options: {},
  async run(call) {
    const { config, secrets } = loadConfig({ file: call.text("config"), env: call.env, base: call.base });
    if (secrets.secretKey !== undefined) {
      const hint = "put a new key, a comma and the present one into it, on every node; then send SIGHUP or restart";
      throw new SallyportError("config_invalid", `the key comes from SALLYPORT_SECRET_KEY: ${hint}`);
    }
    const keys = addSecretKey(config.dataDir);
    const file = join(config.dataDir, SECRET_KEY_FILE);
    return {
      data: { file, keys },
      text: `${file} holds ${keys} keys now, the new one first\nSend SIGHUP to sallyport (or restart it) to use it.`,
    };
  },
};
