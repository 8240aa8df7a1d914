// What both versions of the TypeScript SDK do.
import assert from "node:assert";

export async function trade(client, transport) {
  const errors = [];
  client.onerror = (e) => errors.push(e);
  await client.connect(transport);
  if (process.env.ERA) {
    const modern = client.getNegotiatedProtocolVersion() === "2026-07-28";
    assert.equal(modern, process.env.ERA === "modern", client.getNegotiatedProtocolVersion());
  }
  const { tools } = await client.listTools();
  assert(tools.some((t) => t.name === "buy"));
  const call = (name, args) => client.callTool({ name, arguments: args });
  assert(!(await call("get_price", { symbol: "AAPL" })).isError);
  assert(!(await call("buy", { symbol: "AAPL", amount: 1 })).isError);
  const refused = await call("buy", { symbol: "AAPL", amount: 100000 });
  assert(refused.isError && refused.content[0].text.includes("insufficient_cash"));
  assert.equal((await call("get_portfolio", {})).structuredContent.signature, "alice");
  await client.close();
  assert.deepEqual(errors, []);
  console.log("passed");
}
