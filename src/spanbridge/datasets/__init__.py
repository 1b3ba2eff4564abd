"""Data sets by name: described in YAML files, fetched on request, read as rows."""

from spanbridge.datasets.catalogue import datasets, find_dataset
from spanbridge.datasets.dataset import Dataset

__all__ = ["Dataset", "datasets", "find_dataset"]
