"""What pipelines are made of: stages, which say which columns they need and add."""

from spanbridge.pipeline.stages.base import Context, Part, Stage, Worker
from spanbridge.pipeline.stages.entities import Align, Ensemble, Project, Tag
from spanbridge.pipeline.stages.matching import Match
from spanbridge.pipeline.stages.text import Join, Repair, Segment, Split
from spanbridge.pipeline.stages.translations import BackTranslate, Mark, Translate

KINDS: tuple[type[Stage], ...] = (
    *(
        Repair,
        Split,
        Segment,
        Translate,
        Mark,
        BackTranslate,
        Tag,
        Align,
        Project,
        Match,
        Ensemble,
        Join,
    ),
)
STAGES = {stage.kind: stage for stage in KINDS}

__all__ = ["STAGES", "Context", "Part", "Stage", "Worker", *(kind.__name__ for kind in KINDS)]
