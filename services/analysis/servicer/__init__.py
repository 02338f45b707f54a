"""Service's RPCs: those of persons, and those of services."""

from services.analysis.servicer.analysis import AnalysisServicer
from services.analysis.servicer.library import LibraryServicer

__all__ = ["AnalysisServicer", "LibraryServicer"]
