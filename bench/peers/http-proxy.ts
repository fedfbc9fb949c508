/** Bare @fastify/http-proxy, which decides nothing: `node http-proxy.ts PORT UPSTREAM_PORT`. */
import proxy from "@fastify/http-proxy";
import fastify from "fastify";

const [port = "0", upstreamPort = "0"] = process.argv.slice(2);
const server = fastify({ keepAliveTimeout: 600_000 });
await server.register(proxy, { upstream: `http://127.0.0.1:${upstreamPort}`, undici: { connections: 256 } });
await server.listen({ port: Number(port), host: "127.0.0.1" });
