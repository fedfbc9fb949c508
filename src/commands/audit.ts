/** `audit verify`: whether the audit log is whole. Reads the store itself, so that it need not trust what writes it. */
import { verifyAudit } from "../observe/audit-verify.ts";
import { type Command, columns } from "./command.ts";
import { withLocalStore } from "./local-store.ts";

export const auditVerify: Command = {
  summary: "Check the audit log for records that were removed, changed or cut off.",
  args: "",
  options: {},
  async run(call) {
    const found = await withLocalStore(call, ({ store, keyring }) => verifyAudit(store, keyring));
    const head = `${found.records} records in ${found.chains.length} chains`;
    const rows = found.problems.map(({ chain, seq, problem }) => [`  ${chain}`, `record ${seq}`, problem]);
    const text = found.ok ? `${head}: whole` : `${head}: ${found.problemCount} problems\n${columns(rows)}`;
    return { data: found, text, failed: !found.ok };
  },
};
