"""Consent service: what people are told, what they decide, and the keys that this makes and destroys.

Invariants: everything starts refused; a purpose stands only while retention holds its key, and nothing claims a
withdrawal whose keys are not destroyed; a grant names the notice in force and a record of it having been shown to
the same person; events are only ever added; what says where a person is or how old they are is sealed under a key
that dies with their account.
"""
