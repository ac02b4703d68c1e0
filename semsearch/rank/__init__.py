"""Orders passages by what several searches say of them; pure functions, no index and no model."""

from semsearch.rank.fusion import WEIGHT, fuse

__all__ = ["WEIGHT", "fuse"]
