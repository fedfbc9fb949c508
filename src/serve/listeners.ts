/**
 * The listening sockets. The supervisor binds them and never accepts; the edges accept from the one queue
 * that they share, so that none of its connections is lost while an edge is replaced, be it the only one.
 */
import { BoundSocket } from "node:net";
import { formatEndpoint } from "../config/units.ts";
import type { EdgeConfig, Endpoint } from "../config.ts";
import { SallyportError } from "../core/errors.ts";

/** The first descriptor after stdin, stdout, stderr and IPC. */
const FIRST_DESCRIPTOR = 4;

/** What to change when an address cannot be had. */
export interface Knobs {
  readonly key: string;
  readonly variable?: string;
  readonly flag?: string;
}

/** Binds it. @throws SallyportError `config_invalid` that says what is in the way, and which setting moves it. */
export function bind(endpoint: Endpoint, knobs: Knobs): BoundSocket {
  try {
    return new BoundSocket({ host: endpoint.host, port: endpoint.port });
  } catch (cause) {
    throw new SallyportError("config_invalid", `${formatEndpoint(endpoint)} ${reasonOf(cause)}`, {
      cause,
      issues: [{ at: knobs.key, message: `${formatEndpoint(endpoint)} ${reasonOf(cause)}`, hint: hintOf(knobs) }],
    });
  }
}

/** As {@link bind}, for a socket that another process will bind. */
export function probe(endpoint: Endpoint, knobs: Knobs): void {
  bind(endpoint, knobs).close();
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") return "is taken by another process";
  if (code === "EACCES") return "needs a privilege that this user does not have";
  if (code === "EADDRNOTAVAIL") return "is not an address of this machine";
  return `cannot be listened on (${String(code)})`;
}

function hintOf({ key, variable, flag }: Knobs): string {
  const ways = [key, ...(variable === undefined ? [] : [variable]), ...(flag === undefined ? [] : [flag])];
  return `choose another with ${ways.join(" or ")}`;
}

/** The sockets of one configuration's edges. */
export class Listeners {
  readonly #sockets: ReadonlyMap<string, BoundSocket>;

  private constructor(sockets: ReadonlyMap<string, BoundSocket>) {
    this.#sockets = sockets;
  }

  static none(): Listeners {
    return new Listeners(new Map());
  }

  /** Takes over from `earlier` what stays, and binds what is new. @throws SallyportError as {@link bind}; then nothing has changed. */
  static bind(edge: EdgeConfig, earlier: Iterable<Listeners>): Listeners {
    const sockets = new Map<string, BoundSocket>();
    const fresh: BoundSocket[] = [];
    try {
      for (const [index, endpoint] of endpointsOf(edge).entries()) {
        const key = keyOf(endpoint, index);
        const isHealth = index === edge.listen.length;
        const knobs = isHealth
          ? { key: "edge.healthListen" }
          : { key: "edge.listen", variable: "SALLYPORT_EDGE_LISTEN" };
        const kept = heldBy(earlier, key);
        const socket = kept ?? bind(endpoint, knobs);
        if (kept === undefined) fresh.push(socket);
        sockets.set(key, socket);
      }
    } catch (error) {
      for (const socket of fresh) socket.close();
      throw error;
    }
    return new Listeners(sockets);
  }

  socket(key: string): BoundSocket | undefined {
    return this.#sockets.get(key);
  }

  get descriptors(): number[] {
    return [...this.#sockets.values()].map((socket) => socket.fd());
  }

  /** The configuration as a child sees it: each listener with the descriptor that it inherits. */
  inherited(edge: EdgeConfig): EdgeConfig {
    if (this.#sockets.size === 0) return edge;
    const listen = edge.listen.map((listener, index) => ({ ...listener, fd: FIRST_DESCRIPTOR + index }));
    const fd = FIRST_DESCRIPTOR + listen.length;
    return { ...edge, listen, ...(edge.healthListen !== undefined && { healthListen: { ...edge.healthListen, fd } }) };
  }

  /** Closes what none of `others` has too, if it is not closed yet. */
  close(others: Iterable<Listeners> = []): void {
    for (const [key, socket] of this.#sockets) if (heldBy(others, key) !== socket) socket[Symbol.dispose]();
  }
}

function heldBy(holders: Iterable<Listeners>, key: string): BoundSocket | undefined {
  for (const holder of holders) {
    const socket = holder.socket(key);
    if (socket !== undefined) return socket;
  }
  return undefined;
}

function endpointsOf(edge: EdgeConfig): Endpoint[] {
  return edge.healthListen === undefined ? [...edge.listen] : [...edge.listen, edge.healthListen];
}

/** Several may ask for any free port, so that their place tells them apart. */
function keyOf(endpoint: Endpoint, index: number): string {
  return endpoint.port === 0 ? `${formatEndpoint(endpoint)}#${index}` : formatEndpoint(endpoint);
}
