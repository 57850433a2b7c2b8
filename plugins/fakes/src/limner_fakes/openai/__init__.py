"""Fakes of OpenAI's Images API and of compatible servers.

They refuse unknown fields, wrong part types and unsupported sizes. An inverted mask gives a wrong picture.
"""

from limner_fakes.openai.checking import Call, extra_of, problems, read, typed
from limner_fakes.openai.contract import SERVERS, Server
from limner_fakes.openai.service import OpenAIService, answer

__all__ = ["SERVERS", "Call", "OpenAIService", "Server", "answer", "extra_of", "problems", "read", "typed"]
