"""limner-openai: OpenAI's Images API, at OpenAI, at Azure, and at the servers that speak it."""
