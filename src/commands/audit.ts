/** `audit verify`: whether the audit log is whole, by what the running gate exports, or by the store itself. */
import type { AuditRecord } from "../core/audit.ts";
import { storedEvidence } from "../observe/audit-evidence.ts";
import { type AuditEvidence, type AuditProblem, type ChainEnd, verifyAudit } from "../observe/audit-verify.ts";
import { AdminClient, CLIENT_OPTIONS } from "./admin-client.ts";
import { type Call, type Command, columns } from "./command.ts";
import { withLocalStore } from "./local-store.ts";

export const auditVerify: Command = {
  summary: "Check the audit log for records that were removed, changed or cut off.",
  args: "",
  options: {
    offline: { type: "boolean", help: "read the configured store itself, and check its seals with the secret key" },
    ...CLIENT_OPTIONS,
  },
  async run(call) {
    const found = call.flag("offline") ? await verifyOffline(call) : await verifyAudit(served(AdminClient.of(call)));
    const head = `${found.records} records in ${found.chains.length} chains`;
    const rows = found.problems.map(said);
    const text = found.ok ? `${head}: whole` : `${head}: ${found.problemCount} problems\n${columns(rows)}`;
    return { data: found, text, failed: !found.ok };
  },
};

async function verifyOffline(call: Call) {
  return await withLocalStore(call, ({ store, keyring }) => verifyAudit(storedEvidence(store, keyring)));
}

/** Every hash and link is computed here, from the export; for the heads' seals the gate, which has the key, vouches. */
function served(client: AdminClient): AuditEvidence {
  const exported = async function* (query: Readonly<Record<string, string>>) {
    for await (const line of client.lines("/v1/audit/export", query)) yield JSON.parse(line) as AuditRecord;
  };
  return {
    async *heads() {
      yield* ((await client.json("GET", "/v1/audit/heads")) as { items: ChainEnd[] }).items;
    },
    async *things() {
      for (const list of ["/v1/tenants", "/v1/keys"]) for await (const { id } of client.items(list)) yield String(id);
    },
    records: () => exported({}),
    recordsOf: (tenant) => exported({ tenant }),
  };
}

function said(problem: AuditProblem): string[] {
  if ("chain" in problem) return [`  ${problem.chain}`, `record ${problem.seq}`, problem.problem];
  return [`  ${problem.subject}`, "", MEANING[problem.problem]];
}

const MEANING = {
  unrecorded: "unrecorded: it is there, and the record of its making is not",
  "index-altered": "index-altered: the tenant's own log is not what the whole log has of it",
} as const;
