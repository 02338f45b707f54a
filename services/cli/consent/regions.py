"""Regions as they are typed: a country of ISO 3166-1, in the United States and Canada a subdivision of ISO 3166-2."""

from __future__ import annotations

from collections.abc import Mapping

from services.cli.output import UsageWrong

FIELD = "--region"


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


COUNTRIES = _codes(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
SUBDIVISIONS: Mapping[str, frozenset[str]] = {
    "US": _codes(
        "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK "
        "OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR UM VI"
    ),
    "CA": _codes("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
}
_SLIPS: Mapping[str, str] = {"USA": "US", "CAN": "CA", "GBR": "GB", "UK": "GB", "FRA": "FR", "DEU": "DE"}


def parse(text: str) -> str:
    """Return a region as it is sent: in upper case; empty where it is not known.

    Raises:
        UsageWrong: it is no such code; the message says what is wrong with it.
    """
    country, dash, subdivision = text.strip().upper().partition("-")
    if not country and not dash:
        return ""
    if country not in COUNTRIES:
        raise _wrong(text, _no_country(country))
    if dash and country not in SUBDIVISIONS:
        raise _wrong(text, f"subdivisions count in {' and '.join(SUBDIVISIONS)} alone; write {country}")
    if dash and subdivision not in SUBDIVISIONS[country]:
        raise _wrong(text, f"{country} has no subdivision {subdivision!r}; write one such as {_example(country)}")
    return country + dash + subdivision


def _no_country(code: str) -> str:
    if code in _SLIPS:
        right = _SLIPS[code]
        return f"countries have two letters in ISO 3166-1; write {_example(right) if right in SUBDIVISIONS else right}"
    if any(code in names for names in SUBDIVISIONS.values()):
        country = next(country for country, names in SUBDIVISIONS.items() if code in names)
        return f"a subdivision stands behind its country; write {country}-{code}"
    return "it is no country of ISO 3166-1; write its two letters, such as FR, or US-CA with the state"


def _example(country: str) -> str:
    return {"US": "US-CA", "CA": "CA-QC"}[country]


def _wrong(text: str, why: str) -> UsageWrong:
    return UsageWrong("REGION_UNKNOWN", f"{text!r}: {why}", FIELD)
