/** `sallyport demo` in a process of its own, on ports that are free, with what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import { freePort, plainNode } from "./gate.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export class Demo {
  readonly process: ChildProcess;
  readonly port = freePort();
  readonly elsewherePort = freePort();
  said = "";
  #waiting: (() => void)[] = [];

  constructor(t: Test) {
    const ports = ["--port", `${this.port}`, "--admin-port", `${freePort()}`];
    const command = plainNode("src/main.ts", "demo", ...ports, "--elsewhere-port", `${this.elsewherePort}`);
    const env = { PATH: process.env["PATH"] };
    this.process = spawn("env", command, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
    this.process.stdout?.on("data", (chunk) => {
      this.said += String(chunk);
      for (const look of this.#waiting) look();
    });
    t.teardown(() => this.process.kill("SIGINT"));
  }

  /** Every match, as soon as there are so many. */
  async says(pattern: RegExp, count = 1): Promise<string[]> {
    const found = (): string[] => this.said.match(new RegExp(pattern, "g")) ?? [];
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (found().length >= count) resolve();
      };
      this.#waiting.push(look);
      look();
    });
    return found();
  }
}
