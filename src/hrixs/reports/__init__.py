"""A result as one page that is sent to others: what was measured, how, and what is doubtful."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.reports.writing import write_report
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["write_report"]
