/**
 * An application behind the gate that knows who asks, because it verifies `Sallyport-Assertion` itself.
 * `node examples/verify-assertion/main.ts HOST [ORIGIN] [PORT]`: its host at the gate, the gate's origin, where to listen.
 */
import { createServer } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [host = "happyfeet.example", origin = `https://${host}`, port = "9000"] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL("/.sallyport/jwks.json", origin));
const expected = {
  issuer: `https://${host}`,
  audience: host,
  algorithms: ["EdDSA"],
  typ: "JWT",
  requiredClaims: ["exp", "sub", "tenant", "email"],
};

const server = createServer(async (request, response) => {
  try {
    const { payload } = await jwtVerify(String(request.headers["sallyport-assertion"]), keys, expected);
    response.end(`Hello ${payload["email"]}, proven by ${payload["amr"]}\n`);
  } catch {
    response.writeHead(401).end("Nobody whom the gate vouches for\n");
  }
});
server.listen(Number(port), "127.0.0.1", () => console.log("listening", server.address()));
