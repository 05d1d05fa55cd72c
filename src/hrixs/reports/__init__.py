"""A result as one page that is sent to others: what was measured, how, and what is doubtful."""

from hrixs.reports.writing import report

__all__ = ["report"]
