/** What is to be forwarded, and by which lane. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../core/log.ts";
import type { TenantPolicy } from "../replica/policy.ts";
import type { ClientRequest, ClientResponse } from "./client-message.ts";
import type { Fault } from "./fault-answer.ts";
import type { RequestHead } from "./request-head.ts";
import type { UpstreamOwner, Upstreams } from "./upstreams.ts";

/** What forwarding needs of a tenant. */
export type ForwardTenant = Pick<TenantPolicy, "id" | "name" | "upstreams" | "branding">;

/** Where exchanges of one kind go: to the tenants' applications, or to control. */
export interface Lane {
  readonly upstreams: Upstreams;
  readonly responseHeadersMs: number;
  readonly responseIdleMs: number;
  /** Only control's pages may set our cookies. */
  readonly keepsOurCookies: boolean;
  /** What to say when nothing can be reached. */
  readonly unreachable: Fault;
  readonly log: Logger;
}

/** One request that was let in. */
export interface Order {
  readonly req: ClientRequest;
  readonly res: ClientResponse;
  /** Both once more where Node read the request, whose body may then still be coming, perhaps only if it is asked for. */
  readonly node: { readonly req: IncomingMessage; readonly res: ServerResponse } | undefined;
  readonly head: RequestHead;
  /** The head's fields with those that the edge adds, as lines that each have their CR LF. */
  readonly lines: string;
  readonly target: string;
  readonly owner: UpstreamOwner;
  readonly tenant: ForwardTenant;
  readonly requestId: string;
  /** The whole body, where it was read beforehand. */
  readonly body: Buffer | undefined;
  /** It is sent in chunks. */
  readonly chunked: boolean;
}
