"""Messages of retention's contracts and the domain's words: requests in, responses and events out."""
