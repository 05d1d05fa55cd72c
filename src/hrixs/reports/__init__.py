"""Write a result as one page to send to others: what was measured, how, and the doubts."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.reports.writing import write_report
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["write_report"]
