/** What the rooms need of a logger; `src/observe/log.ts` makes the real one. */

type Write = (fields: object, message: string) => void;

/** Structured, asynchronous. Fields never hold a secret. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
