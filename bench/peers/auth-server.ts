/** A session check as small as Fastify allows: `node auth-server.ts PORT SESSIONS`. */
import cookie from "@fastify/cookie";
import fastify from "fastify";

const [port = "0", sessions = "1"] = process.argv.slice(2);
const known = new Map(Array.from({ length: Number(sessions) }, (_, index) => [`session${index + 1}`, index]));
const server = fastify({ keepAliveTimeout: 600_000 });
await server.register(cookie);
server.get("/check", (request, reply) => {
  const session = request.cookies["session"];
  return reply.code(session !== undefined && known.has(session) ? 200 : 401).send();
});
await server.listen({ port: Number(port), host: "127.0.0.1" });
