"""How rows become items: the stages of a run."""
