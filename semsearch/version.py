"""The version of semsearch, which an index notes beside its format; knows nothing else."""

__version__ = "0.1.0"
