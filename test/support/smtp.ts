/** A small SMTP server (RFC 5321, with STARTTLS and AUTH PLAIN) that keeps what it is sent. */
import { EventEmitter } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import type { Test } from "tap";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Header and body as sent, dots unstuffed. */
  readonly data: string;
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface SmtpOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Demands this login. */
  readonly auth?: { readonly user: string; readonly pass: string };
}

export interface SmtpServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** Emits `mail` for each. */
  readonly arrivals: EventEmitter;
  /** What the server answers instead to the next such command; `hang-up` breaks the connection unanswered. `DATA-END` is the final dot. */
  readonly faults: Map<"MAIL" | "RCPT" | "DATA" | "DATA-END" | "AUTH", string>;
}

export async function startSmtp(t: Test, options: SmtpOptions = {}): Promise<SmtpServer> {
  const sockets = new Set<Socket>();
  const state: Omit<SmtpServer, "port"> = { mails: [], arrivals: new EventEmitter(), faults: new Map() };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    new Session(socket, options, state).greet();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { ...state, port: (server.address() as AddressInfo).port };
}

class Session {
  #socket: Socket;
  readonly #options: SmtpOptions;
  readonly #server: Omit<SmtpServer, "port">;
  #input = "";
  #inData = false;
  #secure = false;
  #user: string | undefined;
  #from = "";
  #to: string[] = [];

  constructor(socket: Socket, options: SmtpOptions, server: Omit<SmtpServer, "port">) {
    this.#socket = socket;
    this.#options = options;
    this.#server = server;
    this.#listen();
  }

  greet(): void {
    this.#reply("220 test ESMTP");
  }

  #listen(): void {
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (chunk: string) => this.#read(chunk));
    this.#socket.on("error", () => this.#socket.destroy());
  }

  #read(chunk: string): void {
    this.#input += chunk;
    for (;;) {
      const end = this.#input.indexOf(this.#inData ? "\r\n.\r\n" : "\r\n");
      if (end < 0) return;
      const part = this.#input.slice(0, end);
      this.#input = this.#input.slice(end + (this.#inData ? 5 : 2));
      if (this.#inData) this.#message(part);
      else this.#command(part);
    }
  }

  #command(line: string): void {
    const verb = line.split(" ", 1)[0]?.toUpperCase() ?? "";
    if (this.#fault(verb)) return;
    const { tls, auth } = this.#options;
    if (verb === "EHLO") this.#reply(["250-test", ...this.#extensions(), "250 8BITMIME"].join("\r\n"));
    else if (verb === "STARTTLS" && tls !== undefined) this.#startTls(tls);
    else if (verb === "AUTH") this.#authenticate(line);
    else if (verb === "MAIL" && auth !== undefined && this.#user === undefined) this.#reply("530 5.7.0 log in first");
    else if (verb === "MAIL") this.#accept(() => (this.#from = addressOf(line)));
    else if (verb === "RCPT") this.#accept(() => this.#to.push(addressOf(line)));
    else if (verb === "DATA") {
      this.#inData = true;
      this.#reply("354 go on");
    } else if (verb === "QUIT") this.#socket.end("221 bye\r\n");
    else this.#reply(verb === "RSET" || verb === "NOOP" ? "250 ok" : "502 not known");
  }

  #extensions(): string[] {
    return [
      ...(this.#options.tls !== undefined && !this.#secure ? ["250-STARTTLS"] : []),
      ...(this.#options.auth !== undefined ? ["250-AUTH PLAIN"] : []),
    ];
  }

  #accept(take: () => void): void {
    take();
    this.#reply("250 ok");
  }

  #authenticate(line: string): void {
    const [, user, pass] = Buffer.from(line.split(" ")[2] ?? "", "base64")
      .toString()
      .split("\0");
    const { auth } = this.#options;
    const right = user === auth?.user && pass === auth?.pass;
    if (right) this.#user = user;
    this.#reply(right ? "235 ok" : "535 5.7.8 wrong");
  }

  #startTls(tls: { cert: string; key: string }): void {
    this.#reply("220 go on");
    this.#socket.removeAllListeners("data");
    this.#socket = new TLSSocket(this.#socket, { isServer: true, secureContext: createSecureContext(tls) });
    this.#secure = true;
    this.#input = "";
    this.#listen();
  }

  #message(part: string): void {
    this.#inData = false;
    const data = part.replace(/^\.\./gm, ".");
    this.#server.mails.push({ from: this.#from, to: this.#to, data, secure: this.#secure, user: this.#user });
    this.#to = [];
    if (this.#fault("DATA-END")) return;
    this.#reply("250 taken");
    this.#server.arrivals.emit("mail");
  }

  #fault(verb: string): boolean {
    const fault = this.#server.faults.get(verb as "MAIL");
    if (fault === undefined) return false;
    this.#server.faults.delete(verb as "MAIL");
    if (fault === "hang-up") this.#socket.destroy();
    else this.#reply(fault);
    // What the server answers badly to it has not taken.
    if (verb === "DATA-END" && fault !== "hang-up") this.#server.mails.pop();
    return true;
  }

  #reply(text: string): void {
    this.#socket.write(`${text}\r\n`);
  }
}

function addressOf(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? "";
}
