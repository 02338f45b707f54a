"""Writing of the journal of destructions: what the database notes as pending goes there, in batches."""
