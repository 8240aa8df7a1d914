// The TypeScript SDK, version 2. ERA is the mode in which it connects.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { trade } from "./trade.mjs";

const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: process.env.ERA === "modern" ? { pin: "2026-07-28" } : process.env.ERA } });
await trade(client, new StreamableHTTPClientTransport(new URL(process.env.URL), { requestInit: { headers: { Authorization: "Bearer " + process.env.TOKEN } } }));
