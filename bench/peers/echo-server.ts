/** An upstream that echoes WebSocket messages, and answers plain requests with 256 bytes: `node echo-server.ts PORT`. */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const [port = "0"] = process.argv.slice(2);
const server = createServer((_req, res) => res.end("x".repeat(256)));
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })));
server.listen(Number(port), "127.0.0.1");
