"""OpenAI's Images API in front of every model of limner, and a playground in the browser."""
