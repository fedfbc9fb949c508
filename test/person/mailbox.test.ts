/** Whether a person was seen to read a login's mailbox: by links that it alone received, and never by what a hostile clinic can do. */
import t from "tap";
import type { FixedClock } from "../../src/core/clock.ts";
import type { Policy, Tenant } from "../../src/core/tenant.ts";
import { loadAccount } from "../../src/person/account.ts";
import { ownsMailbox } from "../../src/person/mailbox.ts";
import type { Outcome } from "../../src/person/step.ts";
import {
  API,
  Browser,
  mailedToken,
  makeTenant,
  type Node,
  onEveryStore,
  PASSWORD,
  totpCode,
} from "../support/person-door.ts";

const EMAIL = "robin@reception.example";
const NEXT_PASSWORD = "lamp river quilt seven";

/** A login at a clinic, and what its people and its managers do with it. */
class Login {
  readonly #node: Node;
  readonly #clock: FixedClock;
  readonly #password: string | undefined;
  tenant: Tenant;
  browser: Browser;
  id = "";
  secret = "";

  constructor(node: Node, clock: FixedClock, password?: string) {
    this.#node = node;
    this.#clock = clock;
    this.#password = password;
    this.tenant = makeTenant("happy-feet");
    this.browser = new Browser(this.tenant);
  }

  get door() {
    return this.#node.door;
  }

  async create(): Promise<this> {
    const password = this.#password === undefined ? {} : { password: this.#password };
    this.id = (await this.door.users.create(this.tenant, { email: EMAIL, ...password }, API)).id;
    return this;
  }

  policy(policy: Partial<Policy>): void {
    this.tenant = makeTenant("happy-feet", policy);
    this.browser = new Browser(this.tenant);
  }

  async proven(): Promise<boolean> {
    const account = await loadAccount(this.#node.store, this.tenant.id, this.id);
    return account !== undefined && ownsMailbox(account);
  }

  /** Follows an invitation: the one in the mailbox, or the one that the manager was shown. */
  async acceptInvitation(whose: "mailbox" | "manager"): Promise<void> {
    this.#clock.advance(1_000);
    const { link } = await this.door.invitations.invite(this.tenant, this.id, API);
    const shown = link.split("/").at(-1) ?? "";
    const mailed = await mailedToken(this.#node, "invite");
    if (shown === mailed) throw new Error("the manager was shown what the mailbox received");
    const token = whose === "mailbox" ? mailed : shown;
    await this.finish(await this.door.invitations.accept(this.browser.visit, "invite", token, NEXT_PASSWORD));
  }

  /** A forgotten password, up to the question for the second factor. */
  async resetPassword(): Promise<Outcome> {
    this.#clock.advance(1_000);
    await this.door.invitations.requestReset(this.browser.visit, EMAIL);
    const token = await mailedToken(this.#node, "password-reset");
    return await this.door.invitations.accept(this.browser.visit, "reset", token, NEXT_PASSWORD);
  }

  async ticket(): Promise<Outcome> {
    const { token } = await this.door.invitations.ticket(this.tenant.id, this.id, API);
    return await this.door.invitations.redeemTicket(this.browser.visit, token);
  }

  /** Gives the second factor, which is set up where there is none. */
  async finish(outcome: Outcome): Promise<void> {
    this.browser.keep(outcome as Outcome & { browser?: string });
    if (outcome.kind === "signed-in") return;
    if (outcome.kind !== "continue") throw new Error(`it went on to ${outcome.kind}`);
    const { challenge, stage } = outcome.step;
    const { visit } = this.browser;
    this.#clock.advance(60_000);
    const code = () => totpCode(this.secret, this.#clock.nowMs());
    if (stage === "factor") {
      this.browser.keep(await this.door.signIn.verify(visit, challenge, { kind: "totp", code: code() }));
      return;
    }
    const { enrolment } = await this.door.enrolments.beginTotp(visit, challenge, "Phone");
    this.secret = (await this.door.enrolments.showTotp(visit, challenge, enrolment))?.secretText ?? "";
    this.browser.keep(await this.door.enrolments.confirm(visit, challenge, enrolment, { code: code() }));
  }
}

interface Course {
  readonly password?: string;
  readonly proven: boolean;
  readonly course: (login: Login) => Promise<void>;
}

const COURSES: Readonly<Record<string, Course>> = {
  "the invitation in the mailbox": { proven: true, course: (login) => login.acceptInvitation("mailbox") },
  "the invitation that the manager was shown": { proven: false, course: (login) => login.acceptInvitation("manager") },
  "a password that the manager set": {
    password: PASSWORD,
    proven: false,
    course: async (login) => await login.finish((await login.browser.identify(login.door, EMAIL)).outcome),
  },
  "a forgotten password, with the factor that was there": {
    password: PASSWORD,
    proven: true,
    course: async (login) => {
      await login.finish((await login.browser.identify(login.door, EMAIL)).outcome);
      await login.finish(await login.resetPassword());
    },
  },
  "a forgotten password, stopped at a factor that somebody else has": {
    password: PASSWORD,
    proven: false,
    course: async (login) => {
      await login.finish((await login.browser.identify(login.door, EMAIL)).outcome);
      await login.resetPassword();
    },
  },
  "proven, then a sign-in like any other": {
    proven: true,
    course: async (login) => {
      await login.acceptInvitation("mailbox");
      await login.finish((await login.browser.identify(login.door, EMAIL, NEXT_PASSWORD)).outcome);
    },
  },
  "proven, then another address, and back": {
    proven: false,
    course: async (login) => {
      await login.acceptInvitation("mailbox");
      await login.door.users.change(login.tenant, login.id, { email: "other@reception.example" }, API);
      await login.door.users.change(login.tenant, login.id, { email: EMAIL }, API);
    },
  },
  "proven, then taken over by the manager's invitation": {
    proven: false,
    course: async (login) => {
      await login.acceptInvitation("mailbox");
      await login.door.users.resetFactors(login.tenant, login.id, API);
      await login.acceptInvitation("manager");
    },
  },
  "proven, then taken over by a ticket": {
    proven: false,
    course: async (login) => {
      await login.acceptInvitation("mailbox");
      await login.door.users.resetFactors(login.tenant, login.id, API);
      await login.finish(await login.ticket());
    },
  },
  "proven, then a ticket and the person's own factor": {
    proven: true,
    course: async (login) => {
      await login.acceptInvitation("mailbox");
      await login.finish(await login.ticket());
    },
  },
  "proven, then a new password by a ticket's session": {
    proven: false,
    course: async (login) => {
      await login.acceptInvitation("mailbox");
      await login.door.users.resetFactors(login.tenant, login.id, API);
      login.policy({ secondFactor: "off" });
      await login.finish(await login.ticket());
      await login.door.selfService.changePassword(login.browser.visit, "seven quiet herons wading");
    },
  },
  "an invitation in the mailbox, where there are no passwords": {
    proven: true,
    course: async (login) => {
      login.policy({ firstFactor: "none" });
      await login.acceptInvitation("mailbox");
    },
  },
  "the same, while a password that the manager set still stands": {
    password: PASSWORD,
    proven: false,
    course: async (login) => {
      login.policy({ firstFactor: "none" });
      await login.acceptInvitation("mailbox");
    },
  },
};

for (const [name, { password, proven, course }] of Object.entries(COURSES)) {
  onEveryStore(t, name, async (t, { clock, node }) => {
    const login = await new Login(await node(), clock, password).create();
    await course(login);
    t.equal(await login.proven(), proven);
  });
}
