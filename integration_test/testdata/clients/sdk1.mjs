// The TypeScript SDK, version 1.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { trade } from "./trade.mjs";

const client = new Client({ name: "test", version: "1" });
await trade(client, new StreamableHTTPClientTransport(new URL(process.env.URL), { requestInit: { headers: { Authorization: "Bearer " + process.env.TOKEN } } }));
