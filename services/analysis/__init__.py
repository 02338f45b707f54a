"""Analysis: finds out what a person's pictures show, and tells that person alone.

Invariants:
    * Nothing is learnt without the key of the purpose that it is learnt for: no place without LOCATION's, no face
      template without FACE_GROUPING's. What was not consented to is never computed.
    * Everything learnt is sealed under a data key of its own, with the media in its lineage; no column, object name,
      log line or event says anything of a picture.
    * The database says what is done, by the models that did it. A message that is lost costs time, never work.
    * A result made under a key that was destroyed is never stored (fences and tombstones, in the transaction of the
      commit).
"""
