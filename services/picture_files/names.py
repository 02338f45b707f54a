"""File names: the time of capture that phones and programs write into them."""

import re
from datetime import UTC, datetime
from typing import Final

from services.picture_files.timestamps import Moment, Precision, read_moment

_EARLIEST_YEAR: Final = 1990
"""Names with a time in them are younger than that; other digits are none."""
_MAX_CHARACTERS: Final = 255
# A date with one separator or none, then perhaps a clock: "2019-04-05-101112", "20190405_101112123",
# "2019-04-05 at 9.11.12 PM".
_STAMP: Final = re.compile(
    r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})(?P<mark>[-_. ]?)(?P<month>0[1-9]|1[0-2])(?P=mark)"
    r"(?P<day>0[1-9]|[12][0-9]|3[01])(?![0-9](?:[0-9]{0,4}(?![0-9])|[0-9]{9,}))"
    r"(?:(?:[-_. T]|,? (?:at|um|à|kl\.?|a las|om) )?(?P<hour>[0-9]{1,2})(?P<clock>[-_.:h]?)(?P<minute>[0-9]{2})"
    r"(?:(?P=clock)(?P<second>[0-9]{2}))?(?=[^0-9]|[0-9]{3}(?:[^0-9]|$)|$)"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?(?![A-Za-z]))?)?"
)
# Milliseconds since 1970, in names given by WeChat and Facebook.
_COUNTED: Final = re.compile(r"(?:mmexport|wx_camera_|microMsg\.|FB_IMG_)(1[0-9]{12})(?![0-9])")
# Google's camera writes the time in UTC.
_IN_UTC: Final = "PXL_"


def read_name(name: str) -> Moment | None:
    """Return the time that a file's name says; folders before it do not count. None if it says none."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1][:_MAX_CHARACTERS]
    counted = _COUNTED.match(name)
    if counted:
        return Moment(datetime.fromtimestamp(int(counted[1]) // 1000, UTC))
    for match in _STAMP.finditer(name):
        moment = _moment(match)
        if moment is not None:
            in_utc = name.startswith(_IN_UTC) and moment.precision is Precision.SECOND
            return Moment(moment.time.replace(tzinfo=UTC), moment.precision) if in_utc else moment
    return None


def _moment(match: re.Match[str]) -> Moment | None:
    if int(match["year"]) < _EARLIEST_YEAR:
        return None
    date = f"{match['year']}-{match['month']}-{match['day']}"
    # Four digits that nothing parts are a number of the picture, not a clock.
    has_clock = match["hour"] and (match["second"] or match["clock"]) and (match["clock"] or len(match["hour"]) == 2)
    if has_clock:
        clock = f"{match['hour']:0>2}:{match['minute']}" + (f":{match['second']}" if match["second"] else "")
        moment = read_moment(f"{date}T{clock}{match['half'] or ''}{'M' if match['half'] else ''}")
        if moment is not None:
            return moment
    return read_moment(date)
