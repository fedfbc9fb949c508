/** A logger that says nothing. */
import type { Logger } from "../../src/core/log.ts";

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
