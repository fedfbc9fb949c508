/** `/v1/tenants/{tenant}/allowlist` as a whole: replacing, importing and exporting. */
import { Readable } from "node:stream";
import Type from "typebox";
import { readEntryInputs } from "../core/allowlist.ts";
import { type Author, isOverLimit } from "../core/audit.ts";
import type { Expectation } from "../core/change.ts";
import type { EntryRules } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { CSV_HEADER, formatCsvLine, type ImportFormat, parseImport } from "../core/import.ts";
import type { Difference } from "../core/list-difference.ts";
import { AllowlistSchema, entryToWire, GUARDS } from "../schema/entry.ts";
import type { EntryEnds } from "../whitelist/link-use-end.ts";
import type { Removals } from "../whitelist/removals.ts";
import { authorOf } from "./authentication.ts";
import { readTextBodies } from "./body.ts";
import { entityTag, expectationOf } from "./conditional.ts";
import { originOf } from "./entries.ts";
import { REMOVAL_REFUSALS, RemovalHeaders, removalOf, removalQuery } from "./removal.ts";
import {
  type Api,
  BODY_REFUSALS,
  ChangeHeaders,
  changed,
  created,
  responses,
  type Services,
  TenantParams,
  WRITE_REFUSALS,
  writeQuery,
} from "./routes.ts";
import { executeWrite } from "./writes.ts";

const tags = ["allowlist"];
/** 300 bytes and more for each of the 200,000 writes that one change takes at most. */
const LIST_BYTES = 64 * 1024 * 1024;
/** How many differences are named: all that a person reads, and what an idempotent answer may keep. */
const NAMED = { dryRun: 1000, applied: 100 };

const flag = (description: string) =>
  Type.Optional(Type.Boolean({ description, errorMessage: "must be true or false" }));

const text = (example: string) => Type.String({ examples: [example], errorMessage: "must be a list as text" });

export function listRoutes(api: Api, services: Services): void {
  replaceRoute(api, services);
  exportRoute(api, services);
  api.register(async (scope: Api) => importRoute(scope, services));
}

function replaceRoute(api: Api, { dependencies, allowlists }: Services): void {
  const { removals } = dependencies.whitelist;
  const schema = {
    operationId: "replaceAllowlist",
    summary: "Replace the whole allowlist, atomically",
    description:
      "An entry whose CIDR stays keeps its id. A DNS name that has no entries at the time is no part of the list: it stays followed, and its answers come onto the list. With dryRun nothing changes: the answer is what would, and by what it would be refused, if by anything.",
    tags,
    headers: RemovalHeaders,
    params: TenantParams,
    querystring: writeQuery({
      dryRun: flag("Answer the difference and change nothing."),
      ...removalQuery,
    }),
    body: {
      ...AllowlistSchema,
      examples: [{ items: [{ cidr: "203.0.113.0/28", label: "Main Street" }] }],
    } as typeof AllowlistSchema,
    response: responses({ 200: changed("Difference") }, [
      ...BODY_REFUSALS,
      ...REMOVAL_REFUSALS,
      "entry_limit",
      "not_found",
      ...WRITE_REFUSALS,
    ]),
  };
  api.put("/v1/tenants/:tenant/allowlist", { schema, bodyLimit: LIST_BYTES }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const { items, allowBroad = false } = request.body;
    const removal = removalOf(request);
    const wanted = await readEntryInputs(items, dependencies.clock.nowMs(), allowBroad);
    const plan = async (author: Author, expected: Expectation) => {
      const planned = await allowlists.planReplace(tenant, wanted, originOf(author), author, expected);
      return await removals.withSources(tenant, planned, endsOf(planned.result), author);
    };
    if (request.query.dryRun === true) {
      // Read first: a tag newer than the difference would let changes be overwritten that nobody was shown.
      const revision = await allowlists.revision(tenant);
      const planned = await plan(authorOf(request), expectationOf(request));
      const refusedBy = await refusalOf(removals.guarded(tenant, planned, removal), wanted.length);
      const difference = differenceToWire(planned.result, true);
      return reply.header("etag", entityTag(revision)).send({ ...difference, ...refusedBy, revision });
    }
    return await executeWrite(
      dependencies,
      request,
      reply,
      async (author, expected) => await removals.guarded(tenant, await plan(author, expected), removal),
      (difference) => ({ status: 200, body: differenceToWire(difference, false) }),
    );
  });
}

function endsOf({ removed, changed }: Difference): EntryEnds {
  const moved = changed.filter(({ before, after }) => before.entry.expiresAt !== after.expiresAt);
  return { gone: removed.map(({ entry }) => entry), moved: moved.map(({ after }) => after) };
}

/** What refuses: the lock-out guard, the other one, then the list's limit; a fault stays one. */
async function refusalOf(guarded: ReturnType<Removals["guarded"]>, count: number) {
  try {
    const { counters = [] } = (await guarded).change;
    return counters.some((counter) => isOverLimit(counter, count)) ? { refusedBy: "entry_limit" } : {};
  } catch (error) {
    const refusedBy = GUARDS.find((code) => error instanceof SallyportError && error.code === code);
    if (refusedBy === undefined) throw error;
    return { refusedBy };
  }
}

function differenceToWire({ added, removed, changed, unchanged }: Difference, dryRun: boolean) {
  const most = dryRun ? NAMED.dryRun : NAMED.applied;
  const counts = { added: added.length, removed: removed.length, changed: changed.length };
  return {
    dryRun,
    added: added.slice(0, most),
    removed: removed.slice(0, most).map((view) => (dryRun ? entryToWire(view) : view.entry)),
    changed: changed
      .slice(0, most)
      .map(({ before, after }) => (dryRun ? entryToWire({ ...before, entry: after }) : after)),
    unchanged,
    counts,
    truncated: Object.values(counts).some((count) => count > most),
  };
}

function importRoute(api: Api, { dependencies, allowlists }: Services): void {
  readTextBodies(api);
  const schema = {
    operationId: "importAllowlist",
    summary: "Add many entries, all or nothing",
    description:
      "text/plain: a CIDR a line, then a label; # starts a comment. text/csv: a header of cidr, label, expiresAt. Errors are named by line. If-Match takes the tag of the list as a whole.",
    tags,
    consumes: ["text/csv", "text/plain"],
    headers: ChangeHeaders,
    params: TenantParams,
    querystring: writeQuery({ allowBroad: flag("Admits prefixes shorter than /8 (IPv4) or /32 (IPv6). Audited.") }),
    body: {
      content: {
        "text/csv": { schema: text("cidr,label,expiresAt\n203.0.113.0/28,Main Street,2031-01-01T00:00:00Z\n") },
        "text/plain": { schema: text("# our sites\n203.0.113.0/28 Main Street\n2001:db8:7::/64 Harbour\n") },
      },
    },
    response: responses({ 201: created("ImportResult") }, [
      "import_invalid",
      "entry_limit",
      "not_found",
      "payload_too_large",
      "precondition_failed",
      "unsupported_media_type",
      ...WRITE_REFUSALS,
    ]),
  };
  api.post("/v1/tenants/:tenant/allowlist/import", { schema, bodyLimit: LIST_BYTES }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const format = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() as ImportFormat;
    const wanted = await parseImport(
      request.body as string,
      format,
      dependencies.clock.nowMs(),
      request.query.allowBroad ?? false,
    );
    const plan = async (author: Author, expected: Expectation) =>
      await allowlists.onList(tenant, await allowlists.planAdd(tenant, wanted, originOf(author), author), expected);
    return await executeWrite(dependencies, request, reply, plan, (imported) => ({ status: 201, body: { imported } }));
  });
}

function exportRoute(api: Api, { tenants, entries }: Services): void {
  const schema = {
    operationId: "exportAllowlist",
    summary: "The allowlist as CSV, as the import reads it",
    tags,
    produces: ["text/csv"],
    params: TenantParams,
    response: responses({ 200: Type.String({ description: "cidr,label,expiresAt" }) }, ["not_found"]),
  };
  api.get("/v1/tenants/:tenant/allowlist/export", { schema }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    await tenants.read(tenant);
    return reply
      .header("content-type", "text/csv; charset=utf-8")
      .header("content-disposition", `attachment; filename="allowlist-${tenant}.csv"`)
      .send(Readable.from(csvOf(entries, tenant)));
  });
}

async function* csvOf(entries: EntryRules, tenant: TenantId): AsyncGenerator<string> {
  yield CSV_HEADER;
  for await (const page of entries.pages(tenant))
    yield page.map(({ value }) => formatCsvLine(value as AllowlistEntry)).join("");
}
