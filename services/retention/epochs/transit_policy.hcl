# What retention may do in its transit engine, mounted at `transit/`, with keys that begin with `pellicule`.
# It can neither read, export nor copy a key: a key that it deletes is gone.
path "transit/keys" {
  capabilities = ["list"]
}
path "transit/keys/pellicule-epoch-*" {
  capabilities = ["create", "update", "delete"]
  denied_parameters = {
    "exportable" = [true]
    "allow_plaintext_backup" = [true]
  }
}
path "transit/hmac/pellicule-epoch-*" {
  capabilities = ["update"]
}
