"""Serves every limner model through OpenAI's Images API, and a playground in the browser."""
