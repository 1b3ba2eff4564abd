"""Routes from raw text to its entities: what is known of each, which to take, trials of them."""

from spanbridge.routes.advice import Advice, advise
from spanbridge.routes.choice import Choice, choose

__all__ = ["Advice", "Choice", "advise", "choose"]
