/** What operations asks: why a request is decided as it is, which edges live, whether the node is ready. */
import Type from "typebox";
import { closed, InstantSchema } from "./parts.ts";

export const ExplanationSchema = Type.Object(
  {
    verdict: Type.Enum(["allow", "deny"]),
    outcome: Type.Enum(["forward", "blocked", "sign-in", "pages", "refused"], {
      description: "pages: the gate's own answer, from any place; refused: the target is no door's to judge.",
    }),
    reason: Type.String({ examples: ["location"] }),
    status: Type.Integer({
      description: "What the client would get; 200 stands for the upstream's answer, or the page's.",
    }),
    wouldBlock: Type.Boolean({ description: "network: observe lets pass what enforce would block." }),
    entry: Type.Union(
      [
        Type.Object(
          { id: Type.String(), cidr: Type.String(), label: Type.String(), expiresAt: Type.Optional(Type.String()) },
          closed,
        ),
        Type.Null(),
      ],
      {
        description: "The most specific live entry that covers the address.",
      },
    ),
    steps: Type.Array(
      Type.Object({ step: Type.String(), result: Type.Enum(["pass", "stop", "skip"]), detail: Type.String() }, closed),
      { description: "Every step that led to the verdict, in order." },
    ),
  },
  { ...closed, $id: "Explanation" },
);

export const EdgeSchema = Type.Object(
  {
    id: Type.String({ description: "{node}/{worker}" }),
    node: Type.String(),
    pid: Type.Integer(),
    revision: Type.Integer({ description: "The store's revision that it has applied." }),
    lagMs: Type.Number({ description: "How long its latest change took to be applied." }),
    connectedAt: InstantSchema,
  },
  { ...closed, $id: "Edge" },
);

export const ReadinessSchema = Type.Object(
  {
    ready: Type.Boolean(),
    checks: Type.Record(
      Type.String(),
      Type.Object({ ok: Type.Boolean(), detail: Type.Optional(Type.String()) }, closed),
    ),
  },
  { ...closed, $id: "Readiness" },
);
