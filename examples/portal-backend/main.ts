/**
 * A portal backend's whole life with one clinic: makes the tenant, invites the owner, makes a whitelist link, checks
 * an address, and then tells what happens. May be stopped and started again, and misses no event: within a day the API
 * knows each request again and repeats nothing; later the clinic is there, and is taken as made whole.
 * `SALLYPORT_ADMIN_KEY=… node examples/portal-backend/main.ts [API] [FILE]`: where the API is, where to keep the place in the events.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { ApiError, type ApiEvent, SallyportApi } from "./client.ts";

const [origin = "http://127.0.0.1:8081", stateFile = "last-event-id"] = process.argv.slice(2);
const api = new SallyportApi(origin, process.env["SALLYPORT_ADMIN_KEY"] ?? "");
const tell = (text: string): boolean => process.stdout.write(`${text}\n`);

const clinic = "happy-feet";
const email = "ann@happyfeet.example";
const tenant = await unlessThere(
  api.call("POST /v1/tenants", {
    idempotencyKey: `create-${clinic}`,
    query: { wait: "applied" },
    body: {
      id: clinic,
      name: "Happy Feet Podiatry",
      hosts: ["happyfeet.localhost"],
      upstreams: ["http://127.0.0.1:9000"],
      // This portal writes its own e-mails, so the gate sends no links.
      mail: "own",
    },
  }),
);
if (tenant === undefined) tell(`tenant ${clinic} is there`);
else {
  tell(`tenant ${tenant.id} guards ${tenant.hosts.join(", ")}`);
  await furnish();
}

const address = "203.0.113.7";
const { verdict, steps } = await api.call("GET /v1/tenants/{tenant}/explain", {
  params: { tenant: clinic },
  query: { ip: address, user: email },
});
tell(
  `${address}: ${verdict}, since ${steps.findLast(({ result }) => result === "stop")?.detail ?? "nothing is in the way"}`,
);

for await (const event of api.events(clinic, readPlace())) {
  tell(describe(event));
  // Only what was dealt with counts as read.
  writeFileSync(stateFile, event.id);
}

/** What is made, or `undefined` when an earlier life of this program made it. */
async function unlessThere<Made>(making: Promise<Made>): Promise<Made | undefined> {
  try {
    return await making;
  } catch (error) {
    if (error instanceof ApiError && error.problem.code === "tenant_exists") return undefined;
    throw error;
  }
}

/** The owner with an invitation, and a link for the night shift. */
async function furnish(): Promise<void> {
  const owner = await api.call("POST /v1/tenants/{tenant}/users", {
    idempotencyKey: `owner-of-${clinic}`,
    params: { tenant: clinic },
    body: { email, name: "Ann Larkspur", role: "owner" },
  });
  const invitation = await api.call("POST /v1/tenants/{tenant}/users/{user}/invite", {
    idempotencyKey: `invite-${owner.id}`,
    params: { tenant: clinic, user: owner.id },
  });
  tell(`write to ${owner.email}: ${invitation.link}`);
  const link = await api.call("POST /v1/tenants/{tenant}/links", {
    idempotencyKey: `night-shift-of-${clinic}`,
    params: { tenant: clinic },
    body: { label: "Night shift", maxUses: 3, ttlSeconds: 86_400 },
  });
  tell(`write to the night shift: ${link.url}`);
}

/** Where it stopped reading the last time; the first time, as far back as events are kept. */
function readPlace(): string {
  return existsSync(stateFile) ? readFileSync(stateFile, "utf8") : "0";
}

function describe({ action, record }: ApiEvent): string {
  if (action === "resync") return "too much has happened meanwhile: read the present state again";
  const { at, actor, target = "" } = record;
  return `${at} ${action} ${target} by ${actor.kind} ${actor.id}${actor.address === undefined ? "" : ` at ${actor.address}`}`;
}
