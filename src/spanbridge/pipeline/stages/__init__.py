"""What pipelines are made of: stages, which say which columns they need and add."""

from spanbridge.pipeline.stages.base import Context, Part, Stage, Worker
from spanbridge.pipeline.stages.entities import Align, Ensemble, Project, Tag
from spanbridge.pipeline.stages.matching import Match
from spanbridge.pipeline.stages.text import Join, Repair, Segment, Split
from spanbridge.pipeline.stages.translations import BackTranslate, Mark, Translate

_TEXT: tuple[type[Stage], ...] = (Repair, Split, Segment, Join)
_TRANSLATIONS: tuple[type[Stage], ...] = (Translate, Mark, BackTranslate)
_ENTITIES: tuple[type[Stage], ...] = (Tag, Align, Project, Match, Ensemble)
STAGES = {stage.kind: stage for stage in (*_TEXT, *_TRANSLATIONS, *_ENTITIES)}

__all__ = ["STAGES", "Context", "Part", "Stage", "Worker"]
