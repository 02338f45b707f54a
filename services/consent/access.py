"""Access table of the consent service: notices are for anyone, a person's records for that person alone."""

from services.chassis.access import AccessTable, Caller

_NOTICES = "/pellicule.consent.v1.NoticeService"
_CONSENT = "/pellicule.consent.v1.ConsentService"
_ANYONE = frozenset({Caller.ANYONE})
_PERSON = frozenset({Caller.PERSON})

ACCESS: AccessTable = {
    f"{_NOTICES}/ListNotices": _ANYONE,
    f"{_NOTICES}/GetNotice": _ANYONE,
    f"{_NOTICES}/DiffNotices": _ANYONE,
    f"{_NOTICES}/RecordNoticeServed": _PERSON,
    f"{_CONSENT}/DecideConsent": _PERSON,
    f"{_CONSENT}/WithdrawConsent": _PERSON,
    f"{_CONSENT}/GetConsentState": _PERSON,
    f"{_CONSENT}/ListConsentEvents": _PERSON,
    f"{_CONSENT}/WatchConsent": _PERSON,
    f"{_CONSENT}/GetAvailability": _ANYONE,
}
