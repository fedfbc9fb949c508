/** Debian's Chromium for tests, with nothing that phones home, and gone when the test ends. */
import { type Browser, chromium } from "playwright-core";
import type { Test } from "tap";
import { program } from "./programs.ts";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** A browser with a fresh profile, closed in the test's teardown; `undefined` when there is no Chromium (the test is then skipped). */
export async function launchBrowser(t: Test): Promise<Browser | undefined> {
  const executablePath = program(t, "chromium");
  if (executablePath === undefined) return undefined;
  const browser = await chromium.launch({ executablePath, args: ARGS, headless: true });
  t.teardown(() => browser.close());
  return browser;
}
