"""Files of a run of the European XFEL: its index, faults, images and slow data.

Images are read from where they are stored; contradictions to their train ids are reported.
"""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.runs.budget import Budget, share_out
    from hrixs.runs.faults import Faults, named_trains
    from hrixs.runs.images import load_run, report_failed, sum_images
    from hrixs.runs.index import Entries
    from hrixs.runs.indexed_run import IndexedRun, index_run
    from hrixs.runs.lazy_images import lazy_reader
    from hrixs.runs.mnemonic_table import Field, Mnemonic, mnemonics
    from hrixs.runs.parts import Part, PartReader, ReadPart, plan_parts
    from hrixs.runs.run import RunLike, open_run, run_name
    from hrixs.runs.slow_data import SlowData
    from hrixs.runs.storage import Failed
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "Budget",
    "Entries",
    "Failed",
    "Faults",
    "Field",
    "IndexedRun",
    "Mnemonic",
    "Part",
    "PartReader",
    "ReadPart",
    "RunLike",
    "SlowData",
    "index_run",
    "lazy_reader",
    "load_run",
    "mnemonics",
    "named_trains",
    "open_run",
    "plan_parts",
    "report_failed",
    "run_name",
    "share_out",
    "sum_images",
]
