"""Chat models behind OpenAI-compatible servers: requests, answers, and what they cost."""
