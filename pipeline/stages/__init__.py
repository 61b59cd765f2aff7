"""How rows become items: the stages of a run."""

from pipeline.stages.chain import Stages, build_stages

__all__ = ["Stages", "build_stages"]
