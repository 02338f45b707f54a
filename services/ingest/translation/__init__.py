"""Translation of the contract's messages to and from plain data; the one place where requests are parsed."""
