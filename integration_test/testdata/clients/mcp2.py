# The Python SDK, version 2. ERA is the mode in which it connects.
import asyncio, os

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client


async def main():
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer " + os.environ["TOKEN"]}) as http:
        async with Client(streamable_http_client(os.environ["URL"], http_client=http), mode=os.environ["ERA"]) as c:
            assert (c.protocol_version == "2026-07-28") == (os.environ["ERA"] != "legacy"), c.protocol_version
            tools = [t.name for t in (await c.list_tools()).tools]
            assert "buy" in tools, tools
            for tool, arguments in [("get_price", {"symbol": "AAPL"}), ("buy", {"symbol": "AAPL", "amount": 1})]:
                answer = await c.call_tool(tool, arguments)
                assert not answer.is_error, answer
            answer = await c.call_tool("buy", {"symbol": "AAPL", "amount": 100000})
            assert answer.is_error and "insufficient_cash" in answer.content[0].text, answer
            answer = await c.call_tool("get_portfolio", {})
            assert answer.structured_content["signature"] == "alice", answer
            print("passed", c.protocol_version)


asyncio.run(main())
