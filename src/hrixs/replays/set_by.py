"""The settings that made a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hrixs.replays.executor import Replay
from hrixs.replays.opened import Result, opened, steps_told, told
from hrixs.settings.recorded import BESIDE_ATTR, SETTINGS_ATTR
from hrixs.settings.state import AGGREGATORS, DARK
from hrixs.steps.values import is_recorded
from hrixs.utils.errors import MissingDataError, warn


def set_by_result(
    spectrometer: Callable[..., Any], result: Result, moved: Mapping[str, str] | None = None
) -> Any:
    """Make an `hRIXS` with the settings of a result, as `hRIXS.from_result` documents."""
    data = opened(result)
    state = state_of_steps(steps_told(result, data))
    for key, name in (("settings", SETTINGS_ATTR), ("beside", BESIDE_ATTR)):
        of_result = told(result, data, name)
        if of_result is not None:
            state[key] = of_result
    if "settings" not in state:
        raise MissingDataError(
            "the result has no attribute 'settings', so its settings are not known. Results of "
            "the class hRIXS and of the command hrixs have it. Give the whole result."
        )
    replay = Replay(spectrometer, moved)
    h = replay.spectrometer(state, dark=False)
    ways = state.get("beside", {}).get(AGGREGATORS, {})
    if lost := [name for name, one in ways.items() if not is_recorded(one)]:
        warn(
            f"aggregators of {', '.join(lost)} were functions, which results do not store. Set "
            f"them before you aggregate, for example h.aggregators[{lost[0]!r}] = hrixs.average."
        )
    if not state["settings"].get("use_dark"):
        return h
    known = state.get("beside", {}).get(DARK)
    try:
        if known is None:
            raise MissingDataError("the result has no record of its dark.")
        h.dark = replay.dark(known)
    except (LookupError, ValueError, OSError) as error:
        warn(
            f"the dark is not set: {error} All other settings are set. Load the dark with "
            "load_dark, or set USE_DARK = False."
        )
    return h


def state_of_steps(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The last settings and additional state in the steps."""
    state: dict[str, Any] = {}
    for step in steps:
        state |= {key: step[key] for key in ("settings", "beside") if key in step}
    return state
