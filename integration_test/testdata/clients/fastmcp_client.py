# FastMCP.
import asyncio, os

import fastmcp
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError


async def main():
    transport = StreamableHttpTransport(os.environ["URL"], headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
    async with fastmcp.Client(transport, mode=os.environ["ERA"]) as c:
        tools = [t.name for t in await c.list_tools()]
        assert "buy" in tools, tools
        await c.call_tool("get_price", {"symbol": "AAPL"})
        await c.call_tool("buy", {"symbol": "AAPL", "amount": 1})
        try:
            raise AssertionError(await c.call_tool("buy", {"symbol": "AAPL", "amount": 100000}))
        except ToolError as e:
            assert "insufficient_cash" in str(e), e
        answer = await c.call_tool("get_portfolio", {})
        assert answer.structured_content["signature"] == "alice", answer
        print("passed", fastmcp.__version__)


asyncio.run(main())
