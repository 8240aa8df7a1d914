# The OpenAI Agents SDK, as its agents call tools.
import asyncio, os

from agents.mcp import MCPServerStreamableHttp


async def main():
    params = {"url": os.environ["URL"], "headers": {"Authorization": "Bearer " + os.environ["TOKEN"]}}
    async with MCPServerStreamableHttp(params, client_session_timeout_seconds=30) as s:
        tools = [t.name for t in await s.list_tools()]
        assert "buy" in tools, tools
        await s.call_tool("get_price", {"symbol": "AAPL"})
        answer = await s.call_tool("buy", {"symbol": "AAPL", "amount": 1})
        assert "filled" in answer.content[0].text, answer
        answer = await s.call_tool("buy", {"symbol": "AAPL", "amount": 100000})
        assert "insufficient_cash" in answer.content[0].text, answer
        answer = await s.call_tool("get_portfolio", {})
        assert '"signature":"alice"' in answer.content[0].text, answer
        print("passed")


asyncio.run(main())
