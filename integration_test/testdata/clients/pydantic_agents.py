# pydantic-ai: an agent, whose model is a script, calls the tools.
import asyncio, os

from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelResponse, RetryPromptPart, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel

CALLS = [("get_price", {"symbol": "AAPL"}), ("buy", {"symbol": "AAPL", "amount": 1}), ("buy", {"symbol": "AAPL", "amount": 100000}), ("get_portfolio", {})]
SAYS = ["AAPL", "filled", "insufficient_cash", "alice"]
told = []


def model(messages, info):
    assert "buy" in [t.name for t in info.function_tools], info
    told[:] = [str(p.content) for m in messages for p in m.parts if isinstance(p, (ToolReturnPart, RetryPromptPart))]
    if len(told) == len(CALLS):
        return ModelResponse(parts=[TextPart("done")])
    return ModelResponse(parts=[ToolCallPart(*CALLS[len(told)])])


async def main():
    toolset = MCPToolset(os.environ["URL"], headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
    await Agent(FunctionModel(model), toolsets=[toolset]).run("Trade.")
    for text, says in zip(told, SAYS, strict=True):
        assert says in text, told
    print("passed")


asyncio.run(main())
