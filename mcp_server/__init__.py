"""The face that Handrail shows: to assistants over MCP, to people in a terminal.

It knows the engine's public names and nothing behind them, and the engine does not know it.
"""
