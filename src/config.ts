/** The configuration: one YAML file, the environment over it, one schema; every mistake at once. */
export type * from "./config/settings.ts";
