/** What a supervisor is to bring about: a configuration that was read, checked and may be put in force. */
import { completeSecrets } from "../config/key-files.ts";
import type { Config, Loaded, Secrets } from "../config.ts";
import { type Issue, SallyportError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { checkTlsFiles, digestFiles, tlsFilesOf } from "./tls-files.ts";

export interface PlanOptions {
  /** Reads the configuration, at the start and at every reload. */
  readonly load: () => Loaded;
  readonly log: Logger;
  /** The demo: `sms.provider: console` may print codes. */
  readonly development?: boolean;
}

/** A configuration that may be put in force, and what of it concerns whom. */
export interface Plan {
  readonly config: Config;
  readonly secrets: Required<Secrets>;
  readonly development: boolean;
  /** Equal prints: the edges, or control, need not change. They cover the content of certificates too. */
  readonly edgePrint: unknown;
  readonly controlPrint: unknown;
}

/** @throws SallyportError `config_invalid` also when certificates cannot serve. */
export function makePlan({ load, log, development = false }: PlanOptions): Plan {
  const loaded = load();
  const { config } = loaded;
  const findings = checkTlsFiles(config, Date.now());
  const errors = findings.filter(({ severity }) => severity === "error").map(({ issue }) => issue);
  if (errors.length > 0)
    throw new SallyportError("config_invalid", "the certificates cannot serve", { issues: errors });
  for (const { issue } of findings) log.warn({ at: issue.at }, issue.message);
  const secrets = completeSecrets(config, loaded.secrets);
  const certificates = digestFiles(tlsFilesOf(config).flatMap(({ files }) => [files.cert, files.key]));
  const { edge, staleness, log: logging } = config;
  const { workers, cpuAffinity } = edge;
  const authorities = digestFiles(edge.upstream.ca === undefined ? [] : [edge.upstream.ca]);
  return {
    config,
    secrets,
    development,
    edgePrint: [edge, staleness, logging, certificates, authorities],
    controlPrint: [{ ...config, edge: [workers, cpuAffinity], tenants: [] }, secrets, certificates],
  };
}

/** @throws SallyportError for what only a restart can change */
export function refuseUnchangeable(now: Config, next: Config, edgesChange: boolean): void {
  const issues: Issue[] = [];
  const hint = "restart sallyport";
  if (now.dataDir !== next.dataDir) issues.push({ at: "dataDir", message: "cannot change while running", hint });
  if ((now.edge.workers === 0) !== (next.edge.workers === 0)) {
    issues.push({ at: "edge.workers", message: "cannot change from or to 0 while running", hint });
  } else if (next.edge.workers === 0 && edgesChange) {
    issues.push({
      at: "edge",
      message: "cannot change while everything runs in one process",
      hint: `${hint}, or set edge.workers: 1`,
    });
  }
  if (issues.length > 0) throw new SallyportError("config_invalid", "this change needs a restart", { issues });
}
