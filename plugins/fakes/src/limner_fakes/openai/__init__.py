"""OpenAI's Images API, and servers that speak it.

Unknown fields, wrong types of parts and wrong sizes are refused. A mask of the wrong polarity shows as a wrong picture.
"""

from limner_fakes.openai.checking import Call, extra_of, problems, read, typed
from limner_fakes.openai.contract import SERVERS, Server
from limner_fakes.openai.service import OpenAIService, answer

__all__ = ["SERVERS", "Call", "OpenAIService", "Server", "answer", "extra_of", "problems", "read", "typed"]
