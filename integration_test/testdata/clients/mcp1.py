# The Python SDK, version 1.
import asyncio, os

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main():
    async with streamablehttp_client(os.environ["URL"], headers={"Authorization": "Bearer " + os.environ["TOKEN"]}) as (read, write, _):
        async with ClientSession(read, write) as s:
            hello = await s.initialize()
            tools = [t.name for t in (await s.list_tools()).tools]
            assert "buy" in tools, tools
            for tool, arguments in [("get_price", {"symbol": "AAPL"}), ("buy", {"symbol": "AAPL", "amount": 1})]:
                answer = await s.call_tool(tool, arguments)
                assert not answer.isError, answer
            answer = await s.call_tool("buy", {"symbol": "AAPL", "amount": 100000})
            assert answer.isError and "insufficient_cash" in answer.content[0].text, answer
            answer = await s.call_tool("get_portfolio", {})
            assert answer.structuredContent["signature"] == "alice", answer
            print("passed", hello.protocolVersion)


asyncio.run(main())
