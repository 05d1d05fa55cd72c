"""A result as one page that is sent to others: what was measured, how, and what is doubtful."""

from hrixs.reports.writing import write_report

__all__ = ["write_report"]
