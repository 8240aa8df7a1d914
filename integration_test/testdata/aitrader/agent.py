"""A trading agent as small as one can be, on the libraries that AI-Trader pins, with AI-Trader's way to try again.

It reaches the tools through MultiServerMCPClient, and a chat model that follows a script decides. A day that ends in an
error is begun anew, up to three times, with nothing of what was said before. The only argument is a JSON object:

    servers  the argument of MultiServerMCPClient: its servers by name
    mode     "day": a day by script; "pairs": trades that belong together, called at once; "days": days one after the other
    script   of a day: a list of turns, each a list of [tool, arguments]; the day ends after the last
    pairs    how many times NVDA is sold and at the same time KHC bought
    runtime  file in which the agent says whose account and which day it is, and finds whether the day traded
    dates    of the days; each has the same script

It prints one JSON object: how many times the day was begun, whether it ended, and what the model was told.
"""

import asyncio
import json
import sys

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

ATTEMPTS = 3
STOP = "<FINISH_SIGNAL>"


class ScriptedModel(BaseChatModel):
    """Replies with the turn that comes next in the conversation."""

    script: list

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        turn = sum(isinstance(m, AIMessage) for m in messages)
        if turn < len(self.script):
            calls = [
                {"name": name, "args": arguments, "id": f"call-{turn}-{i}", "type": "tool_call"}
                for i, (name, arguments) in enumerate(self.script[turn])
            ]
            reply = AIMessage(content="", tool_calls=calls)
        else:
            reply = AIMessage(content=STOP)
        return ChatResult(generations=[ChatGeneration(message=reply)])


async def day(task, tools):
    """One trading day, from its beginning to the stop signal. Returns what the tools told the model."""
    agent = create_agent(ScriptedModel(script=task["script"]), tools=tools, system_prompt="You trade.")
    answer = await agent.ainvoke({"messages": [{"role": "user", "content": "Trade today."}]}, {"recursion_limit": 100})
    if STOP not in answer["messages"][-1].content:
        raise RuntimeError("the day ended without the stop signal")
    return [m.content for m in answer["messages"] if isinstance(m, ToolMessage)]


async def run_day(task):
    tools = await MultiServerMCPClient(task["servers"]).get_tools()
    failures = []
    for attempt in range(1, ATTEMPTS + 1):
        try:
            told = await day(task, tools)
            return {"attempts": attempt, "ended": True, "told": told, "failures": failures}
        except Exception as e:  # AI-Trader tries again whatever went wrong
            failures.append(f"{type(e).__name__}: {e}")
    return {"attempts": ATTEMPTS, "ended": False, "told": [], "failures": failures}


async def run_pairs(task):
    """Trades in one session that stays open, as the README shows it."""
    client = MultiServerMCPClient(task["servers"])
    told = []
    async with client.session("trade") as session:
        tools = {tool.name: tool for tool in await load_mcp_tools(session)}
        for _ in range(task["pairs"]):
            told += await asyncio.gather(
                tools["sell"].ainvoke({"symbol": "NVDA", "amount": 1}),
                tools["buy"].ainvoke({"symbol": "KHC", "amount": 1}),
            )
    return {"attempts": 1, "ended": True, "told": told, "failures": []}


async def run_days(task):
    """Days as AI-Trader runs them: the runtime file says which it is, and afterwards whether anything was traded."""
    whole = {"attempts": 0, "ended": True, "told": [], "failures": [], "traded": []}
    for date in task["dates"]:
        with open(task["runtime"], "w", encoding="utf-8") as f:
            json.dump({"SIGNATURE": "alice", "TODAY_DATE": date, "IF_TRADE": False}, f)
        r = await run_day(task)
        with open(task["runtime"], encoding="utf-8") as f:
            whole["traded"].append(json.load(f)["IF_TRADE"])
        whole["attempts"] += r["attempts"]
        whole["ended"] = whole["ended"] and r["ended"]
        whole["told"] += r["told"]
        whole["failures"] += r["failures"]
    return whole


def main():
    task = json.loads(sys.argv[1])
    run = {"day": run_day, "pairs": run_pairs, "days": run_days}[task["mode"]]
    print(json.dumps(asyncio.run(run(task))))


main()
