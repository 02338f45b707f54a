"""Signing of receipts."""
